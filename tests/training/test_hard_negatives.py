import numpy as np
import pytest

from hf_spo.decoding_settings import SpanPairing
from hf_spo.training.hard_negatives import hard_negatives


def probabilities(*rows, length=8):
    """Return (B, L, 2) from (start, end, probability of both borders), some for each row."""
    probs = np.zeros((len(rows), length, 2), dtype=np.float32)
    for row, spans in enumerate(rows):
        for start, end, value in spans:
            probs[row, start, 0] = probs[row, end, 1] = value
    return probs


def find(probs, labelled=(), count=1, pointable=None, pairing=SpanPairing.NEAREST):
    pointable = np.ones(probs.shape[:2], dtype=bool) if pointable is None else pointable
    labelled = np.array(labelled, dtype=np.int64).reshape(-1, 3)
    rows, spans = hard_negatives(probs, pointable, labelled, count, pairing)
    assert spans.shape == (len(rows), 2)
    return [(row, *span) for row, span in zip(rows.tolist(), spans.tolist(), strict=True)]


def test_the_best_scored_come_first_and_labelled_ones_not_at_all():
    probs = probabilities([(1, 2, 0.95), (3, 3, 0.2), (5, 6, 0.6)], [(2, 4, 0.3)])
    assert find(probs, [(0, 1, 2)], 1) == [(0, 5, 6), (1, 2, 4)]
    assert find(probs, [(0, 1, 2)], 2) == [(0, 5, 6), (0, 3, 3), (1, 2, 4)]
    assert find(probs, [(0, 1, 2), (0, 5, 6), (0, 3, 3)], 5) == [(1, 2, 4)]


def test_a_subject_of_another_text_is_a_mistake_here():
    assert find(probabilities([(1, 2, 0.9)], []), [(1, 1, 2)]) == [(0, 1, 2)]


def test_wrong_borders_are_mistakes():
    assert find(probabilities([(1, 3, 0.9)]), [(0, 1, 2), (0, 3, 3)]) == [(0, 1, 3)]


def test_pairing_is_that_of_extraction():
    probs, labelled = probabilities([(1, 2, 0.9), (4, 5, 0.9)]), [(0, 1, 2), (0, 4, 5)]
    assert find(probs, labelled) == []
    assert find(probs, labelled, pairing=SpanPairing.ALL) == [(0, 1, 5)]


def test_only_where_a_subject_may_be():
    pointable = np.ones((1, 8), dtype=bool)
    pointable[0, 1] = False
    assert find(probabilities([(1, 1, 0.9), (4, 4, 0.3)]), pointable=pointable) == [(0, 4, 4)]


@pytest.mark.parametrize("probs", [probabilities([], []), probabilities([(1, 1, 0.05)]), np.zeros((0, 8, 2))])
def test_nothing_is_found_where_nothing_is_likely(probs):
    assert find(probs) == []
