"""The overfitting test: a model that cannot memorise a few texts will not learn many."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoTokenizer,
    PrinterCallback,
    ProgressCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)

from ..data.occurrences import OccurrencePolicy
from ..data.unknown_relations import without_unknown_relations
from ..model.decoding_settings import SpanPairing
from ..model.schema import Example, Schema
from ..model.triple_store import TripleStore
from ..training.arguments import SpoTrainingArguments
from ..training.explanation import TrainingState, progress_hints
from ..training.start import starting_model
from ..training.trainer import SpoTrainer
from .tokens import TokenChecks

LEARNT = 0.95
"""F1 from which the texts count as memorised."""

_STAGE_LEARNT = 0.9
_RECENT, _RISE = 4, 0.02
"""F1 still rises if it rose by more than this over so many evaluations."""
_SEED = 42
_FROM_SCRATCH = ("dgcnn",)


@dataclass(frozen=True, slots=True)
class Overfitting:
    """Result of the overfitting test.

    Args:
        learnt: whether F1 reached [`LEARNT`].
        texts, triples: numbers of texts and triples to learn.
        steps, max_steps: optimizer steps taken and allowed.
        seconds: duration of training and evaluation.
        learning_rate, head_learning_rate: of the encoder and of all other weights.
        f1, subject_f1, object_f1: of the last evaluation, on the training texts.
        losses: logged every few steps.
        explanation: if the test failed, lines that say which stage fails and what usually helps.
    """

    learnt: bool
    texts: int
    triples: int
    steps: int
    max_steps: int
    seconds: float
    learning_rate: float
    head_learning_rate: float
    f1: float
    subject_f1: float
    object_f1: float
    losses: tuple[float, ...]
    explanation: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Summary in one line."""
        figures = f"F1 {self.f1:.3f} on {self.texts} texts after {self.steps} steps"
        return f"the model memorises these data: {figures}" if self.learnt else f"not memorised: {figures}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"verdict": self.verdict, **asdict(self)}


def overfit(
    model_source: str | PathLike[str],
    examples: Sequence[Example],
    schema: Schema,
    *,
    count: int = 32,
    max_steps: int = 300,
    learning_rate: float | None = None,
    max_length: int | None = None,
    on_evaluation: Callable[[int, dict[str, float]], None] | None = None,
    **settings: Any,
) -> Overfitting:
    """Train on a few texts until the model has memorised them; otherwise report which stage fails. Saves nothing.

    Args:
        model_source: folder or Hub name of an encoder or of a triple-extraction model.
        examples: labelled texts to choose from, preferably texts whose triples all become labels.
        schema: the relations to extract.
        count: number of texts to learn.
        max_steps: maximum number of optimizer steps.
        learning_rate: of the encoder; that of the heads is five times as high, as in training. Default: 1e-3 for a
            DGCNN, 1e-4 for other encoders, and 1e-3 for the heads.
        max_length: tokens to read of a text; default: that of the model.
        on_evaluation: called with the step and the metrics of each evaluation.
        settings: further fields of [`SpoTrainingArguments`], which override those of the test.

    Raises:
        ValueError: no text has a triple that becomes a label.
    """
    set_seed(_SEED)  # fresh heads are random
    options = {} if max_length is None else {"max_length": max_length}
    model, tokenizer = starting_model(model_source, schema, **options), AutoTokenizer.from_pretrained(model_source)
    policy = OccurrencePolicy(settings.get("occurrence_policy", OccurrencePolicy.FIRST))
    chosen = choose_texts(examples, tokenizer, schema, model.config.max_length, policy, count)
    if model.config.prior:
        model.features.prior = TripleStore.from_examples(
            [without_unknown_relations(example, schema)[0] for example in examples], schema
        )
    if learning_rate is None:
        learning_rate = 1e-3 if model.config.get_text_config().model_type in _FROM_SCRATCH else 1e-4
        settings = {"head_learning_rate": 1e-3, **settings}
    course = _Course(on_evaluation)
    with TemporaryDirectory() as folder:
        settings = {**_SETTINGS, "max_steps": max_steps, "learning_rate": learning_rate, **settings}
        arguments = SpoTrainingArguments(folder, **settings)
        trainer = _Overfitter(model, arguments, chosen, chosen, processing_class=tokenizer, callbacks=[course])
        for callback in (PrinterCallback, ProgressCallback):  # they write to stdout
            trainer.remove_callback(callback)
        before = _fingerprint(model)
        began = perf_counter()
        trainer.train()
        seconds = perf_counter() - began
    return _result(trainer, course, seconds, moved=_fingerprint(model) != before)


def _result(trainer: "_Overfitter", course: "_Course", seconds: float, moved: bool) -> Overfitting:
    state = trainer.state
    rate, head_rate = trainer.args.learning_rate, trainer.args.head_learning_rate
    assert rate is not None  # set at construction
    losses = tuple(entry["loss"] for entry in state.log_history if "loss" in entry)
    progress = TrainingState(state.global_step, state.max_steps, rate, losses)
    subject_f1, object_f1 = course.metrics["eval_subject_f1"], course.metrics["eval_object_f1"]
    learnt = course.f1s[-1] >= LEARNT
    explanation = explain_failure(course.f1s, subject_f1, object_f1, progress, trainer.zero, moved)
    texts = trainer.train_dataset.examples
    return Overfitting(
        learnt=learnt,
        texts=len(texts),
        triples=sum(len(example.triples) for example in texts),
        steps=state.global_step,
        max_steps=state.max_steps,
        seconds=seconds,
        learning_rate=rate,
        head_learning_rate=5 * rate if head_rate is None else head_rate,
        f1=course.f1s[-1],
        subject_f1=subject_f1,
        object_f1=object_f1,
        losses=losses,
        explanation=() if learnt else tuple(explanation),
    )


_SETTINGS: dict[str, Any] = {
    "per_device_train_batch_size": 8,
    "per_device_eval_batch_size": 32,
    "lr_scheduler_type": "constant_with_warmup",
    "warmup_steps": 10,
    "weight_decay": 0.0,
    "ema_decay": 0.0,
    "tune_thresholds": False,
    "subjects_per_example": 4,
    "context_packing": 0.0,
    "eval_strategy": "steps",
    "eval_steps": 20,
    "logging_steps": 10,
    "save_strategy": "no",
    "disable_tqdm": True,
    "report_to": "none",
    "dataloader_pin_memory": torch.accelerator.is_available(),
    "seed": _SEED,
}


def choose_texts(
    examples: Sequence[Example],
    tokenizer: Any,
    schema: Schema,
    max_length: int,
    policy: OccurrencePolicy,
    count: int,
) -> list[Example]:
    """Choose texts with triples, always the same; texts whose triples are all attainable come first.

    Raises:
        ValueError: no text has a triple that becomes a label.
    """
    whole: dict[str, Example] = {}
    part: dict[str, Example] = {}
    for index in np.random.default_rng(_SEED).permutation(len(examples)).tolist():
        known, unknown = without_unknown_relations(examples[index], schema)
        if not known.triples or len(whole) == count:
            continue
        checks = TokenChecks(tokenizer, schema, max_length, policy)
        checks.add([known])
        perfect = checks.attainable(SpanPairing.NEAREST)
        if checks.report.aligned:
            (whole if perfect == 1 and not unknown else part).setdefault(known.text, known)
    chosen = [*whole.values(), *(example for text, example in part.items() if text not in whole)][:count]
    if not chosen:
        raise ValueError(
            "no text has a triple that becomes a label, so there is nothing to learn; the diagnosis gives the reasons"
        )
    return chosen


class _Overfitter(SpoTrainer):
    """Keeps the explanation of an F1 of 0 for the end, since the first evaluations usually give 0."""

    zero: tuple[str, ...] = ()

    def report_zero(self, lines: list[str]) -> None:
        self.zero = tuple(lines)


class _Course(TrainerCallback):
    """Stops training when F1 reaches [`LEARNT`], and records the evaluations."""

    def __init__(self, on_evaluation: Callable[[int, dict[str, float]], None] | None) -> None:
        self.on_evaluation = on_evaluation
        self.f1s: list[float] = []
        self.metrics: dict[str, float] = {}

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self.metrics = kwargs["metrics"]
        self.f1s.append(self.metrics["eval_f1"])
        if self.on_evaluation is not None:
            self.on_evaluation(state.global_step, self.metrics)
        if self.f1s[-1] >= LEARNT:
            control.should_training_stop = True


def _fingerprint(model: Any) -> tuple[float, ...]:
    """Return a checksum of each weight, to see whether training changes any."""
    return tuple(weight.detach().double().abs().sum().item() for weight in model.parameters())


def explain_failure(
    f1s: Sequence[float], subject_f1: float, object_f1: float, state: TrainingState, zero: Sequence[str], moved: bool
) -> Iterator[str]:
    """Yield lines that say which stage fails, and why it usually does.

    Args:
        f1s: of each evaluation.
        subject_f1, object_f1: of each stage alone, at the last evaluation.
        state: progress of the training.
        zero: explanation of the last F1 of 0.
        moved: whether any weight has changed.
    """
    if not moved:
        yield f"no weight has changed: the learning rate is {state.learning_rate:g}, or every weight is frozen"
    elif any(math.isnan(loss) for loss in state.losses):
        yield "the loss is NaN: training diverges; lower the learning rate"
    elif not f1s[-1]:
        yield from zero
    elif len(f1s) >= _RECENT and f1s[-1] - f1s[-_RECENT] > _RISE:
        yield f"F1 still rises, from {f1s[-_RECENT]:.3f} to {f1s[-1]:.3f} at the end: allow more steps"
    elif subject_f1 < _STAGE_LEARNT:
        yield f"subjects are not learnt (F1 {subject_f1:.3f})"
        yield "the texts may look alike to the tokenizer or contradict each other; else change the learning rate"
        yield from progress_hints(state)
    elif object_f1 < _STAGE_LEARNT:
        yield f"subjects are learnt (F1 {subject_f1:.3f}), objects are not (F1 {object_f1:.3f}, given the subjects)"
        yield "raise head_learning_rate or subjects_per_example; look for contradictory relations"
    elif min(subject_f1, object_f1) < LEARNT:
        yield f"nearly learnt (subjects F1 {subject_f1:.3f}, objects F1 {object_f1:.3f}): a few labels are not learnt"
        yield "allow more steps or a higher learning rate; if that does not help, look for wrong labels"
    else:
        yield f"both stages are learnt (subjects F1 {subject_f1:.3f}, objects F1 {object_f1:.3f}), triples are wrong"
        yield "shared borders are paired wrongly (try span_pairing: either), or a score_threshold drops triples"
