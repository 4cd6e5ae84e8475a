"""Scores of each stage alone, computed during extraction: subjects, and objects of the gold subjects."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..data.labels import AlignmentReport, Labels, label
from ..data.occurrences import OccurrencePolicy
from ..data.reach import out_of_reach
from ..data.unknown_relations import without_unknown_relations
from ..metrics import TripleScore
from ..metrics.triple_f1 import score_predictions, total
from ..model.alignment import Batch
from ..model.decoding import Subjects, decode_subjects
from ..model.extraction import PointerBackend, TripleExtractor
from ..model.schema import Example, Schema, Triple
from ..model.windows import Window

_NOTHING = TripleScore(0, 0, 0)


@dataclass(frozen=True, slots=True)
class StageScore:
    """Scores of the two stages of extraction.

    Args:
        subjects: decoded against labelled subject spans.
        objects: decoded against labelled objects of all relations and slots, given the labelled subjects.
        subject_peak, object_peak: the highest probability of any border, 0 without input.
        out_of_reach: labelled triples that no window of the text holds.
    """

    subjects: TripleScore = _NOTHING
    objects: TripleScore = _NOTHING
    subject_peak: float = 0.0
    object_peak: float = 0.0
    out_of_reach: int = 0

    @classmethod
    def total(cls, parts: Sequence["StageScore"]) -> "StageScore":
        """Add up the scores of several texts; a peak of NaN is kept."""
        if not parts:
            return cls()
        return cls(
            total(part.subjects for part in parts),
            total(part.objects for part in parts),
            float(np.max([part.subject_peak for part in parts])),
            float(np.max([part.object_peak for part in parts])),
            sum(part.out_of_reach for part in parts),
        )


Examined = tuple[list[Triple], StageScore]
"""The triples found in a text, and the scores of the stages."""


def scores(examples: Iterable[Example], examined: Sequence[Examined]) -> dict[str, float]:
    """Return precision, recall and F1 of triples (strict), and F1 of each stage alone, over all texts."""
    score = score_predictions(examples, (triples for triples, _ in examined))
    stages = StageScore.total([stage for _, stage in examined])
    return {
        "precision": score.precision,
        "recall": score.recall,
        "f1": score.f1,
        "subject_f1": stages.subjects.f1,
        "object_f1": stages.objects.f1,
    }


class StageExtractor(TripleExtractor):
    """An extractor that also scores each stage; the encoder runs once.

    Args:
        backend, tokenizer, schema, options: see [`TripleExtractor`].
        policy: which occurrences of gold mentions without offsets are labelled.
    """

    def __init__(
        self, backend: PointerBackend, tokenizer: Any, schema: Schema, *, policy: OccurrencePolicy, **options: Any
    ) -> None:
        self._watched = _WatchedBackend(backend)
        super().__init__(self._watched, tokenizer, schema, **options)
        self.policy = policy
        self._examples: Sequence[Example] = ()
        self._scores: dict[int, list[StageScore]] = {}
        self._windows: dict[int, list[Window]] = {}

    def examine(self, examples: Sequence[Example], batch_size: int | None = None) -> list[Examined]:
        """Return the extracted triples of each example, and the scores of the stages.

        If a text is read in windows, each window is scored against the labels inside it.
        """
        self._examples = examples
        self._scores, self._windows = {}, {}
        found = self([example.text for example in examples], batch_size)
        return [(triples, self._total(index)) for index, triples in enumerate(found)]

    def _total(self, index: int) -> StageScore:
        lost = out_of_reach(self._examples[index], self._windows.get(index, []), self.policy)
        return replace(StageScore.total(self._scores.get(index, [])), out_of_reach=len(lost))

    def run(self, windows: Sequence[Window]) -> list[list[Triple]]:
        """Run both passes over one batch, and the second pass again for the gold subjects."""
        triples = super().run(windows)
        labels = [self._labels(self._examples[window.text_index], window) for window in windows]
        for window, score in zip(windows, self._score(labels), strict=True):
            self._scores.setdefault(window.text_index, []).append(score)
            self._windows.setdefault(window.text_index, []).append(window)
        self._watched.forget()
        return triples

    def _labels(self, example: Example, window: Window) -> Labels:
        known, _ = without_unknown_relations(window.part_of(example), self.schema)
        return label(known, window.encoding, self.schema, self.policy, AlignmentReport())

    def _score(self, labels: Sequence[Labels]) -> list[StageScore]:
        batch, probs = self._watched.batch, self._watched.probs
        assert batch is not None
        assert probs is not None
        peaks = np.where(batch.pointable[:, :, None], probs, 0).max(axis=(1, 2))
        decoded = decode_subjects(probs, batch.pointable, self.decoding.thresholds, self.decoding.span_pairing)
        subjects = _by_row(len(labels), decoded.rows, decoded.spans)

        gold = [(row, subject) for row, group in enumerate(labels) for subject in group]
        rows = np.array([row for row, _ in gold], dtype=np.int64)
        spans = np.array([(subject.start, subject.end) for _, subject in gold], dtype=np.int64).reshape(-1, 2)
        found = self._objects(self._watched.state, batch, Subjects(rows, spans, np.ones(len(rows))))
        # An answer is an object with its subject and relation.
        answers = np.concatenate([spans[found.subjects], found.relations[:, None], found.spans], axis=1)
        objects = _by_row(len(labels), rows[found.subjects], answers)
        return [
            StageScore(
                _compare(subjects[row], {(subject.start, subject.end) for subject in group}),
                _compare(objects[row], _answers(group)),
                float(peaks[row]),
                self._watched.object_peak,
            )
            for row, group in enumerate(labels)
        ]


class _WatchedBackend:
    """Forwards to a backend and keeps its results for the latest batch."""

    def __init__(self, backend: PointerBackend) -> None:
        self.backend = backend
        self.forget()

    def forget(self) -> None:
        """Release the latest batch, whose state may be on an accelerator."""
        self.batch: Batch | None = None
        self.state: Any = None
        self.probs: np.ndarray | None = None
        self.object_peak = 0.0

    def subjects(self, batch: Batch) -> tuple[Any, np.ndarray]:
        self.batch = batch
        self.state, self.probs = self.backend.subjects(batch)
        return self.state, self.probs

    def objects(self, state: Any, rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        probs = self.backend.objects(state, rows, spans)
        self.object_peak = float(np.maximum(self.object_peak, probs.max(initial=0.0)))
        return probs


Answers = set[tuple[int, ...]]


def _by_row(count: int, rows: np.ndarray, answers: np.ndarray) -> list[Answers]:
    groups: list[Answers] = [set() for _ in range(count)]
    for row, answer in zip(rows.tolist(), answers.tolist(), strict=True):
        groups[row].add(tuple(answer))
    return groups


def _answers(labels: Labels) -> Answers:
    return {
        (subject.start, subject.end, relation, value.start, value.end)
        for subject, objects in labels.items()
        for value, relation in objects
    }


def _compare(found: Answers, gold: Answers) -> TripleScore:
    return TripleScore(len(found & gold), len(found), len(gold))
