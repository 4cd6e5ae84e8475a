"""One text's predicted triples beside its gold ones: which are right, wrong, missed."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from ..model.schema import Example, Triple
from .triple_f1 import TripleScore, TripleScorer


@dataclass(frozen=True, slots=True)
class Judgement:
    """A text's triples, compared. What the way of matching cannot tell apart is one triple.

    right: each a predicted triple and the gold one that it equals. wrong: predicted, not gold. missed: gold, not
    predicted.
    """

    text: str
    right: tuple[tuple[Triple, Triple], ...]
    wrong: tuple[Triple, ...]
    missed: tuple[Triple, ...]

    @property
    def predicted(self) -> tuple[Triple, ...]:
        """The distinct predicted triples."""
        return *(triple for triple, _ in self.right), *self.wrong

    @property
    def gold(self) -> tuple[Triple, ...]:
        """The distinct gold triples."""
        return *(triple for _, triple in self.right), *self.missed


def judge(example: Example, predicted: Iterable[Triple], scorer: TripleScorer) -> Judgement:
    """Compare what was predicted for a text with its gold triples; of equal predictions the best scored stays."""
    ours, theirs = _distinct(example.judged(predicted), scorer.key), _distinct(example.triples, scorer.key)
    return Judgement(
        example.text,
        tuple((triple, theirs[key]) for key, triple in ours.items() if key in theirs),
        tuple(triple for key, triple in ours.items() if key not in theirs),
        tuple(triple for key, triple in theirs.items() if key not in ours),
    )


def total(judgements: Iterable[Judgement]) -> TripleScore:
    """Add up the counts of texts."""
    counts = [(len(item.right), len(item.wrong), len(item.missed)) for item in judgements]
    right, wrong, missed = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
    return TripleScore(right, right + wrong, right + missed)


def _distinct(triples: Iterable[Triple], key: Callable[[Triple], Hashable]) -> dict[Hashable, Triple]:
    found: dict[Hashable, Triple] = {}
    for triple in triples:
        same = found.setdefault(key(triple), triple)
        if (triple.score or 0) > (same.score or 0):
            found[key(triple)] = triple
    return found
