"""Calibration: maps from a model's triple scores to the probability that such a triple is right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np


class CalibrationMethod(StrEnum):
    """Methods of calibration.

    TEMPERATURE: sigmoid(scale · logit(score) + shift), two parameters, for a few hundred triples or more (Platt 1999;
    Guo et al. 2017, arXiv:1706.04599, with a shift). ISOTONIC: the best non-decreasing map, for a few thousand or more
    (Zadrozny & Elkan 2002).
    """

    TEMPERATURE = "temperature"
    ISOTONIC = "isotonic"


@dataclass(frozen=True, slots=True)
class Calibration:
    """A non-decreasing map from scores to scores.

    Args:
        method: how it was fitted.
        values: of an isotonic map, at the knots `scores`, linear between them; of temperature, scale and shift.
        scores: the knots of an isotonic map.

    Raises:
        ValueError: the values do not make such a map.
    """

    method: CalibrationMethod
    values: tuple[float, ...]
    scores: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        values, scores = np.asarray(self.values), np.asarray(self.scores)
        if not (np.isfinite(values).all() and np.isfinite(scores).all()):
            raise ValueError("calibration: expected finite numbers")
        if self.method == CalibrationMethod.TEMPERATURE:
            if len(values) != 2 or len(scores) or values[0] <= 0:
                raise ValueError(f"temperature calibration: expected a positive scale and a shift, got {self.values}")
        elif (
            not len(values) or len(values) != len(scores) or (np.diff(scores) <= 0).any() or (np.diff(values) < 0).any()
        ):
            raise ValueError(
                "isotonic calibration: expected as many values as scores, with increasing scores and non-decreasing "
                f"values; got {len(values)} values and {len(scores)} scores"
            )

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Map scores. *Shape:* any → the same."""
        if self.method == CalibrationMethod.TEMPERATURE:
            scale, shift = self.values
            return _sigmoid(scale * _logit(scores) + shift)
        mapped: np.ndarray = np.interp(scores, self.scores, self.values)
        return mapped

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        knots = {"scores": list(self.scores)} if self.scores else {}
        return {"method": self.method.value, **knots, "values": list(self.values)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Calibration":
        """Read the JSON form.

        Raises:
            ValueError: a field is missing, or has a wrong value.
        """
        method, values, scores = data.get("method"), data.get("values"), data.get("scores", ())
        if method not in list(CalibrationMethod):
            raise ValueError(f"calibration method {method!r}: expected {' or '.join(CalibrationMethod)}")
        try:
            return cls(CalibrationMethod(method), tuple(map(float, values or ())), tuple(map(float, scores)))
        except TypeError:
            raise ValueError(f"calibration: expected lists of numbers, got {dict(data)!r:.80}") from None


def fit_calibration(scores: Sequence[float], correct: Sequence[bool], method: CalibrationMethod) -> Calibration:
    """Fit a map from scores to the share of triples that are right.

    *Shape:* scores and correct (N,).

    Raises:
        ValueError: there are too few triples, or all are right, or all are wrong.
    """
    x, y = np.asarray(scores, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    if len(x) < _LEAST or y.min(initial=1) == y.max(initial=0):
        raise ValueError(
            f"got {len(x)} triples, {int(y.sum())} of them right; calibration needs at least {_LEAST}, some right and "
            f"some wrong: pass more labelled texts, or switch calibration off"
        )
    return _fit_temperature(x, y) if method == CalibrationMethod.TEMPERATURE else _fit_isotonic(x, y)


_LEAST = 20


def _fit_temperature(x: np.ndarray, y: np.ndarray) -> Calibration:
    """Fit scale and shift by Newton's method on the cross-entropy, with Platt's softened targets."""
    positives = y.sum()
    targets = np.where(y > 0, (positives + 1) / (positives + 2), 1 / (len(y) - positives + 2))
    design = np.stack([_logit(x), np.ones_like(x)], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(100):
        probs = _sigmoid(design @ weights)
        gradient = design.T @ (probs - targets)
        hessian = (design * (probs * (1 - probs))[:, None]).T @ design + 1e-6 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        # Limited steps, so that the first ones do not overshoot where most scores are near 0 or 1.
        weights = weights - step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-9:
            break
    return Calibration(CalibrationMethod.TEMPERATURE, (max(float(weights[0]), 1e-3), float(weights[1])))


def _fit_isotonic(x: np.ndarray, y: np.ndarray) -> Calibration:
    """Fit by pooling adjacent violators; a knot at each pool's mean score."""
    order = np.argsort(x, kind="stable")
    # Equal scores are one point. Each pool holds its weight, its mean score and its mean value.
    points, inverse, counts = np.unique(x[order], return_inverse=True, return_counts=True)
    means = np.bincount(inverse, weights=y[order]) / counts
    pools: list[tuple[float, float, float]] = []
    for weight, score, value in zip(counts.tolist(), points.tolist(), means.tolist(), strict=True):
        pool = (float(weight), score, value)
        while pools and pools[-1][2] >= pool[2]:
            before = pools.pop()
            total = before[0] + pool[0]
            score, value = ((before[0] * before[i] + pool[0] * pool[i]) / total for i in (1, 2))
            pool = (total, score, value)
        pools.append(pool)
    # Laplace smoothing with one right and one wrong triple a pool: five right triples of five do not mean certainty.
    values = [(weight * value + 1) / (weight + 2) for weight, _, value in pools]
    smooth = np.maximum.accumulate(values)
    return Calibration(CalibrationMethod.ISOTONIC, tuple(smooth.tolist()), tuple(score for _, score, _ in pools))


def _logit(scores: np.ndarray) -> np.ndarray:
    clipped = np.clip(scores, 1e-6, 1 - 1e-6)
    odds: np.ndarray = np.log(clipped) - np.log1p(-clipped)
    return odds


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    probs: np.ndarray = 1 / (1 + np.exp(-logits))
    return probs
