"""Settings of the decoder: thresholds, pairing of borders, calibration of scores."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .calibration import Calibration


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The probability that a border has to exceed, by stage and side."""

    subject_start: float = 0.5
    subject_end: float = 0.5
    object_start: float = 0.5
    object_end: float = 0.5

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"threshold {name}={value}: expected a probability from 0 to 1")


class SpanPairing(StrEnum):
    """Which starts and ends make spans.

    NEAREST: each start with the nearest end at or after it (bert4keras). EITHER: also each end with the nearest start
    at or before it, which finds spans that share a border. ALL: each start with every end at or after it.
    """

    NEAREST = "nearest"
    EITHER = "either"
    ALL = "all"


class Combination(StrEnum):
    """How an ensemble combines its models.

    AVERAGE: averages their probabilities; there is one group. UNION: keeps triples that any group finds. VOTE: keeps
    triples that at least `min_votes` groups find.
    """

    AVERAGE = "average"
    UNION = "union"
    VOTE = "vote"


@dataclass(frozen=True, slots=True)
class DecodingSettings:
    """Settings of the decoder.

    Args:
        thresholds: probabilities that borders have to exceed.
        span_pairing: which starts and ends make spans.
        calibration: map from raw to calibrated scores; score thresholds apply to calibrated ones.
        score_thresholds: lowest scores of triples, one for each relation of the schema or one for all; default: none.
    """

    thresholds: Thresholds = field(default_factory=Thresholds)
    span_pairing: SpanPairing = SpanPairing.NEAREST
    calibration: Calibration | None = None
    score_thresholds: tuple[float, ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "DecodingSettings":
        """Read the settings from a model's config, see [`DecodingConfig`]; missing fields have their defaults.

        Raises:
            ValueError: a value is out of range or unknown.
        """
        borders = {name: data[f"{name}_threshold"] for name in Thresholds.__slots__ if f"{name}_threshold" in data}
        pairing = data.get("span_pairing", SpanPairing.NEAREST)
        if pairing not in list(SpanPairing):
            raise ValueError(f"span_pairing={pairing!r}: expected one of {', '.join(SpanPairing)}")
        calibration, common = data.get("score_calibration"), data.get("score_threshold", 0.0)
        limits = data.get("relation_score_thresholds")
        for value in (common, *(limits or ())):
            if not 0 <= value <= 1:
                raise ValueError(f"score threshold {value}: expected a probability from 0 to 1")
        return cls(
            Thresholds(**borders),
            SpanPairing(pairing),
            None if calibration is None else Calibration.from_dict(calibration),
            tuple(limits) if limits is not None else (common,) if common > 0 else (),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as fields of a model's config."""
        one = len(self.score_thresholds) == 1
        return {
            **{f"{name}_threshold": getattr(self.thresholds, name) for name in Thresholds.__slots__},
            "span_pairing": self.span_pairing.value,
            "score_calibration": None if self.calibration is None else self.calibration.to_dict(),
            "score_threshold": self.score_thresholds[0] if one else 0.0,
            "relation_score_thresholds": None if one else list(self.score_thresholds) or None,
        }
