"""A backend that stores probabilities, so that they are computed once and decoded many times."""

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from ..model.alignment import Batch
from ..model.decoding import decode_subjects
from ..model.decoding_settings import SpanPairing, Thresholds
from ..model.extraction import PointerBackend

Subject = tuple[int, int, int]
"""Sentence, first and last token."""

_FLOOR = 0.05


@dataclass
class _Recorded:
    batch: Batch
    subject_probs: np.ndarray
    # Indices and values of the object probabilities above the floor, by subject.
    objects: dict[Subject, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    shape: tuple[int, ...] = ()


class RecordedBackend:
    """Store the probabilities of each batch, so that decoding it again with other settings is cheap.

    Object probabilities up to 0.05 are stored as 0.

    Args:
        backend: computes the probabilities.
        levels: subject thresholds to be tried. The objects of all subjects found with any two of them are computed at
            once, while the encoder's output is in memory.
        pairing: how starts and ends will be paired.
    """

    def __init__(self, backend: PointerBackend, levels: tuple[float, ...], pairing: SpanPairing) -> None:
        self.backend = backend
        self.levels = levels
        self.pairing = pairing
        self._batches: dict[bytes, _Recorded] = {}

    def subjects(self, batch: Batch) -> tuple[_Recorded, np.ndarray]:
        """Return the record of a batch, and probabilities (B, L, 2)."""
        key = repr(batch.input_ids.shape).encode() + batch.input_ids.tobytes()
        record = self._batches.get(key)
        if record is None:
            state, probs = self.backend.subjects(batch)
            record = self._batches[key] = _Recorded(batch, probs)
            found = {
                subject
                for start, end in product(self.levels, repeat=2)
                for subject in self._decode(record, Thresholds(start, end))
            }
            self._compute(record, state, sorted(found))
        return record, record.subject_probs

    def _decode(self, record: _Recorded, thresholds: Thresholds) -> list[Subject]:
        found = decode_subjects(record.subject_probs, record.batch.pointable, thresholds, self.pairing)
        return _subjects(found.rows, found.spans)

    def _compute(self, record: _Recorded, state: Any, subjects: list[Subject]) -> None:
        for at in range(0, len(subjects), _CHUNK):
            chunk = np.array(subjects[at : at + _CHUNK], dtype=np.int64)
            probs = self.backend.objects(state, chunk[:, 0], chunk[:, 1:])
            record.shape = probs.shape[1:]
            for subject, values in zip(subjects[at : at + _CHUNK], probs.reshape(len(chunk), -1), strict=True):
                places = np.flatnonzero(values > _FLOOR)
                record.objects[subject] = places, values[places]

    def objects(self, state: _Recorded, rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Return probabilities (N, L, R, 2). *Shape:* rows (N,), spans (N, 2)."""
        wanted = _subjects(rows, spans)
        missing = [subject for subject in wanted if subject not in state.objects]
        if missing:
            self._compute(state, self.backend.subjects(state.batch)[0], missing)
        probs = np.zeros((len(wanted), int(np.prod(state.shape))), dtype=np.float32)
        for row, subject in enumerate(wanted):
            places, values = state.objects[subject]
            probs[row, places] = values
        return probs.reshape(len(wanted), *state.shape)


_CHUNK = 64


def _subjects(rows: np.ndarray, spans: np.ndarray) -> list[Subject]:
    return list(zip(rows.tolist(), spans[:, 0].tolist(), spans[:, 1].tolist(), strict=True))
