"""How probabilities become triples: all that can be chosen, or tuned, about it."""

from dataclasses import dataclass, field
from enum import StrEnum

from .calibration import Calibration
from .schema import Thresholds


class SpanPairing(StrEnum):
    """Which starts and ends make spans.

    NEAREST: each start with the nearest end at or after it (bert4keras). EITHER: as well, each end with the nearest
    start at or before it, so that spans which share one border are both found. ALL: each start with every end at or
    after it.
    """

    NEAREST = "nearest"
    EITHER = "either"
    ALL = "all"


class Combination(StrEnum):
    """How models work together.

    AVERAGE: their probabilities are averaged; there is one group. UNION: triples that any group finds. VOTE: triples
    that at least `min_votes` groups find.
    """

    AVERAGE = "average"
    UNION = "union"
    VOTE = "vote"


@dataclass(frozen=True, slots=True)
class DecodingSettings:
    """How probabilities become triples.

    Args:
        thresholds: probabilities that borders have to exceed.
        span_pairing: which starts and ends make spans.
        calibration: map from scores to scores, before anything is compared with them.
        score_thresholds: the least score of a triple, for each relation of the schema or, if there is only one, for
            all; none by default.
    """

    thresholds: Thresholds = field(default_factory=Thresholds)
    span_pairing: SpanPairing = SpanPairing.NEAREST
    calibration: Calibration | None = None
    score_thresholds: tuple[float, ...] = ()
