"""Training arguments: those of transformers, and a few more."""

import logging
import math
from dataclasses import dataclass, field
from enum import StrEnum

import torch
from transformers import TrainingArguments
from transformers.integrations.integration_utils import is_tensorboard_available
from transformers.trainer_utils import SaveStrategy

from ..data.collator import SubjectSampling
from ..data.occurrences import OccurrencePolicy
from ..loading.dtypes import auto_dtype

logger = logging.getLogger(__name__)


@dataclass
class SpoTrainingArguments(TrainingArguments):
    """[`TrainingArguments`] with what triple extraction adds.

    `bf16` becomes False, with a warning, on hardware that only emulates bfloat16.

    `metric_for_best_model` is "f1" unless given; with several evaluation sets it has to name one, such as "dev_f1".
    """

    num_train_epochs: float | None = field(  # type: ignore[assignment]  # 3 there, whatever the data
        default=None,
        metadata={"help": "Epochs; default: by the number of training texts, more for few, see `default_epochs`."},
    )
    learning_rate: float | None = field(  # type: ignore[assignment]  # 5e-5 there, whatever the model
        default=None,
        metadata={
            "help": "Peak learning rate of the encoder; default: by its size, see `default_learning_rate`; 5e-5 for "
            "BERT-base, 2e-4 for hidden size 384."
        },
    )
    early_stopping_patience: int = field(
        default=10,
        metadata={
            "help": "Stop after this many evaluations without a better metric_for_best_model, not counting those "
            "before the first right triple; needs load_best_model_at_end; 0 switches it off."
        },
    )
    tune_thresholds: bool = field(
        default=True,
        metadata={
            "help": "After training, search the decoding thresholds on the evaluation texts, as `hf-spo tune` does, "
            "and keep what cross-validation finds better."
        },
    )
    head_learning_rate: float | None = field(
        default=None,
        metadata={"help": "Learning rate of everything but the encoder; default: five times learning_rate."},
    )
    ema_decay: float = field(
        default=0.999, metadata={"help": "Decay of the weights' moving average, per optimizer step; 0 switches it off."}
    )
    subjects_per_example: int = field(default=1, metadata={"help": "Subjects drawn for each text and step."})
    subject_sampling: str = field(
        default=SubjectSampling.REFERENCE.value,
        metadata={
            "help": "How subjects are drawn. reference: a gold start and a gold end, which may belong to different "
            "subjects; true: gold subjects only."
        },
    )
    occurrence_policy: str = field(
        default=OccurrencePolicy.FIRST.value,
        metadata={"help": "Which occurrences of gold strings without offsets are labelled: first, nearest, all."},
    )
    entity_swap_probability: float = field(
        default=0.0,
        metadata={"help": "Probability that a text gets the subject and object of another triple of its relation."},
    )
    context_packing: float = field(
        default=0.2,
        metadata={
            "help": "Share of the training sequences that join several texts, up to the model's length, so that the "
            "model learns to read sentences among others. Other texts are joined in each epoch; 0 is off."
        },
    )
    pad_to_multiple_of: int = field(
        default=16,
        metadata={"help": "Sequences are padded to a multiple of this length; on CPUs, each length costs memory."},
    )
    r_drop_alpha: float = field(
        default=0.0,
        metadata={"help": "Weight of the divergence of two passes with different dropout; 0 is off, 1 to 5 usual."},
    )
    missing_label_threshold: float = field(
        default=1.0,
        metadata={
            "help": "Unlabelled borders that have a higher probability than this are left out of the loss, because "
            "their labels may be missing. 1 is off."
        },
    )
    soft_labels: bool = field(
        default=False,
        metadata={
            "help": "Train triples towards their scores in the data, which `hf-spo distill` writes, instead of 1; "
            "otherwise scores are ignored."
        },
    )
    evaluate_raw: bool = field(
        default=True, metadata={"help": "Evaluate the raw weights (eval_raw_f1) besides the averaged ones."}
    )
    training_curves: bool = field(
        default=True,
        metadata={
            "help": "Draw training_curves.svg and .png into the output folder at each evaluation and at the end; needs "
            "matplotlib."
        },
    )

    def __post_init__(self) -> None:
        if self.bf16:
            # Without an accelerator, transformers accepts bf16 only with use_cpu.
            self.use_cpu = self.use_cpu or not torch.accelerator.is_available()
            # A recipe with bf16 also runs where bfloat16 is emulated, which takes up to fifty times as long as float32.
            if auto_dtype("cpu" if self.use_cpu else None) != torch.bfloat16:
                what = "CPU has no instructions (AMX, AVX512-BF16)" if self.use_cpu else "device has no hardware"
                logger.warning("bf16: this %s for bfloat16; the training is in float32, which is faster here", what)
                self.bf16 = False
        # The default of transformers is the loss, which evaluation by extraction does not compute.
        if self.metric_for_best_model is None and (
            self.load_best_model_at_end or self.save_strategy == SaveStrategy.BEST
        ):
            self.metric_for_best_model = "f1"
        super().__post_init__()  # type: ignore[no-untyped-call]  # unannotated there
        # transformers would remove the columns text and triples, which forward does not take.
        self.remove_unused_columns = False
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay={self.ema_decay}: expected at least 0 (off) and less than 1")
        _check_unused(self)
        _check_signals(self)
        if self.early_stopping_patience < 0:
            raise ValueError(f"early_stopping_patience={self.early_stopping_patience}: expected at least 0 (off)")
        for name in ("subjects_per_example", "pad_to_multiple_of"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number of at least 1")
        _check_choice("subject_sampling", self.subject_sampling, SubjectSampling)
        _check_choice("occurrence_policy", self.occurrence_policy, OccurrencePolicy)
        if self.metric_for_best_model in ("loss", "eval_loss"):
            raise ValueError(
                f"metric_for_best_model={self.metric_for_best_model!r}: evaluation extracts triples and computes no "
                f"loss; expected f1, precision, recall or, of the raw weights, raw_f1"
            )
        if "tensorboard" in (self.report_to or ()) and not is_tensorboard_available():
            raise ImportError("report_to=tensorboard needs tensorboard: pip install 'hf-spo[tensorboard]'")


# Options of transformers without an effect here, and why.
_UNUSED = {
    "train_sampling_strategy": "batches always hold texts of similar length, in another order each epoch",
    "prediction_loss_only": "evaluation extracts triples and computes no loss",
    "batch_eval_metrics": "compute_metrics receives the triples of all texts at once",
    "include_for_metrics": "compute_metrics receives triples, not the inputs of the model",
}


def _check_unused(arguments: SpoTrainingArguments) -> None:
    """Refuse options that would be ignored silently."""
    for name, reason in _UNUSED.items():
        value, declared = getattr(arguments, name), TrainingArguments.__dataclass_fields__[name]
        if value and value != declared.default:
            raise ValueError(f"{name}={value!r}: {reason}; leave it out")


def _check_signals(arguments: SpoTrainingArguments) -> None:
    """Check the ranges of the training signals."""
    if arguments.label_smoothing_factor:
        raise ValueError(
            f"label_smoothing_factor={arguments.label_smoothing_factor}: borders have no classes to smooth; leave it "
            f"at 0 (soft_labels learns from scores, missing_label_threshold leaves doubtful borders out)"
        )
    for name in ("entity_swap_probability", "context_packing"):
        if not 0 <= getattr(arguments, name) <= 1:
            raise ValueError(f"{name}={getattr(arguments, name)}: expected a probability from 0 (off) to 1")
    if not 0 <= arguments.r_drop_alpha < math.inf:
        raise ValueError(f"r_drop_alpha={arguments.r_drop_alpha}: expected at least 0 (off)")
    threshold = arguments.missing_label_threshold
    if not 0 < threshold <= 1:
        raise ValueError(f"missing_label_threshold={threshold}: expected more than 0 and at most 1 (off)")


def _check_choice(name: str, value: str, choices: type[StrEnum]) -> None:
    if value not in list(choices):
        raise ValueError(f"{name}={value!r}: expected {' or '.join(choices)}")
