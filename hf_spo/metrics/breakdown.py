"""Scores by kind of text and by kind of triple.

In a breakdown by text (overlap, number of triples, length) all triples of a text, the predicted ones too, count in the
row of the text, which its gold triples or its length decide. In a breakdown by triple (entities, relations) a wrong
prediction counts in its own row, a missed triple in its own, and a right prediction in that of the gold triple that it
equals. So each row has a whole number of right, predicted and gold triples, and precision and recall mean what they
always do.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from ..model.schema import Example, Schema, Triple
from .judging import Judgement
from .triple_f1 import TripleScore

OVERLAPS = ("normal", "SEO", "EPO", "SOO", "no triples")
_LENGTHS = (25, 50, 75, 100, 150, 200, 300)
_MOST = 5


@dataclass(frozen=True, slots=True)
class Group:
    """A row of a breakdown: its score, and in how many texts it occurs."""

    name: str
    score: TripleScore
    texts: int

    def to_dict(self) -> dict[str, str | float | int]:
        """Return name, number of texts and score as plain values."""
        return {"name": self.name, "texts": self.texts, **self.score.to_dict()}


@dataclass(frozen=True, slots=True)
class Macro:
    """Means over relations; each counts the same, however often it occurs."""

    precision: float
    recall: float
    f1: float
    relations: int

    def to_dict(self) -> dict[str, float | int]:
        """Return the means and the number of relations."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1, "relations": self.relations}


def overlap_classes(triples: Sequence[Triple]) -> tuple[str, ...]:
    """Name how the triples of a text overlap; several may hold, "normal" and "no triples" stand alone.

    EPO, entity pair overlap: two triples have the same subject and the same object. SEO, single entity overlap: two
    triples with different such pairs share an entity, as subject or object. SOO, subject object overlap: in a triple,
    one of subject and object contains the other. Strings are compared, not places. The first two are from Zeng et al.
    2018 (Extracting Relational Facts by an End-to-End Neural Model with Copy Mechanism) and used by CasRel (Wei et al.
    2020); SOO is from PRGC (Zheng et al. 2021), whose scripts also let a text belong to several classes.
    """
    if not triples:
        return ("no triples",)
    pairs = Counter((triple.subject.text, triple.object.text) for triple in triples)
    classes = []
    if any(set(one) & set(other) for one, other in combinations(pairs, 2)):
        classes.append("SEO")
    if any(count > 1 for count in pairs.values()):
        classes.append("EPO")
    if any(subject in value or value in subject for subject, value in pairs):
        classes.append("SOO")
    return tuple(classes) or ("normal",)


def by_overlap(judgements: Iterable[Judgement]) -> tuple[Group, ...]:
    """Score texts by how their gold triples overlap, see [`overlap_classes`]; a text may count in several rows."""
    return _by_text(judgements, lambda item: overlap_classes(item.gold), OVERLAPS)


def by_number(judgements: Iterable[Judgement]) -> tuple[Group, ...]:
    """Score texts by how many gold triples they have."""
    names = [*map(str, range(_MOST)), f"{_MOST}+"]
    return _by_text(judgements, lambda item: (names[min(len(item.gold), _MOST)],), names)


def by_length(judgements: Iterable[Judgement]) -> tuple[Group, ...]:
    """Score texts by their length in characters."""
    starts = (0, *(end + 1 for end in _LENGTHS))
    names = [*(f"{start}–{end}" for start, end in zip(starts, _LENGTHS, strict=False)), f"{starts[-1]}+"]
    return _by_text(judgements, lambda item: (names[sum(len(item.text) > end for end in _LENGTHS)],), names)


def by_entities(judgements: Iterable[Judgement], train: Iterable[Example]) -> tuple[Group, ...]:
    """Score triples by whether the training texts' triples have their pair, their subject, their object.

    Strings are compared: a pair is a subject and an object of one training triple, whatever its predicate.
    """
    known = [(triple.subject.text, triple.object.text) for example in train for triple in example.triples]
    pairs, subjects, values = set(known), {subject for subject, _ in known}, {value for _, value in known}

    def classes(triple: Triple) -> tuple[str, ...]:
        subject, value = triple.subject.text, triple.object.text
        seen = {"pair": (subject, value) in pairs, "subject": subject in subjects, "object": value in values}
        return tuple(f"{part} {'seen' if it else 'new'}" for part, it in seen.items())

    names = [f"{part} {kind}" for part in ("pair", "subject", "object") for kind in ("seen", "new")]
    return _by_triple(judgements, classes, names)


def by_relation(judgements: Iterable[Judgement], schema: Schema | None = None) -> tuple[Group, ...]:
    """Score triples by subject type and predicate, the most frequent first, see [`relation_name`]."""
    groups = _by_triple(judgements, lambda triple: (relation_name(triple, schema),), ())
    return tuple(sorted(groups, key=lambda group: (-group.score.gold, -group.score.predicted, group.name)))


def relation_name(triple: Triple, schema: Schema | None = None) -> str:
    """Name a triple's relation by subject type and predicate; a type that is missing is the schema's, if clear."""
    kind = triple.subject.type
    if schema is not None and not kind:
        try:
            kind = schema[schema.find(triple.predicate, "", triple.object.type)].subject_type
        except KeyError:
            kind = ""
    return f"{kind} {triple.predicate}" if kind else triple.predicate


def macro_average(relations: Iterable[Group]) -> Macro:
    """Average precision, recall and F1 over the relations that have gold triples; 0 if none has."""
    scores = [group.score for group in relations if group.score.gold]
    count = max(len(scores), 1)
    return Macro(
        sum(score.precision for score in scores) / count,
        sum(score.recall for score in scores) / count,
        sum(score.f1 for score in scores) / count,
        len(scores),
    )


class _Counts:
    """Counts by row: right, predicted, gold, texts."""

    def __init__(self, names: Iterable[str]) -> None:
        self._rows: dict[str, list[int]] = {name: [0, 0, 0, 0] for name in names}

    def add(self, name: str, right: int = 0, wrong: int = 0, missed: int = 0, texts: int = 0) -> None:
        row = self._rows.setdefault(name, [0, 0, 0, 0])
        for column, count in enumerate((right, right + wrong, right + missed, texts)):
            row[column] += count

    def groups(self) -> tuple[Group, ...]:
        return tuple(Group(name, TripleScore(*row[:3]), row[3]) for name, row in self._rows.items() if row[3])


def _by_text(
    judgements: Iterable[Judgement], classes: Callable[[Judgement], Iterable[str]], names: Iterable[str]
) -> tuple[Group, ...]:
    counts = _Counts(names)
    for item in judgements:
        for name in classes(item):
            counts.add(name, len(item.right), len(item.wrong), len(item.missed), texts=1)
    return counts.groups()


def _by_triple(
    judgements: Iterable[Judgement], classes: Callable[[Triple], Iterable[str]], names: Iterable[str]
) -> tuple[Group, ...]:
    counts = _Counts(names)
    for item in judgements:
        present: dict[str, None] = {}
        for column, triples in (
            ("right", [gold for _, gold in item.right]),
            ("wrong", item.wrong),
            ("missed", item.missed),
        ):
            for triple in triples:
                for name in classes(triple):
                    counts.add(name, **{column: 1})
                    present[name] = None
        for name in present:
            counts.add(name, texts=1)
    return counts.groups()
