"""Thresholds and calibration of a trained model, found on labelled texts that it was not trained on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..metrics import TripleScore, TripleScorer, judge
from ..metrics.reliability import reliability
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
    """What one choice of borders finds in labelled texts, each triple once a text.

    *Shape:* texts, scores, correct, relations (K,), the text, score and relation of each triple and whether it is
    right; gold (T,), the number of triples that each text states.
    """

    texts: np.ndarray
    scores: np.ndarray
    correct: np.ndarray
    relations: np.ndarray
    gold: np.ndarray

    def of(self, chosen: np.ndarray) -> "Found":
        """Return what is found in some of the texts. *Shape:* chosen (T,), whether a text is one of them."""
        kept = chosen[self.texts]
        gold = np.where(chosen, self.gold, 0)
        return Found(self.texts[kept], self.scores[kept], self.correct[kept], self.relations[kept], gold)

    def score(self, kept: np.ndarray | slice = slice(None)) -> TripleScore:
        """Score the triples, or some of them. *Shape:* kept (K,)."""
        correct = self.correct[kept]
        return TripleScore(int(correct.sum()), len(correct), int(self.gold.sum()))

    def cuts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return each score to cut at, and the numbers of triples and of right ones that score at least as much."""
        order = np.argsort(-self.scores, kind="stable")
        scores, correct = self.scores[order], np.cumsum(self.correct[order])
        last = np.append(scores[1:] != scores[:-1], True) if len(scores) else np.zeros(0, dtype=bool)
        return scores[last], np.flatnonzero(last) + 1, correct[last]


@dataclass(frozen=True, slots=True)
class Choice:
    """Borders, and the least raw score of a triple, for each relation or for all.

    `value` is what the choice was made by: F1, or recall at the precision asked for; below 0 if that is out of reach.
    """

    borders: Thresholds
    limits: tuple[float, ...]
    value: float

    def kept(self, found: Found) -> np.ndarray:
        """Return which triples are kept. *Shape:* (K,)."""
        limits = np.asarray(self.limits)
        return np.asarray(found.scores >= (limits[found.relations] if len(limits) > 1 else limits[0]))


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a search found.

    Args:
        settings: to be saved in a model's config.
        choice: "as it is", "one score threshold" or "a score threshold a relation".
        before, after: strict scores on the texts, with the model's own settings and with these. The search saw the
            texts, so `after` flatters it.
        cross_validated: strict scores of each way to choose, where the texts of one fold are scored by what was chosen
            on the others: what to expect on new texts.
        ece_before, ece_after: expected calibration error of raw and of calibrated scores, cross-validated alike.
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
        """The cross-validated score of the choice: what to expect on new texts."""
        return self.cross_validated[self.choice]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
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
        extractor: the loop of the model or the ensemble; see [`make_extractor`].
        examples: labelled texts that the model was not trained on.
        schema: the model's relations.
        min_precision: maximise recall at this precision rather than F1.
        method: of calibration; None for none.
        folds: of the cross-validation.
        shrinkage: in triples.
        batch_size: at most this many texts in one forward pass.
        on_step: told the number of settings tried, after each.
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
            raise ValueError(f"{len(self.examples)} labelled texts are too few; expected at least {2 * self.folds}")
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
            ValueError: no threshold gives the precision asked for, or there are too few triples to calibrate by.
        """
        everything = np.ones(len(self.examples), dtype=bool)
        before = self._measure(self._own)
        crossed, calibrated = self._cross_validate()
        names = list(crossed)
        # Dictionaries keep their order: of equals, the simplest.
        chosen = max(names, key=lambda name: crossed[name].f1) if self.min_precision is None else names[-1]
        if chosen != AS_IT_IS:
            settings = self._settings(self._choose(everything, by_relation=chosen == BY_RELATION))
        elif self._own.score_thresholds:  # which go with the calibration that there is
            settings = self._own
        else:
            settings = self._settings(Choice(self._own.thresholds, (0.0,), 0.0))
        errors: tuple[float | None, float | None] = (None, None)
        if calibrated is not None:
            raw, mapped, correct = calibrated
            errors = tuple(reliability(values, correct).equal_mass.ece for values in (raw, mapped))  # type: ignore[assignment]  # two
        return Tuning(settings, chosen, before, self._measure(settings), crossed, *errors)

    def found(self, borders: Thresholds) -> Found:
        """Return what a choice of borders finds, whatever it scores."""
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

    def _measure(self, settings: DecodingSettings) -> TripleScore:
        scorer = TripleScorer()
        for example, triples in zip(self.examples, self._extract(settings), strict=True):
            scorer.add(example.judged(triples), example.triples)
        return scorer.score()

    def _choose(self, texts: np.ndarray, by_relation: bool) -> Choice:
        """Choose by some of the texts. *Shape:* texts (T,), whether a text is one of them."""

        def best(borders: Thresholds) -> Choice:
            return self._best_cut(borders, self.found(borders).of(texts))

        # From the best common level: where nothing is found at first, no single threshold changes that.
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
        """Find the score threshold that gives the best F1, or the best recall at the precision asked for."""
        limits, predicted, correct = found.cuts()
        gold = max(int(found.gold.sum()), 1)
        if not len(limits):
            return Choice(borders, (0.0,), 0.0 if self.min_precision is None else -1.0)
        values = 2 * correct / (predicted + gold)
        if self.min_precision is not None:
            precision = np.where(predicted >= _LEAST, correct / predicted, 0.0)
            # Out of reach, so that the search climbs towards it, closer is better.
            values = np.where(precision >= self.min_precision, correct / gold, precision - 1)
        at = int(values.argmax())
        # Nothing is to be cut off where all that was found is kept.
        limit = 0.0 if at == len(limits) - 1 else float(limits[at])
        return Choice(borders, (limit,), float(values[at]))

    def _by_relation(self, choice: Choice, found: Found) -> Choice:
        """Give each relation a threshold of its own, as far as its triples warrant it.

        For F1 a triple is worth keeping if it is right with a probability above half the F1 reached (Lipton et al.
        2014, arXiv:1402.1892), so the best cut of a relation maximises right ones minus that share of all.
        """
        (common,) = choice.limits
        limits = np.full(len(self.schema), common)
        for relation in np.unique(found.relations):
            own = found.relations == relation
            scores, predicted, correct = Found(
                found.texts[own], found.scores[own], found.correct[own], found.relations[own], found.gold
            ).cuts()
            gains = correct - choice.value / 2 * predicted
            at = int(gains.argmax())
            best = 1.0 if gains[at] <= 0 else 0.0 if at == len(scores) - 1 else float(scores[at])
            limits[relation] = (own.sum() * best + self.shrinkage * common) / (own.sum() + self.shrinkage)
        return Choice(choice.borders, tuple(limits.tolist()), choice.value)

    def _cross_validate(self) -> tuple[dict[str, TripleScore], tuple[Any, Any, Any] | None]:
        ways = [ONE] if self.min_precision is not None else [AS_IT_IS, ONE, BY_RELATION]
        counts = {way: np.zeros(3, dtype=np.int64) for way in ways}
        calibrated: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        # The order of a data file may mean something; neighbours go to different folds.
        fold_of = np.arange(len(self.examples)) % self.folds
        for fold in range(self.folds):
            seen = fold_of != fold
            for way in ways:
                if way == AS_IT_IS:
                    score = self._own_score(~seen)
                else:
                    choice = self._choose(seen, by_relation=way == BY_RELATION)
                    rest = self.found(choice.borders).of(~seen)
                    score = rest.score(choice.kept(rest))
                    if way == ONE and self.method is not None:
                        calibration = self._calibration(self.found(choice.borders).of(seen))
                        calibrated.append((rest.scores, calibration(rest.scores), rest.correct))
                counts[way] += score.correct, score.predicted, score.gold
        pooled = tuple(np.concatenate(parts) for parts in zip(*calibrated, strict=True)) if calibrated else None
        scores = {way: TripleScore(*map(int, numbers)) for way, numbers in counts.items()}
        return scores, pooled  # type: ignore[return-value]  # three arrays

    def _own_score(self, texts: np.ndarray) -> TripleScore:
        scorer = TripleScorer()
        own = self._own_triples
        for index in np.flatnonzero(texts).tolist():
            scorer.add(self.examples[index].judged(own[index]), self.examples[index].triples)
        return scorer.score()

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
                f"{_LEAST} triples found; the highest is {1 + min(choice.value, 0):.3f}: ask for less, or train on"
            )
        calibration = None if self.method is None else self._calibration(self.found(choice.borders))
        limits = np.asarray(choice.limits)
        # Thresholds are compared with scores as users see them.
        mapped = limits if calibration is None else np.where(limits > 0, calibration(limits), 0.0)
        kept = tuple(np.clip(mapped, 0, 1).tolist()) if mapped.any() else ()
        return DecodingSettings(choice.borders, self._own.span_pairing, calibration, kept)


# Fewer triples say little about precision.
_LEAST = 20


def _compare(examples: Sequence[Example], found: Iterator[list[Triple]], schema: Schema) -> Found:
    scorer = TripleScorer()
    rows: list[tuple[int, float, bool, int]] = []
    gold = []
    for index, (example, triples) in enumerate(zip(examples, found, strict=True)):
        judgement = judge(example, triples, scorer)
        gold.append(len(judgement.gold))
        for right, group in ((True, [ours for ours, _ in judgement.right]), (False, judgement.wrong)):
            for triple in group:
                relation = schema.find(triple.predicate, triple.subject.type, triple.object.type)
                rows.append((index, triple.score or 0.0, right, relation))
    texts, scores, correct, relations = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Found(
        np.array(texts, dtype=np.int64),
        np.array(scores, dtype=np.float64),
        np.array(correct, dtype=bool),
        np.array(relations, dtype=np.int64),
        np.array(gold, dtype=np.int64),
    )
