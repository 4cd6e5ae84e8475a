"""Batches for training: padded tokens, drawn subjects, dense labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch

from ..model.alignment import TokenSpan, pad
from .dataset import LabelledItem


class SubjectSampling(StrEnum):
    """Which subjects a step conditions on.

    REFERENCE: a random start among the gold starts, then a random end among the gold ends at or after it, so that some
    pairs are no subject and teach an empty answer (bert4keras, task_relation_extraction.py). TRUE: gold subjects only.
    """

    REFERENCE = "reference"
    TRUE = "true"


@dataclass(frozen=True, slots=True)
class SpoCollator:
    """Turn labelled items into the arguments of [`SpoForTripleExtraction`].

    Args:
        pad_token_id: of the tokenizer.
        num_relations: R of the labels.
        subjects_per_example: how many subjects are drawn for each text, always the same number, also for each of those
            that are joined in an item.
        sampling: how they are drawn.
        pad_to_multiple_of: lengths are padded up to a multiple, so that few shapes occur, and memory stays what it is:
            on CPUs, kernels are kept for each shape (in bfloat16, some 13 MiB for a BERT of hidden size 384), and
            memory that was laid out for one shape hardly serves another.
        max_length: but not beyond this.
    """

    pad_token_id: int
    num_relations: int
    subjects_per_example: int = 1
    sampling: SubjectSampling = SubjectSampling.REFERENCE
    pad_to_multiple_of: int = 16
    max_length: int | None = None

    def __call__(self, items: Sequence[LabelledItem]) -> dict[str, torch.Tensor]:
        """Collate B items. *Shape:* see [`SpoForTripleExtraction.forward`], with N = texts · subjects_per_example.

        Items with partial labels add `complete_relations` (B, R) and `complete_subjects` (B,), see [`Completeness`].
        """
        batch = pad([item.encoding for item in items], self.pad_token_id, self.pad_to_multiple_of, self.max_length)
        length = batch.input_ids.shape[1]
        draws = [len(item.starts) * self.subjects_per_example for item in items]
        subject_labels = np.zeros((len(items), length, 2), dtype=np.float32)
        object_labels = np.zeros((sum(draws), length, self.num_relations, 2), dtype=np.float32)
        spans = np.zeros((sum(draws), 2), dtype=np.int64)
        index = 0
        for row, item in enumerate(items):
            for subject, objects in item.labels.items():
                _mark(subject_labels[row], subject, max(objects.values()))
            for draw in range(draws[row]):
                drawn = draw_subject(item, self.sampling, draw // self.subjects_per_example)
                spans[index] = drawn.start, drawn.end
                for (value, relation), truth in item.labels.get(drawn, {}).items():
                    _mark(object_labels[index, :, relation], value, truth)
                index += 1
        tensors = {
            **batch.model_inputs(),
            "subject_rows": np.repeat(np.arange(len(items)), draws),
            "subject_spans": spans,
            "subject_labels": subject_labels,
            "object_labels": object_labels,
        }
        completeness = [item.completeness for item in items if item.completeness is not None]
        if completeness:
            tensors["complete_relations"] = np.stack([part.relations for part in completeness])
            tensors["complete_subjects"] = np.array([part.subjects for part in completeness], dtype=np.float32)
        return {name: torch.from_numpy(array) for name, array in tensors.items()}


def _mark(labels: np.ndarray, span: TokenSpan, truth: float) -> None:
    """Label a span's borders. Where spans share one, the truest says how true it is. *Shape:* labels (L, 2)."""
    labels[span.start, 0] = max(labels[span.start, 0], truth)
    labels[span.end, 1] = max(labels[span.end, 1], truth)


def draw_subject(item: LabelledItem, sampling: SubjectSampling, part: int = 0) -> TokenSpan:
    """Draw one subject of one of the texts that an item joins.

    Without any subject in that text, it is a random token of the text, which teaches an empty answer.
    """
    first = item.encoding.offsets[:, 0]
    inside = item.starts[part] <= first
    if part + 1 < len(item.starts):
        inside &= first < item.starts[part + 1]
    subjects = [subject for subject in item.labels if inside[subject.start]]
    if not subjects:
        tokens = np.flatnonzero(item.encoding.pointable & inside)
        token = int(item.rng.choice(tokens)) if tokens.size else 0
        return TokenSpan(token, token)
    chosen = subjects[item.rng.integers(len(subjects))]
    if sampling == SubjectSampling.TRUE:
        return chosen
    ends = [subject.end for subject in subjects if subject.end >= chosen.start]
    return TokenSpan(chosen.start, ends[item.rng.integers(len(ends))])
