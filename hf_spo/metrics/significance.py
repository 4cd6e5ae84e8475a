"""Confidence intervals of scores, and significance tests of two systems on the same texts.

The unit of resampling is the text, since errors in triples of one text are not independent. All functions take the
counts of each text, an array of *shape* (T, 4): right predictions, predictions, found gold triples, gold triples.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from .triple_f1 import RATIOS

_AT_ONCE = 1 << 20
"""Texts drawn in one array, to bound memory."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % confidence interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """One ratio of two systems, compared.

    Args:
        first, second: the ratio of each system.
        interval: 95 % interval of second − first, by paired bootstrap.
        better: share of the bootstrap samples in which the second system is better; ties count half.
        p_value: two-sided p-value of the difference, by approximate randomisation.
    """

    first: float
    second: float
    interval: Interval
    better: float
    p_value: float

    @property
    def difference(self) -> float:
        """Second − first."""
        return self.second - self.first

    def to_dict(self) -> dict[str, float | list[float]]:
        """Return plain values for JSON."""
        return {**asdict(self), "difference": self.difference, "interval": [self.interval.low, self.interval.high]}


def ratios(counts: np.ndarray) -> np.ndarray:
    """Return precision, recall and F1 of summed counts; 0 for an empty denominator. *Shape:* (…, 4) → (…, 3)."""
    right, predicted, found, gold = np.moveaxis(np.asarray(counts, dtype=np.float64), -1, 0)
    precision, recall = _divided(right, predicted), _divided(found, gold)
    return np.stack([precision, recall, _divided(2 * precision * recall, precision + recall)], axis=-1)


def bootstrap(counts: np.ndarray, samples: int = 1000, seed: int = 0) -> dict[str, Interval]:
    """Return 95 % intervals of precision, recall and F1 by bootstrap over texts.

    Percentile method of Efron 1979, Bootstrap Methods: Another Look at the Jackknife.

    Raises:
        ValueError: there are no texts, or `samples` is below 1.
    """
    _check(counts, samples)
    rng = np.random.default_rng(seed)
    drawn = np.concatenate([counts[rows].sum(axis=1) for rows in _resampled(rng, len(counts), samples)])
    return dict(zip(RATIOS, _intervals(ratios(drawn)), strict=True))


def compare(first: np.ndarray, second: np.ndarray, samples: int = 10_000, seed: int = 0) -> dict[str, Difference]:
    """Compare precision, recall and F1 of two systems on the same texts.

    Paired bootstrap: Koehn 2004, Statistical Significance Tests for Machine Translation Evaluation. Approximate
    randomisation, which exchanges the predictions of the two systems text by text: Noreen 1989, Computer-Intensive
    Methods for Testing Hypotheses; Yeh 2000, More Accurate Tests for the Statistical Significance of Differences.

    Raises:
        ValueError: the numbers of texts differ or are 0, or `samples` is below 1.
    """
    if len(first) != len(second):
        raise ValueError(f"got {len(first)} and {len(second)} texts: expected the same texts for both systems")
    _check(first, samples)
    rng = np.random.default_rng(seed)
    both = np.stack([first, second], axis=1)
    drawn = np.concatenate([ratios(both[rows].sum(axis=1)) for rows in _resampled(rng, len(both), samples)])
    ahead = drawn[:, 1] - drawn[:, 0]
    scores = ratios(both.sum(axis=0))
    better = (ahead > 0).mean(axis=0) + (ahead == 0).mean(axis=0) / 2
    p_values = _randomised(rng, both, scores[1] - scores[0], samples)
    columns = scores[0].tolist(), scores[1].tolist(), _intervals(ahead), better.tolist(), p_values.tolist()
    return {name: Difference(*row) for name, row in zip(RATIOS, zip(*columns, strict=True), strict=True)}


def _randomised(rng: np.random.Generator, both: np.ndarray, observed: np.ndarray, samples: int) -> np.ndarray:
    """Return p-values. *Shape:* both (T, 2, 4), observed (3,) → (3,)."""
    change = both[:, 1] - both[:, 0]
    first, second = both[:, 0].sum(axis=0), both[:, 1].sum(axis=0)
    extreme = np.zeros(len(RATIOS))
    for size in _portions(len(both), samples):
        swapped = rng.integers(2, size=(size, len(both))) @ change
        ahead = ratios(second - swapped) - ratios(first + swapped)
        # Sums of the same numbers in another order may differ in the last bit.
        extreme += (np.abs(ahead) >= np.abs(observed) - 1e-12).sum(axis=0)
    p_values: np.ndarray = (extreme + 1) / (samples + 1)
    return p_values


def _resampled(rng: np.random.Generator, texts: int, samples: int) -> Iterator[np.ndarray]:
    for size in _portions(texts, samples):
        yield rng.integers(texts, size=(size, texts))


def _portions(texts: int, samples: int) -> Iterator[int]:
    size = max(1, _AT_ONCE // texts)
    yield from (min(size, samples - done) for done in range(0, samples, size))


def _intervals(values: np.ndarray) -> list[Interval]:
    low, high = np.percentile(values, [2.5, 97.5], axis=0)
    return [Interval(float(a), float(b)) for a, b in zip(low, high, strict=True)]


def _divided(number: np.ndarray, by: np.ndarray) -> np.ndarray:
    quotient: np.ndarray = np.divide(number, by, out=np.zeros_like(number), where=by > 0)
    return quotient


def _check(counts: np.ndarray, samples: int) -> None:
    if not len(counts) or samples < 1:
        raise ValueError(f"got {len(counts)} texts and {samples} samples: expected at least one of each")
