"""The measure of the DuIE 2.0 competitions (LIC 2020 and 2021).

Written from what their scorer does: `re_official_evaluation.py` of PaddlePaddle/Research (KG/DuIE_Baseline) and
PaddlePaddle/PaddleNLP (examples/information_extraction/DuIE). Subject and object slots are lower-cased and lose one
pair of surrounding 《》; types do not count. Two triples are equal if predicate, subject and every slot of the object
are, no slot missing and none too many; equal triples of a text are one. With an alias dictionary, a subject may be an
alias of the one compared, and slots may be aliases of each other, if the dictionary says so both ways. Several
predictions may then answer one gold triple, so what is right is counted on either side: among the predicted for
precision, among the gold for recall. Of a text that is given twice, the last one counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..model.schema import Example, Triple
from .significance import ratios

Aliases = Mapping[str, frozenset[str]]
_Fact = tuple[str, str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class OfficialScore:
    """Counts of a corpus: predicted triples and the right ones among them, gold triples and those found."""

    correct: int
    predicted: int
    found: int
    gold: int

    @property
    def precision(self) -> float:
        """Share of the predicted triples that are right; 0 without predictions."""
        return self._ratio(0)

    @property
    def recall(self) -> float:
        """Share of the gold triples that are found; 0 without gold."""
        return self._ratio(1)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 when nothing is right."""
        return self._ratio(2)

    def to_dict(self) -> dict[str, float | int]:
        """Return ratios and counts as plain numbers."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "correct": self.correct,
            "predicted": self.predicted,
            "found": self.found,
            "gold": self.gold,
        }

    def _ratio(self, index: int) -> float:
        return float(ratios(np.array([self.correct, self.predicted, self.found, self.gold]))[index])


def read_aliases(path: str | Path) -> dict[str, frozenset[str]]:
    """Read an alias dictionary: a name a line, then its aliases, tab-separated. Names are lower-cased.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no UTF-8.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: no UTF-8 text ({error}); save it as UTF-8") from None
    rows = (line.strip().lower().split("\t") for line in text.split("\n") if line.strip())
    return {name: frozenset(aliases) for name, *aliases in rows}


def official_counts(
    examples: Iterable[Example], predictions: Iterable[Iterable[Triple]], aliases: Aliases | None = None
) -> np.ndarray:
    """Count each text: right among the predicted, predicted, found among the gold, gold. *Shape:* (T, 4)."""
    known = aliases or {}
    texts = {
        example.text: ([_fact(triple) for triple in example.triples], [_fact(triple) for triple in triples])
        for example, triples in zip(examples, predictions, strict=True)
    }
    counts = np.zeros((len(texts), 4), dtype=np.int64)
    for row, (gold, predicted) in enumerate(texts.values()):
        ours, theirs = _distinct(predicted, known), _distinct(gold, known)
        correct = sum(_stands_in(fact, theirs, known) for fact in ours)
        found = sum(_stands_in(fact, predicted, known) for fact in theirs)
        counts[row] = correct, len(ours), found, len(theirs)
    return counts


def _fact(triple: Triple) -> _Fact:
    slots = {slot: _plain(mention.text) for slot, mention in triple.slots()}
    return _plain(triple.subject.text), triple.predicate, slots


def _plain(name: str) -> str:
    name = name.lower()
    return name[1:-1] if name.startswith("《") and name.endswith("》") else name


def _distinct(facts: Iterable[_Fact], aliases: Aliases) -> list[_Fact]:
    kept: list[_Fact] = []
    for fact in facts:
        if not _stands_in(fact, kept, aliases):
            kept.append(fact)
    return kept


def _stands_in(fact: _Fact, facts: Iterable[_Fact], aliases: Aliases) -> bool:
    subject, predicate, slots = fact
    names = {subject, *aliases.get(subject, ())}
    return any(other == predicate and name in names and _same(slots, theirs, aliases) for name, other, theirs in facts)


def _same(slots: Mapping[str, str], others: Mapping[str, str], aliases: Aliases) -> bool:
    return slots.keys() == others.keys() and all(
        value == others[slot] or (others[slot] in aliases.get(value, ()) and value in aliases.get(others[slot], ()))
        for slot, value in slots.items()
    )
