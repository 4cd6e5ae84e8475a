"""Defaults of a training, which follow from data and model; free of torch, since the doctor suggests the epochs."""

import math


def default_epochs(texts: int, batch_size: int) -> int:
    """Return the default number of epochs for a number of training texts.

    Enough epochs to read about 100,000 texts, which is usual for a pretrained encoder, but 3 to 50. If these are fewer
    than 1,000 optimizer steps, more epochs, up to 100: new heads find no triple in the first few hundred steps.

    Args:
        texts: training texts with triples.
        batch_size: texts of one optimizer step.
    """
    texts = max(texts, 1)
    by_texts = min(max(round(100_000 / texts), 3), 50)
    by_steps = min(math.ceil(1_000 / math.ceil(texts / batch_size)), 100)
    return max(by_texts, by_steps)


def default_learning_rate(model_type: str, hidden_size: int) -> float:
    """Return the default peak learning rate of an encoder; that of the heads is five times as high.

    For a pretrained encoder 5e-5 at hidden size 768, which is usual for BERT-base (Devlin et al. 2019), and more for
    smaller ones, in inverse proportion to the square of the hidden size, up to 2e-4. 1e-3 for a DGCNN, which is trained
    from the start.
    """
    return 1e-3 if model_type == "dgcnn" else min(5e-5 * (768 / hidden_size) ** 2, 2e-4)
