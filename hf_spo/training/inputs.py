"""What a trainer is given: data are labelled; what it cannot train with is refused, and the error says what to pass."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from transformers import TrainingArguments

from ..data.dataset import SpoDataset
from ..data.occurrences import OccurrencePolicy
from ..data.reach import WANTED
from ..model.configuration_spo import SpoConfig
from ..model.modeling_spo import SpoForTripleExtraction
from ..model.schema import Example
from .arguments import SpoTrainingArguments

logger = logging.getLogger(__name__)

Rows = Iterable[Example | Mapping[str, Any]]
"""Labelled texts, see [`as_examples`] for what else is taken."""


def check_arguments(args: object, tokenizer: object, more: Mapping[str, Any]) -> None:
    """Check the training arguments, that there is a tokenizer, and the further arguments of a trainer.

    Raises:
        TypeError: the training arguments are of another kind, or an argument is not for this trainer.
    """
    if not isinstance(args, SpoTrainingArguments):
        got = type(args).__name__ if isinstance(args, TrainingArguments) else f"{args!r:.80}"
        raise TypeError(
            f"args: expected SpoTrainingArguments, which has the fields of TrainingArguments and more, got {got}; pass "
            f"hf_spo.training.SpoTrainingArguments(output_dir=…)"
        )
    if tokenizer is None:
        raise TypeError("processing_class: expected the fast tokenizer of the model's encoder, got nothing")
    if "data_collator" in more:
        raise TypeError(
            "data_collator: SpoTrainer draws subjects and makes labels with a collator of its own; leave it out, and "
            "set subjects_per_example, subject_sampling and pad_to_multiple_of in SpoTrainingArguments"
        )
    for name in ("compute_loss_func", "preprocess_logits_for_metrics"):
        if more.get(name) is not None:
            raise TypeError(
                f"{name}: the model computes its own loss, and evaluation extracts triples, so it would not be called; "
                f"leave it out. compute_metrics receives the triples; a subclass can override compute_loss"
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


def read_data(
    model: SpoForTripleExtraction, args: SpoTrainingArguments, tokenizer: Any, train_data: Any, eval_data: Any
) -> tuple[SpoDataset | None, Any]:
    """Label and check the data, and widen the model's window to what the training texts need.

    Returns:
        Labelled training and evaluation texts; the latter by name if they are given so.

    Raises:
        TypeError, ValueError: see [`SpoTrainer`].
    """
    common = {
        "tokenizer": tokenizer,
        "schema": model.config.schema,
        "max_length": model.config.max_length,
        "policy": OccurrencePolicy(args.occurrence_policy),
        "seed": args.seed if args.data_seed is None else args.data_seed,
    }
    signals = {
        "features": model.features,
        "entity_swap_probability": args.entity_swap_probability,
        "context_packing": args.context_packing,
        "soft_labels": args.soft_labels,
    }
    given = eval_data if isinstance(eval_data, dict) else {"evaluation": eval_data}
    evaluation = {name: _labelled(data, name, common) for name, data in given.items()}
    training = _labelled(train_data, "training", {**common, **signals})
    for name, data in {**evaluation, "training": training}.items():
        if data is not None:
            _check_embeddings(data, name, model.encoder.get_input_embeddings().num_embeddings)
    if training is not None:
        if not training.examples:
            raise ValueError("train_dataset holds no text; pass labelled texts to train on")
        _fit_window(model.config, training)
    return training, evaluation if isinstance(eval_data, dict) else evaluation["evaluation"]


def _labelled(data: Any, name: str, options: Mapping[str, Any]) -> SpoDataset | None:
    if data is None:
        return None
    labelled = data if isinstance(data, SpoDataset) else SpoDataset(data, **options)
    logger.info("%s data: %d texts, %s", name, len(labelled.examples), labelled.report)
    if labelled.partial_labels:
        logger.info("%s data: %s", name, labelled.partial_labels)
    if labelled.long:
        logger.info(
            "%s data: %d texts of more than %d tokens are read in windows", name, labelled.long, labelled.max_length
        )
    return labelled


def _check_embeddings(data: SpoDataset, name: str, count: int) -> None:
    """Check that the model has an embedding for each token."""
    largest = max((int(encoding.input_ids.max(initial=0)) for encoding in data.encodings), default=0)
    if largest >= count:
        raise ValueError(
            f"{name} data: the tokenizer gives token {largest}, and the encoder has embeddings for {count} tokens; "
            f"pass the encoder's own tokenizer, or call model.encoder.resize_token_embeddings({largest + 1})"
        )


def _fit_window(config: SpoConfig, training: SpoDataset) -> None:
    """Widen the model's window until it holds the training texts' triples; say how many are out of reach."""
    reaches = training.reaches()
    reach = reaches.smallest()
    if config.window is not None and config.window >= reach.window:
        reach = reaches.of(config.window)
    elif config.window is not None:
        narrow = reaches.of(config.window)
        logger.warning("the model's window is widened from %d to %d tokens: %s", config.window, reach.window, narrow)
    config.window = reach.window
    logger.log(logging.WARNING if reach.share < WANTED else logging.INFO, "%s", reach)
