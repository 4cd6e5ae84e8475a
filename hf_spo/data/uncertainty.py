"""How much a text has to teach: the doubt in what a model found in it, for active learning."""

from collections.abc import Iterable
from math import log2
from typing import TYPE_CHECKING

from ..model.schema import Triple

if TYPE_CHECKING:
    # Formats use this module too.
    from .formats.base import Record


def uncertainty(triples: Iterable[Triple]) -> float:
    """Return the entropy in bits of the triple that is most in doubt: 0 where all is certain, 1 at a score of 0.5.

    This is uncertainty sampling by entropy (Settles 2009, Active Learning Literature Survey, section 3.1), where an
    annotator's answer to each triple is yes or no. The largest entropy rather than the sum, which would ask for the
    longest texts, or the mean, in which certain triples hide a doubtful one. Scores have to be probabilities, so
    calibrate the model (`hf-spo tune`). A text in which nothing was found gets 0: no score says how nearly a
    triple was found, so have some of these texts annotated at random, or what a model misses will not come up.

    Raises:
        ValueError: a triple has no score, or one that is no probability.
    """
    return max((_entropy(triple.score) for triple in triples), default=0.0)


def by_uncertainty(records: Iterable["Record"]) -> list["Record"]:
    """Return records, the most uncertain first and equal ones in the order given; see [`uncertainty`].

    Raises:
        ValueError: a triple has no score, or one that is no probability.
    """
    return sorted(records, key=lambda record: uncertainty(record.triples), reverse=True)


def _entropy(score: float | None) -> float:
    if score is None:
        raise ValueError("a triple has no score to tell how certain it is; expected what a model has found")
    if not 0 <= score <= 1:
        raise ValueError(f"a triple's score is {score}; expected a probability from 0 to 1")
    return abs(sum(p * log2(p) for p in (score, 1 - score) if p > 0))
