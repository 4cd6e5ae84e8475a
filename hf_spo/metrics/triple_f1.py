"""Micro-averaged precision, recall and F1 of triples; the triples of a text are a set.

Pure Python, independent of models.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ..model.schema import Example, Mention, Triple

TripleForm = Triple | Mapping[str, Any] | Sequence[str]
Tokenize = Callable[[str], Iterable[str]]

RATIOS = ("precision", "recall", "f1")


class Match(StrEnum):
    """When a predicted triple equals a gold one.

    STRICT: subject text, predicate and object text are equal. LENIENT: they are equal after tokenisation, as in
    bert4keras. SPAN: offsets are equal too. FULL: strict, with types and qualifiers.
    """

    STRICT = "strict"
    LENIENT = "lenient"
    SPAN = "span"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class TripleScore:
    """Numbers of right, predicted and gold triples of a corpus, and their ratios."""

    correct: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        """Share of the predicted triples that are right; 0 without predictions."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold triples that are predicted; 0 without gold triples."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 if nothing is right."""
        return 2 * self.correct / (self.predicted + self.gold) if self.correct else 0.0

    def to_dict(self) -> dict[str, float | int]:
        """Return ratios and counts for JSON."""
        return {**{name: getattr(self, name) for name in RATIOS}, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The predicted and gold triples of a text, compared; triples that are equal to the scorer count once.

    Args:
        text: the text.
        right: pairs of a predicted triple and the gold triple that it equals.
        wrong: predicted triples that equal no gold triple.
        missed: gold triples that equal no predicted triple.
    """

    text: str
    right: tuple[tuple[Triple, Triple], ...]
    wrong: tuple[Triple, ...]
    missed: tuple[Triple, ...]

    @property
    def score(self) -> TripleScore:
        """Counts of this text."""
        right = len(self.right)
        return TripleScore(right, right + len(self.wrong), right + len(self.missed))

    @property
    def predicted(self) -> tuple[Triple, ...]:
        """The distinct predicted triples."""
        return *(triple for triple, _ in self.right), *self.wrong

    @property
    def gold(self) -> tuple[Triple, ...]:
        """The distinct gold triples."""
        return *(triple for _, triple in self.right), *self.missed


class TripleScorer:
    """Add up the counts of a corpus, text by text.

    Args:
        match: when two triples are equal.
        tokenize: splits a string into tokens, for `Match.LENIENT`.

    Raises:
        ValueError: lenient matching without `tokenize`; in methods, span matching of a triple without offsets.
    """

    def __init__(self, match: Match | str = Match.STRICT, tokenize: Tokenize | None = None) -> None:
        self.match = Match(match)
        self.tokenize = tokenize
        if self.match == Match.LENIENT and tokenize is None:
            raise ValueError("lenient matching compares tokens: pass tokenize=tokenizer.tokenize")
        self._correct = self._predicted = self._gold = 0

    def add(self, predicted: Iterable[TripleForm], gold: Iterable[TripleForm]) -> None:
        """Count the triples of one text, each in any form that [`Triple.of`] takes."""
        ours, theirs = ({self.key(Triple.of(triple)) for triple in some} for some in (predicted, gold))
        self._correct += len(ours & theirs)
        self._predicted += len(ours)
        self._gold += len(theirs)

    def score(self) -> TripleScore:
        """Return the score of all texts added so far."""
        return TripleScore(self._correct, self._predicted, self._gold)

    def key(self, triple: Triple) -> Hashable:
        """Return the value that equal triples share."""
        subject, value = self._mention(triple.subject), self._mention(triple.object)
        if self.match != Match.FULL:
            return subject, triple.predicate, value
        qualifiers = frozenset((slot, mention.text, mention.type) for slot, mention in triple.qualifiers.items())
        return subject, triple.subject.type, triple.predicate, value, triple.object.type, qualifiers

    def _mention(self, mention: Mention) -> Hashable:
        if self.match == Match.LENIENT:
            assert self.tokenize is not None
            return tuple(self.tokenize(mention.text))
        if self.match == Match.SPAN:
            if mention.span is None:
                raise ValueError(
                    f"span matching needs offsets, and {mention.text!r} has none; use strict, or annotate offsets"
                )
            return mention.text, mention.span
        return mention.text


def judge(example: Example, predicted: Iterable[Triple], scorer: TripleScorer) -> Judgement:
    """Compare the triples predicted for a text with its gold triples; of equal predictions the best scored stays."""
    ours, theirs = _distinct(example.judged(predicted), scorer), _distinct(example.triples, scorer)
    return Judgement(
        example.text,
        tuple((triple, theirs[key]) for key, triple in ours.items() if key in theirs),
        tuple(triple for key, triple in ours.items() if key not in theirs),
        tuple(triple for key, triple in theirs.items() if key not in ours),
    )


def total(scores: Iterable[TripleScore]) -> TripleScore:
    """Add up counts."""
    counts = [(score.correct, score.predicted, score.gold) for score in scores]
    return TripleScore(*map(sum, zip(*counts, strict=True))) if counts else TripleScore(0, 0, 0)


def score_predictions(
    examples: Iterable[Example], predictions: Iterable[Iterable[Triple]], scorer: TripleScorer | None = None
) -> TripleScore:
    """Score the triples predicted for each text, by default strictly."""
    scorer = scorer or TripleScorer()
    for example, triples in zip(examples, predictions, strict=True):
        scorer.add(example.judged(triples), example.triples)
    return scorer.score()


def _distinct(triples: Iterable[Triple], scorer: TripleScorer) -> dict[Hashable, Triple]:
    found: dict[Hashable, Triple] = {}
    for triple in triples:
        key = scorer.key(triple)
        same = found.setdefault(key, triple)
        if (triple.score or 0) > (same.score or 0):
            found[key] = triple
    return found
