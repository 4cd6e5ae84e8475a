"""Training arguments: those of transformers, and a few more."""

from dataclasses import dataclass, field

import torch
from transformers import TrainingArguments

from ..data.collator import SubjectSampling
from ..data.occurrences import OccurrencePolicy


@dataclass
class SpoTrainingArguments(TrainingArguments):
    """[`TrainingArguments`] with what triple extraction adds."""

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
            "help": "reference: some pairs of gold start and gold end that are no subject; true: gold subjects only."
        },
    )
    occurrence_policy: str = field(
        default=OccurrencePolicy.FIRST.value,
        metadata={"help": "Which occurrences of gold strings without offsets are labelled: first, nearest or all."},
    )
    pad_to_multiple_of: int = field(default=16, metadata={"help": "Batches' lengths are multiples of this."})
    evaluate_raw: bool = field(
        default=True, metadata={"help": "Beside the averaged weights, evaluate the raw ones (eval_raw_f1)."}
    )

    def __post_init__(self) -> None:
        # transformers refuses bf16 on a host without an accelerator unless told that the CPU is meant.
        if self.bf16 and not torch.accelerator.is_available():
            self.use_cpu = True
        super().__post_init__()
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay={self.ema_decay}: expected at least 0 (off) and less than 1")
        if self.subjects_per_example < 1:
            raise ValueError(f"subjects_per_example={self.subjects_per_example}: expected at least 1")
        SubjectSampling(self.subject_sampling)
        OccurrencePolicy(self.occurrence_policy)
        # Columns are read by our own data set; transformers' default would drop texts and triples.
        self.remove_unused_columns = False
        if self.load_best_model_at_end and self.metric_for_best_model in (None, "loss"):
            self.metric_for_best_model = "f1"
            self.greater_is_better = True
