"""Reliability of triple scores as probabilities, and the effect of a score threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

_BINS = 10
_STEPS = 50


@dataclass(frozen=True, slots=True)
class Bin:
    """Triples with similar scores: range, number, mean score and share of right triples."""

    low: float
    high: float
    count: int
    score: float
    right: float


@dataclass(frozen=True, slots=True)
class Binning:
    """Bins and their expected calibration error: the mean of |score − share of right triples|, weighted by number."""

    bins: tuple[Bin, ...]
    ece: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Calibration of scores.

    Args:
        triples: number of scored triples.
        equal_width: ten bins of the same range, without empty ones (Naeini et al. 2015, Obtaining Well Calibrated
            Probabilities Using Bayesian Binning; Guo et al. 2017, On Calibration of Modern Neural Networks).
        equal_mass: ten bins of about the same number of triples; equal scores share a bin (Nguyen and O'Connor 2015,
            Posterior Calibration).
        brier: mean of (score − 1)² over right and score² over wrong triples (Brier 1950).
    """

    triples: int
    equal_width: Binning
    equal_mass: Binning
    brier: float


@dataclass(frozen=True, slots=True)
class ThresholdPoint:
    """Precision, recall and F1 of the triples with at least this score."""

    threshold: float
    precision: float
    recall: float
    f1: float


def reliability(scores: Sequence[float] | np.ndarray, right: Sequence[bool] | np.ndarray) -> Reliability:
    """Measure the calibration of scores.

    Args:
        scores: of each triple, from 0 to 1.
        right: whether each triple is right.

    Raises:
        ValueError: there are no triples, or a score is not between 0 and 1.
    """
    values, hits = np.asarray(scores, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if not len(values):
        raise ValueError("no scored triples; expected at least one")
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"scores from {values.min()} to {values.max()}; expected probabilities from 0 to 1")
    order = np.argsort(values, kind="stable")
    values, hits = values[order], hits[order]
    edges = np.arange(_BINS + 1) / _BINS
    # Bins include their upper edge, as in Guo et al.; the first also includes 0.
    cuts = [0, *np.searchsorted(values, edges[1:-1], side="right").tolist(), len(values)]
    width = [
        _bin(values[a:b], hits[a:b], float(edges[index]), float(edges[index + 1]))
        for index, (a, b) in enumerate(pairwise(cuts))
        if b > a
    ]
    tenths = values[[len(values) * index // _BINS for index in range(_BINS)]]
    cuts = [*np.unique(np.searchsorted(values, tenths)).tolist(), len(values)]
    mass = [_bin(values[a:b], hits[a:b], float(values[a]), float(values[b - 1])) for a, b in pairwise(cuts)]
    return Reliability(len(values), _binning(width), _binning(mass), float(np.mean((values - hits) ** 2)))


def threshold_curve(scores: Sequence[float], right: Sequence[bool], gold: int) -> tuple[ThresholdPoint, ...]:
    """Return precision, recall and F1 at thresholds from 0 to 1, up to the last that keeps a triple."""
    values, hits = np.asarray(scores, dtype=np.float64), np.asarray(right, dtype=bool)
    points = []
    for threshold in (np.arange(_STEPS + 1) / _STEPS).tolist():
        kept = values >= threshold
        predicted, correct = int(kept.sum()), int(hits[kept].sum())
        if not predicted:
            break
        recall = correct / gold if gold else 0.0
        points.append(ThresholdPoint(threshold, correct / predicted, recall, 2 * correct / (predicted + gold)))
    return tuple(points)


def _bin(values: np.ndarray, hits: np.ndarray, low: float, high: float) -> Bin:
    return Bin(low, high, len(values), float(values.mean()), float(hits.mean()))


def _binning(bins: list[Bin]) -> Binning:
    count = sum(item.count for item in bins)
    return Binning(tuple(bins), sum(item.count * abs(item.score - item.right) for item in bins) / count)
