"""Search for the thresholds and the calibration of a trained model, on labelled texts outside its training data."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import compress
from typing import Any

import numpy as np

from ..metrics import TripleScore, TripleScorer, judge
from ..metrics.reliability import reliability
from ..metrics.triple_f1 import score_predictions, total
from ..model.calibration import Calibration, CalibrationMethod, fit_calibration
from ..model.decoding_settings import DecodingSettings, Thresholds
from ..model.ensemble import EnsembleExtractor
from ..model.extraction import PointerBackend, TripleExtractor
from ..model.schema import Example, Schema, Triple
from .recording import RecordedBackend

FOLDS = 5
"""Parts of the cross-validation, by default; each needs at least two texts."""

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
"""Border thresholds that are tried."""


@dataclass(frozen=True, slots=True)
class Found:
    """Triples found in labelled texts with certain border thresholds, each triple once a text.

    *Shape:* texts, scores, correct, relations (K,): text, score, correctness and relation of each triple; gold (T,):
    number of gold triples of each text.
    """

    texts: np.ndarray
    scores: np.ndarray
    correct: np.ndarray
    relations: np.ndarray
    gold: np.ndarray

    def of(self, chosen: np.ndarray) -> "Found":
        """Return the triples of some texts. *Shape:* chosen (T,), a mask of the texts."""
        return replace(self.only(chosen[self.texts]), gold=np.where(chosen, self.gold, 0))

    def only(self, kept: np.ndarray) -> "Found":
        """Return some of the triples. *Shape:* kept (K,), a mask."""
        return Found(self.texts[kept], self.scores[kept], self.correct[kept], self.relations[kept], self.gold)

    def score(self, kept: np.ndarray) -> TripleScore:
        """Score some of the triples. *Shape:* kept (K,), a mask."""
        correct = self.correct[kept]
        return TripleScore(int(correct.sum()), len(correct), int(self.gold.sum()))

    def cuts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the distinct scores, and the numbers of triples and of right triples with at least each score."""
        order = np.argsort(-self.scores, kind="stable")
        scores, correct = self.scores[order], np.cumsum(self.correct[order])
        last = np.append(scores[1:] != scores[:-1], True) if len(scores) else np.zeros(0, dtype=bool)
        return scores[last], np.flatnonzero(last) + 1, correct[last]


@dataclass(frozen=True, slots=True)
class Choice:
    """Border thresholds, and thresholds of the raw triple score, one for all relations or one for each.

    `value` is what is maximised: F1, or recall at the required precision; negative if that precision is not reached.
    """

    borders: Thresholds
    limits: tuple[float, ...]
    value: float

    def kept(self, found: Found) -> np.ndarray:
        """Return a mask of the triples that are kept. *Shape:* (K,)."""
        limits = np.asarray(self.limits)
        return np.asarray(found.scores >= (limits[found.relations] if len(limits) > 1 else limits[0]))


@dataclass(frozen=True, slots=True)
class Tuning:
    """Result of a search.

    Args:
        settings: to save in the model's config.
        choice: the kind of settings: "as it is", "one score threshold" or "a score threshold a relation".
        before, after: strict scores on the texts with the model's previous settings and with these. `after` is
            optimistic, since the search used the same texts.
        cross_validated: strict scores of each kind of settings, where the settings for the texts of one fold are chosen
            on the other folds. They estimate the scores on new texts.
        ece_before, ece_after: expected calibration error of raw and of calibrated scores, also cross-validated.
    """

    settings: DecodingSettings
    choice: str
    before: TripleScore
    after: TripleScore
    cross_validated: dict[str, TripleScore]
    ece_before: float | None = None
    ece_after: float | None = None

    @property
    def expected(self) -> TripleScore:
        """The cross-validated score of the choice, an estimate for new texts."""
        return self.cross_validated[self.choice]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        calibration = self.settings.calibration
        return {
            "choice": self.choice,
            "thresholds": asdict(self.settings.thresholds),
            "score_thresholds": list(self.settings.score_thresholds),
            "calibration": None if calibration is None else calibration.to_dict(),
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "cross_validated": {name: score.to_dict() for name, score in self.cross_validated.items()},
            "ece_before": self.ece_before,
            "ece_after": self.ece_after,
        }


AS_IT_IS, ONE, BY_RELATION = "as it is", "one score threshold", "a score threshold a relation"


@dataclass
class Tuner:
    """Search border thresholds, score thresholds and a calibration.

    The search starts from the best common border threshold and varies each border's in turn until none improves the
    score; for each choice of borders the best score threshold follows from one pass over the sorted triples. A
    relation's own score threshold is drawn towards the common one as if that came from `shrinkage` more triples. The
    result is the choice ("as it is", one score threshold, one a relation) that does best in cross-validation, the
    simplest of equals.

    Args:
        extractor: of the model or the ensemble; see [`make_extractor`].
        examples: labelled texts outside the training data.
        schema: the relations of the model.
        min_precision: maximise recall at this precision instead of F1.
        method: of calibration; None for none.
        folds: number of folds of the cross-validation.
        shrinkage: weight of the common score threshold, in triples.
        batch_size: maximum number of texts in one forward pass.
        on_step: called with the number of border thresholds tried, after each.
    """

    extractor: TripleExtractor | EnsembleExtractor
    examples: Sequence[Example]
    schema: Schema
    min_precision: float | None = None
    method: CalibrationMethod | None = CalibrationMethod.ISOTONIC
    folds: int = FOLDS
    shrinkage: float = 50.0
    batch_size: int | None = None
    on_step: Callable[[int], object] | None = None
    _found: dict[Thresholds, Found] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if len(self.examples) < 2 * self.folds:
            raise ValueError(f"got {len(self.examples)} labelled texts, expected at least {2 * self.folds}")
        if self.min_precision is not None and not 0 < self.min_precision < 1:
            raise ValueError(f"min_precision={self.min_precision}: expected a share between 0 and 1, both excluded")
        self._own: DecodingSettings = self.extractor.decoding
        pairing = self._own.span_pairing

        def record(backend: PointerBackend) -> PointerBackend:
            return RecordedBackend(backend, LEVELS, pairing)

        self._recorded = self.extractor.with_backend(record)

    def run(self) -> Tuning:
        """Search.

        Raises:
            ValueError: no threshold reaches the required precision, or there are too few triples to calibrate.
        """
        everything = np.ones(len(self.examples), dtype=bool)
        before = score_predictions(self.examples, self._own_triples)
        crossed, calibration_errors = self._cross_validate()
        names = list(crossed)
        # `max` returns the first of equal values, which is the simplest.
        chosen = max(names, key=lambda name: crossed[name].f1) if self.min_precision is None else names[-1]
        if chosen != AS_IT_IS:
            settings = self._settings(self._choose(everything, by_relation=chosen == BY_RELATION))
        elif self._own.score_thresholds:  # they belong to the present calibration
            settings = self._own
        else:
            settings = self._settings(Choice(self._own.thresholds, (0.0,), 0.0))
        after = score_predictions(self.examples, self._extract(settings))
        return Tuning(settings, chosen, before, after, crossed, *calibration_errors)

    def found(self, borders: Thresholds) -> Found:
        """Return the triples found with border thresholds, whatever their scores."""
        if borders not in self._found:
            settings = DecodingSettings(borders, self._own.span_pairing)
            self._found[borders] = _compare(self.examples, self._extract(settings), self.schema)
            if self.on_step is not None:
                self.on_step(len(self._found))
        return self._found[borders]

    def _extract(self, settings: DecodingSettings) -> Iterator[list[Triple]]:
        texts = (example.text for example in self.examples)
        results: Iterator[list[Triple]] = self._recorded.redecoded(settings)(texts, self.batch_size)
        return results

    def _choose(self, texts: np.ndarray, by_relation: bool) -> Choice:
        """Choose settings on some texts. *Shape:* texts (T,), a mask."""

        def best(borders: Thresholds) -> Choice:
            return self._best_cut(borders, self.found(borders).of(texts))

        # Try common levels first: if nothing is found, changing a single threshold may not help.
        starts = [self._own.thresholds, *(Thresholds(level, level, level, level) for level in LEVELS)]
        choice = max(map(best, starts), key=lambda choice: choice.value)
        improved = True
        while improved:
            improved = False
            for name in Thresholds.__slots__:
                for level in LEVELS:
                    other = best(replace(choice.borders, **{name: level}))
                    if other.value > choice.value:
                        choice, improved = other, True
        if by_relation and self.min_precision is None:
            return self._by_relation(choice, self.found(choice.borders).of(texts))
        return choice

    def _best_cut(self, borders: Thresholds, found: Found) -> Choice:
        """Find the score threshold with the best F1, or the best recall at the required precision."""
        limits, predicted, correct = found.cuts()
        gold = max(int(found.gold.sum()), 1)
        if not len(limits):
            return Choice(borders, (0.0,), 0.0 if self.min_precision is None else -1.0)
        values = 2 * correct / (predicted + gold)
        if self.min_precision is not None:
            precision = np.where(predicted >= _LEAST, correct / predicted, 0.0)
            # Below the required precision, a higher precision is better, so that the search approaches it.
            values = np.where(precision >= self.min_precision, correct / gold, precision - 1)
        at = int(values.argmax())
        # If all triples are kept, no threshold is needed.
        limit = 0.0 if at == len(limits) - 1 else float(limits[at])
        return Choice(borders, (limit,), float(values[at]))

    def _by_relation(self, choice: Choice, found: Found) -> Choice:
        """Choose a threshold for each relation, close to the common one for relations with few triples.

        A triple increases F1 if its probability of being right is above half the F1 reached (Lipton et al. 2014,
        arXiv:1402.1892), so the best threshold of a relation maximises the number of right triples minus F1 / 2 times
        the number of triples.
        """
        (common,) = choice.limits
        limits = np.full(len(self.schema), common)
        for relation in np.unique(found.relations):
            own = found.relations == relation
            scores, predicted, correct = found.only(own).cuts()
            gains = correct - choice.value / 2 * predicted
            at = int(gains.argmax())
            best = 1.0 if gains[at] <= 0 else 0.0 if at == len(scores) - 1 else float(scores[at])
            limits[relation] = (own.sum() * best + self.shrinkage * common) / (own.sum() + self.shrinkage)
        return Choice(choice.borders, tuple(limits.tolist()), choice.value)

    def _cross_validate(self) -> tuple[dict[str, TripleScore], list[float]]:
        """Return the score of each kind of settings and, if calibrated, the errors of raw and calibrated scores."""
        ways = [ONE] if self.min_precision is not None else [AS_IT_IS, ONE, BY_RELATION]
        parts: dict[str, list[TripleScore]] = {way: [] for way in ways}
        calibrated: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        # Neighbouring texts of a file may be related; they go to different folds.
        fold_of = np.arange(len(self.examples)) % self.folds
        for fold in range(self.folds):
            seen = fold_of != fold
            for way in ways:
                if way == AS_IT_IS:
                    score = score_predictions(compress(self.examples, ~seen), compress(self._own_triples, ~seen))
                else:
                    choice = self._choose(seen, by_relation=way == BY_RELATION)
                    rest = self.found(choice.borders).of(~seen)
                    score = rest.score(choice.kept(rest))
                    if way == ONE and self.method is not None:
                        calibration = self._calibration(self.found(choice.borders).of(seen))
                        calibrated.append((rest.scores, calibration(rest.scores), rest.correct))
                parts[way].append(score)
        errors = []
        if calibrated:
            raw, mapped, correct = (np.concatenate(arrays) for arrays in zip(*calibrated, strict=True))
            errors = [reliability(values, correct).equal_mass.ece for values in (raw, mapped)]
        return {way: total(scores) for way, scores in parts.items()}, errors

    @cached_property
    def _own_triples(self) -> list[list[Triple]]:
        return list(self._extract(self._own))

    def _calibration(self, found: Found) -> Calibration:
        assert self.method is not None
        return fit_calibration(found.scores.tolist(), found.correct.tolist(), self.method)

    def _settings(self, choice: Choice) -> DecodingSettings:
        if self.min_precision is not None and choice.value <= 0:
            raise ValueError(
                f"no thresholds reach a precision of {self.min_precision} on {len(self.examples)} texts with at least "
                f"{_LEAST} triples found; the highest is {1 + min(choice.value, 0):.3f}: lower min_precision, or "
                f"improve the model"
            )
        calibration = None if self.method is None else self._calibration(self.found(choice.borders))
        limits = np.asarray(choice.limits)
        # The saved thresholds apply to calibrated scores.
        mapped = limits if calibration is None else np.where(limits > 0, calibration(limits), 0.0)
        kept = tuple(np.clip(mapped, 0, 1).tolist()) if mapped.any() else ()
        return DecodingSettings(choice.borders, self._own.span_pairing, calibration, kept)


_LEAST = 20
"""Triples needed to estimate a precision."""


def _compare(examples: Sequence[Example], found: Iterator[list[Triple]], schema: Schema) -> Found:
    scorer = TripleScorer()
    rows: list[tuple[int, float, bool, int]] = []  # in the order of the fields of `Found`
    gold = []
    for index, (example, triples) in enumerate(zip(examples, found, strict=True)):
        judgement = judge(example, triples, scorer)
        gold.append(len(judgement.gold))
        for right, group in ((True, [ours for ours, _ in judgement.right]), (False, judgement.wrong)):
            for triple in group:
                relation = schema.find(triple.predicate, triple.subject.type, triple.object.type)
                rows.append((index, triple.score or 0.0, right, relation))
    table = np.array(
        rows, dtype=[("texts", np.int64), ("scores", np.float64), ("correct", bool), ("relations", np.int64)]
    )
    texts, scores, correct, relations = (np.ascontiguousarray(table[name]) for name in table.dtype.names or ())
    return Found(texts, scores, correct, relations, np.array(gold, dtype=np.int64))
