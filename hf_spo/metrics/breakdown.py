"""Scores by kind of text and by kind of triple.

A breakdown by text (overlap, number of triples, length) assigns each text to a row by its gold triples or its length
and counts all predicted and gold triples of the text there. A breakdown by triple (entities, relations) counts a wrong
prediction and a missed triple each in its own row, and a right prediction in the row of its gold triple. So every row
has whole numbers of right, predicted and gold triples, and the usual precision and recall.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from ..model.schema import Example, Schema, Triple
from .triple_f1 import RATIOS, Judgement, TripleScore, total

OVERLAPS = ("normal", "SEO", "EPO", "SOO", "no triples")
_LENGTHS = (25, 50, 75, 100, 150, 200, 300)
_LARGEST_NUMBER = 5
"""Texts with this many triples or more share a row."""


@dataclass(frozen=True, slots=True)
class Group:
    """A row of a breakdown: its score and the number of texts in which it occurs."""

    name: str
    score: TripleScore
    texts: int

    def to_dict(self) -> dict[str, str | float | int]:
        """Return name, number of texts and score for JSON."""
        return {"name": self.name, "texts": self.texts, **self.score.to_dict()}


@dataclass(frozen=True, slots=True)
class Macro:
    """Unweighted means over relations."""

    precision: float
    recall: float
    f1: float
    relations: int


def overlap_classes(triples: Sequence[Triple]) -> tuple[str, ...]:
    """Return the overlap classes of a text's triples: several of EPO, SEO and SOO, or "normal", or "no triples".

    EPO, entity pair overlap: two triples have the same subject and the same object. SEO, single entity overlap: two
    triples with different such pairs share an entity, as subject or object. SOO, subject object overlap: the subject of
    a triple contains its object or the reverse. Strings are compared, not offsets. EPO and SEO: Zeng et al. 2018
    (Extracting Relational Facts by an End-to-End Neural Model with Copy Mechanism), also in CasRel (Wei et al. 2020).
    SOO: PRGC (Zheng et al. 2021), whose scripts also let a text belong to several classes.
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
    """Score texts by the overlap of their gold triples, see [`overlap_classes`]; a text may count in several rows."""
    return _by_text(judgements, lambda item: overlap_classes(item.gold), OVERLAPS)


def by_number(judgements: Iterable[Judgement]) -> tuple[Group, ...]:
    """Score texts by their number of gold triples."""
    names = [*map(str, range(_LARGEST_NUMBER)), f"{_LARGEST_NUMBER}+"]
    return _by_text(judgements, lambda item: (names[min(len(item.gold), _LARGEST_NUMBER)],), names)


def by_length(judgements: Iterable[Judgement]) -> tuple[Group, ...]:
    """Score texts by their length in characters."""
    starts = (0, *(end + 1 for end in _LENGTHS))
    names = [*(f"{start}–{end}" for start, end in zip(starts, _LENGTHS, strict=False)), f"{starts[-1]}+"]
    return _by_text(judgements, lambda item: (names[sum(len(item.text) > end for end in _LENGTHS)],), names)


def by_entities(judgements: Iterable[Judgement], train: Iterable[Example]) -> tuple[Group, ...]:
    """Score triples by whether their subject, their object and the pair occur in the training triples.

    Strings are compared. A pair is the subject and the object of one training triple, whatever its predicate.
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
    """Score triples by relation, named by [`relation_name`], the most frequent first."""
    groups = _by_triple(judgements, lambda triple: (relation_name(triple, schema),), ())
    return tuple(sorted(groups, key=lambda group: (-group.score.gold, -group.score.predicted, group.name)))


def relation_name(triple: Triple, schema: Schema | None = None) -> str:
    """Return subject type and predicate of a triple; the schema fills in a missing type where only one fits."""
    kind = triple.subject.type
    if schema is not None and not kind:
        try:
            kind = schema[schema.find(triple.predicate, "", triple.object.type)].subject_type
        except KeyError:
            kind = ""
    return f"{kind} {triple.predicate}" if kind else triple.predicate


def macro_average(relations: Iterable[Group]) -> Macro:
    """Average precision, recall and F1 over the relations with gold triples; 0 if there are none."""
    scores = [group.score for group in relations if group.score.gold]
    precision, recall, f1 = (sum(getattr(score, name) for score in scores) / max(len(scores), 1) for name in RATIOS)
    return Macro(precision, recall, f1, len(scores))


def _by_text(
    judgements: Iterable[Judgement], classes: Callable[[Judgement], Iterable[str]], names: Iterable[str]
) -> tuple[Group, ...]:
    return _groups(((name, item.score) for item in judgements for name in classes(item)), names)


def _by_triple(
    judgements: Iterable[Judgement], classes: Callable[[Triple], Iterable[str]], names: Iterable[str]
) -> tuple[Group, ...]:
    def rows() -> Iterator[tuple[str, TripleScore]]:
        for item in judgements:
            sides = [gold for _, gold in item.right], item.wrong, item.missed
            right, wrong, missed = (Counter(name for triple in side for name in classes(triple)) for side in sides)
            for name in right | wrong | missed:
                yield name, TripleScore(right[name], right[name] + wrong[name], right[name] + missed[name])

    return _groups(rows(), names)


def _groups(rows: Iterable[tuple[str, TripleScore]], names: Iterable[str]) -> tuple[Group, ...]:
    """Add up the scores of each name, one score for each text; the given names come first."""
    scores: dict[str, list[TripleScore]] = {name: [] for name in names}
    for name, score in rows:
        scores.setdefault(name, []).append(score)
    return tuple(Group(name, total(found), len(found)) for name, found in scores.items() if found)
