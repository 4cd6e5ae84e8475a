"""The default number of epochs; free of torch, since the doctor suggests it."""

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
