"""Precision, recall and F1 of triples: micro, over a whole corpus, each text's triples as a set.

Pure Python; nothing here knows about models.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from ..model.schema import Mention, Triple

Tokenize = Callable[[str], Iterable[str]]


class Match(StrEnum):
    """When a predicted triple equals a gold one.

    STRICT: subject text, predicate, object text. LENIENT: the same after tokenisation, as bert4keras compares. SPAN:
    offsets too. FULL: strict, with types and qualifiers.
    """

    STRICT = "strict"
    LENIENT = "lenient"
    SPAN = "span"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class TripleScore:
    """Counts of a corpus and the ratios made from them."""

    correct: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        """Share of the predicted triples that are gold; 0 without predictions."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold triples that are predicted; 0 without gold."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 when nothing is right."""
        return 2 * self.correct / (self.predicted + self.gold) if self.correct else 0.0

    def to_dict(self) -> dict[str, float | int]:
        """Return ratios and counts as plain numbers."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "correct": self.correct,
            "predicted": self.predicted,
            "gold": self.gold,
        }


@dataclass
class TripleScorer:
    """Add up a corpus text by text.

    Args:
        match: when two triples are equal.
        tokenize: splits a string into tokens, for `Match.LENIENT`.

    Raises:
        ValueError: lenient matching without `tokenize`; or, on `add`, a span match against triples without offsets.
    """

    match: Match = Match.STRICT
    tokenize: Tokenize | None = None
    _correct: int = field(default=0, init=False)
    _predicted: int = field(default=0, init=False)
    _gold: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.match = Match(self.match)
        if self.match == Match.LENIENT and self.tokenize is None:
            raise ValueError("lenient matching compares tokens: pass tokenize=tokenizer.tokenize")

    def add(self, predicted: Iterable[Triple], gold: Iterable[Triple]) -> None:
        """Count one text's triples."""
        ours, theirs = {self.key(triple) for triple in predicted}, {self.key(triple) for triple in gold}
        self._correct += len(ours & theirs)
        self._predicted += len(ours)
        self._gold += len(theirs)

    def score(self) -> TripleScore:
        """Return the score of all texts added so far."""
        return TripleScore(self._correct, self._predicted, self._gold)

    def key(self, triple: Triple) -> Hashable:
        """Return what a triple is compared by."""
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
