"""Batches for training: padded tokens, drawn subjects, dense labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch

from ..model.alignment import TokenSpan, pad
from .dataset import LabelledItem


class SubjectSampling(StrEnum):
    """How the subjects that a training step conditions on are drawn.

    REFERENCE: a random gold start, then a random gold end at or after it. Some of these pairs are not a subject, which
    trains the model to find no object for them (bert4keras, task_relation_extraction.py). TRUE: gold subjects only.
    """

    REFERENCE = "reference"
    TRUE = "true"


@dataclass(frozen=True, slots=True)
class SpoCollator:
    """Turn labelled items into the arguments of [`SpoForTripleExtraction`].

    Args:
        pad_token_id: the tokenizer's padding token.
        num_relations: R, the size of the schema.
        subjects_per_example: number of subjects drawn for each text; an item that joins several texts gets as many for
            each of them.
        sampling: how subjects are drawn.
        pad_to_multiple_of: sequences are padded to a multiple of this length. On CPUs, each shape has kernels and
            memory of its own (in bfloat16, about 13 MiB for a BERT of hidden size 384), so few shapes save memory.
        max_length: largest padded length.
    """

    pad_token_id: int
    num_relations: int
    subjects_per_example: int = 1
    sampling: SubjectSampling = SubjectSampling.REFERENCE
    pad_to_multiple_of: int = 16
    max_length: int | None = None

    def __call__(self, items: Sequence[LabelledItem]) -> dict[str, torch.Tensor]:
        """Collate B items. *Shape:* see [`SpoForTripleExtraction.forward`], with N = texts · subjects_per_example.

        A subject's target is the largest target of its triples, and that of an object is its triple's target divided by
        the subject's, so that the product that extraction computes becomes the score of a soft label.

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
                objects = item.labels.get(drawn, {})
                for (value, relation), truth in objects.items():
                    # Given the subject: score = P(subject) · P(object | subject), as extraction multiplies them.
                    _mark(object_labels[index, :, relation], value, truth / (max(objects.values()) or 1.0))
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
    """Label a span's borders; a border that spans share gets the largest target. *Shape:* labels (L, 2)."""
    labels[span.start, 0] = max(labels[span.start, 0], truth)
    labels[span.end, 1] = max(labels[span.end, 1], truth)


def draw_subject(item: LabelledItem, sampling: SubjectSampling, part: int = 0) -> TokenSpan:
    """Draw one subject of one of the texts that an item joins; a subject of soft labels as often as it is one.

    In a text without subjects, draw a random token, which trains the model to find no object for it.
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
    targets = [max(item.labels[subject].values()) for subject in subjects]
    if min(targets) == max(targets):
        chosen = subjects[item.rng.integers(len(subjects))]
    else:
        chosen = subjects[item.rng.choice(len(subjects), p=np.array(targets) / sum(targets))]
    if sampling == SubjectSampling.TRUE:
        return chosen
    ends = [subject.end for subject in subjects if subject.end >= chosen.start]
    return TokenSpan(chosen.start, ends[item.rng.integers(len(ends))])
