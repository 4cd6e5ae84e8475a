"""Subjects that a model finds and nobody labelled."""

import numpy as np

from ..decoding import decode_subjects
from ..decoding_settings import SpanPairing
from ..schema import Thresholds

_THRESHOLD = 0.1
"""Lower than that of extraction, so that near misses are mended before they are mistakes."""


def hard_negatives(
    probs: np.ndarray, pointable: np.ndarray, labelled: np.ndarray, count: int, pairing: SpanPairing
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best scored spans of each text that are no labelled subject, `count` at most.

    Args:
        probs: of subjects' borders. *Shape:* (B, L, 2)
        pointable: tokens that may be borders. *Shape:* (B, L)
        labelled: row, first and last token of each labelled subject. *Shape:* (G, 3)
        count: spans for each text.
        pairing: which borders make spans, as in extraction.

    Returns:
        Rows (M,) and spans (M, 2).
    """
    found = decode_subjects(probs, pointable, Thresholds(_THRESHOLD, _THRESHOLD), pairing)
    subjects = np.column_stack([found.rows, found.spans])
    wrong = ~(subjects[:, None] == labelled[None]).all(-1).any(-1)
    subjects, scores = subjects[wrong], found.scores[wrong]
    subjects = subjects[np.lexsort((-scores, subjects[:, 0]))]
    # How many of the same text stand before each one.
    rank = np.arange(len(subjects)) - np.searchsorted(subjects[:, 0], subjects[:, 0])
    kept = subjects[rank < count]
    return kept[:, 0], kept[:, 1:]
