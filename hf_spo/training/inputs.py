"""What users pass to a trainer: refused by name, with what to pass, where it cannot be trained with."""

from collections.abc import Mapping
from typing import Any

from transformers import TrainingArguments

from ..data.dataset import SpoDataset
from ..model.configuration_spo import SpoConfig
from .arguments import SpoTrainingArguments


def check_arguments(args: object, more: Mapping[str, Any]) -> None:
    """Check the training arguments and the further arguments of a trainer.

    Raises:
        TypeError: the training arguments are of another kind, or an argument is not for this trainer.
    """
    if not isinstance(args, SpoTrainingArguments):
        got = type(args).__name__ if isinstance(args, TrainingArguments) else f"{args!r:.80}"
        raise TypeError(
            f"args: expected SpoTrainingArguments, which has the fields of TrainingArguments and more, got {got}; pass "
            f"hf_spo.training.SpoTrainingArguments(output_dir=…)"
        )
    if "data_collator" in more:
        raise TypeError(
            "data_collator: SpoTrainer draws subjects and makes labels with a collator of its own; leave it out, and "
            "set subjects_per_example, subject_sampling and pad_to_multiple_of in SpoTrainingArguments"
        )


def check_model(model: object) -> None:
    """Check that a model extracts triples.

    Raises:
        TypeError: it is another model, or no model.
    """
    if isinstance(getattr(model, "config", None), SpoConfig):
        return
    remedy = "SpoForTripleExtraction.from_encoder(encoder, schema), or .from_pretrained(path) to go on from a model"
    if isinstance(model, str):
        raise TypeError(f"model: expected a model, got the name {model!r}; pass {remedy}")
    raise TypeError(f"model: expected a SpoForTripleExtraction, got {type(model).__name__}; pass {remedy}")


def check_data(data: SpoDataset, name: str, vocabulary: int) -> None:
    """Check labelled texts before a training.

    Args:
        data: the texts.
        name: what they are for, for messages.
        vocabulary: number of tokens that the model has embeddings for.

    Raises:
        ValueError: a token has no embedding.
    """
    largest = max((int(encoding.input_ids.max(initial=0)) for encoding in data.encodings), default=0)
    if largest >= vocabulary:
        raise ValueError(
            f"{name} data: the tokenizer gives token {largest}, and the encoder has embeddings for {vocabulary} "
            f"tokens; pass the encoder's own tokenizer, or call model.encoder.resize_token_embeddings({largest + 1})"
        )
