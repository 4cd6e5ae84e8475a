"""The content of a drawing: mentions to mark in the text, and the edges between them."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..model.schema import Mention, Span, Triple

SUBJECT, OBJECT, QUALIFIER = "subject", "object", "qualifier"


@dataclass(slots=True)
class Mark:
    """A marked span of the text, with the roles, types and triples of its mentions."""

    span: Span
    roles: dict[str, None] = field(default_factory=dict)
    types: dict[str, None] = field(default_factory=dict)
    triples: dict[int, None] = field(default_factory=dict)

    def ranked_roles(self) -> list[str]:
        """Return the roles; the first determines the colour."""
        return [role for role in (SUBJECT, OBJECT, QUALIFIER) if role in self.roles]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a label. kind: "name", "score", "source" (text of a subject) or "hint" (predicates on other lines)."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A connection from one mark to one or more others, or from several to one, by the same predicates.

    triples: numbers of the triples, by the indices of the two marks. slot: slot of a connection from an object to a
    qualifier; otherwise empty.
    """

    triples: Mapping[tuple[int, int], tuple[int, ...]]
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Marking:
    """A text and its triples with the marks and edges to draw.

    colours: number of each predicate, in order of appearance. unplaced: numbers of the triples without offsets, which
    are listed only.
    """

    text: str
    triples: Sequence[Triple]
    marks: Sequence[Mark]
    edges: Sequence[Edge]
    colours: Mapping[str, int]
    unplaced: Sequence[int]

    def name(self, mark: int) -> str:
        """Return the text of a mark."""
        span = self.marks[mark].span
        return self.text[span.start : span.end]

    def label(self, numbers: Sequence[int], slot: str = "") -> tuple[Part, ...]:
        """Return the predicates of triples with their scores, or the name of a slot."""
        if slot:
            return (Part(slot, "name"),)
        parts: list[Part] = []
        scores: dict[str, list[float | None]] = {}
        for number in numbers:
            scores.setdefault(_name(self.triples[number]), []).append(self.triples[number].score)
        for name, values in scores.items():
            parts += [*([Part("·", "score")] if parts else []), Part(name, "name")]
            parts += [Part(score, "score")] if (score := score_text(values)) else []
        return tuple(parts)


def marking(text: str, triples: Iterable[Triple | Mapping[str, Any]]) -> Marking:
    """Find the marks and edges of a text and its triples.

    Raises:
        TypeError: the text is not a string.
        ValueError: a triple lacks a field, or its offsets do not fit the text.
    """
    if not isinstance(text, str):
        raise TypeError(f"expected the text of the triples as a string, got {type(text).__name__}: {text!r:.80}")
    read = [_read(text, number, triple) for number, triple in enumerate(triples)]
    marks: dict[Span, Mark] = {}
    for number, triple in enumerate(read):
        _mark(marks, triple.subject, SUBJECT, number)
        for slot, mention in triple.slots():
            _mark(marks, mention, QUALIFIER if slot in triple.qualifiers else OBJECT, number)
    placed = sorted(marks.values(), key=lambda mark: (mark.span.start, -mark.span.end))
    colours = {name: number for number, name in enumerate(dict.fromkeys(triple.predicate for triple in read))}
    index = {mark.span: at for at, mark in enumerate(placed)}
    unplaced = [number for number, triple in enumerate(read) if not (_drawn(triple.subject) and _drawn(triple.object))]
    edges = [*_relations(read, index), *_qualifiers(read, index)]
    return Marking(text, read, placed, edges, colours, unplaced)


def score_text(scores: Iterable[float | None]) -> str:
    """Return scores as a number or a range; an empty string if there are none."""
    given = sorted({f"{score:.2f}" for score in scores if score is not None}, key=float)
    return "–".join(dict.fromkeys((given[0], given[-1]))) if given else ""


def describe(triple: Triple) -> str:
    """Return a triple as a line of text."""
    rest = [f"{slot}: {mention.text}" for slot, mention in triple.qualifiers.items()]
    parts = [f"{triple.subject.text} — {triple.predicate} → {triple.object.text}", *rest, score_text([triple.score])]
    return "  ".join(part for part in parts if part)


def _read(text: str, number: int, triple: Triple | Mapping[str, Any]) -> Triple:
    path = f"triples[{number}]"
    if not isinstance(triple, Triple):
        triple = Triple.from_dict(triple, path)
    triple.check_offsets(text, path)
    return triple


def _drawn(mention: Mention) -> bool:
    return bool(mention.span)


def _mark(marks: dict[Span, Mark], mention: Mention, role: str, number: int) -> None:
    if mention.span:
        mark = marks.setdefault(mention.span, Mark(mention.span))
        mark.roles[role] = mark.triples[number] = None
        if mention.type:
            mark.types[mention.type] = None


def _relations(triples: Sequence[Triple], index: Mapping[Span, int]) -> Iterator[Edge]:
    """Yield edges from subjects to objects; pairs with the same predicates share an edge."""
    pairs: _Pairs = {}
    for number, triple in enumerate(triples):
        if triple.subject.span and triple.object.span:
            pairs.setdefault((index[triple.subject.span], index[triple.object.span]), []).append(number)
    names = {pair: tuple(dict.fromkeys(_name(triples[at]) for at in numbers)) for pair, numbers in pairs.items()}
    yield from (Edge(_chosen(pairs, group)) for group in _bundles(pairs, names))


_Pairs = dict[tuple[int, int], list[int]]


def _bundles(pairs: _Pairs, names: Mapping[tuple[int, int], Hashable]) -> Iterator[list[tuple[int, int]]]:
    """Yield groups of pairs with equal names: first by common source, then the remaining ones by common target."""
    groups: dict[tuple[int, Hashable], list[tuple[int, int]]] = {}
    for pair in pairs:
        groups.setdefault((pair[0], names[pair]), []).append(pair)
    alone: dict[tuple[int, Hashable], list[tuple[int, int]]] = {}
    for group in groups.values():
        if len(group) > 1:
            yield group
        else:
            alone.setdefault((group[0][1], names[group[0]]), []).append(group[0])
    yield from alone.values()


def _chosen(pairs: _Pairs, group: Iterable[tuple[int, int]]) -> dict[tuple[int, int], tuple[int, ...]]:
    return {pair: tuple(pairs[pair]) for pair in group}


def _name(triple: Triple) -> str:
    """Return the predicate, with the qualifiers that have no offsets."""
    rest = [f"{slot}: {mention.text}" for slot, mention in triple.qualifiers.items() if not mention.span]
    return f"{triple.predicate} ({', '.join(rest)})" if rest else triple.predicate


def _qualifiers(triples: Sequence[Triple], index: Mapping[Span, int]) -> Iterator[Edge]:
    by_slot: dict[str, _Pairs] = {}
    for number, triple in enumerate(triples):
        for slot, mention in triple.qualifiers.items():
            if triple.object.span and mention.span:
                pair = index[triple.object.span], index[mention.span]
                by_slot.setdefault(slot, {}).setdefault(pair, []).append(number)
    for slot, pairs in by_slot.items():
        for group in _bundles(pairs, dict.fromkeys(pairs, slot)):
            yield Edge(_chosen(pairs, group), slot)
