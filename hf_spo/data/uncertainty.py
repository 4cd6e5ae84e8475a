"""Uncertainty of a model's triples, for active learning: which texts to annotate first."""

from collections.abc import Iterable
from math import log2
from typing import TYPE_CHECKING

from ..model.schema import Triple

if TYPE_CHECKING:
    # Formats use this module too.
    from .formats.base import Record


def uncertainty(triples: Iterable[Triple]) -> float:
    """Return the entropy in bits of the most uncertain triple, from 0 to 1 (at a score of 0.5).

    This is uncertainty sampling by entropy (Settles 2009, Active Learning Literature Survey, section 3.1) for a yes or
    no per triple. The maximum is taken because the sum prefers long texts, and the mean hides one uncertain triple
    among certain ones. Scores have to be probabilities: calibrate the model with `hf-spo tune`. A text without triples
    gets 0, since no score tells what the model missed; annotate a random sample of these texts as well.

    Raises:
        ValueError: a triple has no score, or a score outside 0 to 1.
    """
    return max((_entropy(triple.score) for triple in triples), default=0.0)


def by_uncertainty(records: Iterable["Record"]) -> list["Record"]:
    """Sort records by [`uncertainty`], the most uncertain first; equal ones keep their order.

    Raises:
        ValueError: a triple has no score, or a score outside 0 to 1.
    """
    return sorted(records, key=lambda record: uncertainty(record.triples), reverse=True)


def _entropy(score: float | None) -> float:
    if score is None:
        raise ValueError("a triple has no score; expected the predictions of a model")
    if not 0 <= score <= 1:
        raise ValueError(f"a triple's score is {score}; expected a probability from 0 to 1")
    return abs(sum(p * log2(p) for p in (score, 1 - score) if p > 0))
