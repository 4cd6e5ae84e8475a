"""The score of the DuIE 2.0 competitions (LIC 2020 and 2021).

Reimplements the behaviour of their scorer: `re_official_evaluation.py` of PaddlePaddle/Research (KG/DuIE_Baseline) and
PaddlePaddle/PaddleNLP (examples/information_extraction/DuIE). Subjects and object slots are lower-cased and lose one
pair of surrounding 《》; types are ignored. Two triples are equal if they have the same predicate, the same subject and
the same object slots. Equal triples of a text count once. With an alias dictionary, a subject also equals its aliases,
and two slots are equal if each is an alias of the other. Several predictions may then match one gold triple, so matches
are counted among the predictions for precision and among the gold triples for recall. If a text occurs twice, the
last occurrence counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..model.schema import Example, Triple
from .triple_f1 import TripleScore

Aliases = Mapping[str, frozenset[str]]
_Fact = tuple[str, str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class OfficialScore(TripleScore):
    """Counts of a corpus and their ratios.

    Args:
        correct, predicted, gold: right predictions, all predictions, gold triples.
        found: gold triples that a prediction matches.
    """

    found: int

    @property
    def recall(self) -> float:
        """Share of the gold triples that are found; 0 without gold triples."""
        return self.found / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 if nothing is right."""
        return 2 * self.precision * self.recall / (self.precision + self.recall) if self.correct else 0.0


def read_aliases(path: str | Path) -> dict[str, frozenset[str]]:
    """Read an alias dictionary: each line has a name and its aliases, separated by tabs. Names are lower-cased.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the file is not UTF-8.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8 text ({error}); save the file as UTF-8") from None
    rows = (line.strip().lower().split("\t") for line in text.split("\n") if line.strip())
    return {name: frozenset(aliases) for name, *aliases in rows}


def official_counts(
    examples: Iterable[Example], predictions: Iterable[Iterable[Triple]], aliases: Aliases | None = None
) -> np.ndarray:
    """Return right predictions, predictions, found gold triples and gold triples of each text. *Shape:* (T, 4)."""
    known = aliases or {}
    texts = {
        example.text: (list(map(_fact, example.triples)), list(map(_fact, triples)))
        for example, triples in zip(examples, predictions, strict=True)
    }
    counts = np.zeros((len(texts), 4), dtype=np.int64)
    for row, (gold, predicted) in enumerate(texts.values()):
        ours, theirs = _distinct(predicted, known), _distinct(gold, known)
        correct = sum(_equals_one(fact, theirs, known) for fact in ours)
        found = sum(_equals_one(fact, predicted, known) for fact in theirs)
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
        if not _equals_one(fact, kept, aliases):
            kept.append(fact)
    return kept


def _equals_one(fact: _Fact, facts: Iterable[_Fact], aliases: Aliases) -> bool:
    subject, predicate, slots = fact
    names = {subject, *aliases.get(subject, ())}
    return any(other == predicate and name in names and _same(slots, theirs, aliases) for name, other, theirs in facts)


def _same(slots: Mapping[str, str], others: Mapping[str, str], aliases: Aliases) -> bool:
    return slots.keys() == others.keys() and all(
        value == others[slot] or (others[slot] in aliases.get(value, ()) and value in aliases.get(others[slot], ()))
        for slot, value in slots.items()
    )
