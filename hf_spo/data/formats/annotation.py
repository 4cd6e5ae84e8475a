"""The data model of annotation tools: entities of a text, and directed relations between them.

A triple is a relation with the predicate as its name. A qualifier is a relation from the triple's object to the
qualifier, named predicate@slot, such as 票房@inArea, so that annotators can draw it. Such a name means a qualifier only
if the predicate leads to the entity where the relation starts; elsewhere it is a predicate. Tools need a name for
everything, so an empty type or predicate is shown as "_".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...model.schema import VALUE_SLOT, Mention, Schema, Span, Triple
from .base import ConversionReport, Record
from .placing import placed, trimmed

_NAMELESS = "_"


@dataclass(frozen=True, slots=True)
class Link:
    """A relation between two entities, given by their indices, with the name that the tool shows."""

    head: int
    name: str
    tail: int
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """Entities of a text, and the relations between them."""

    entities: Sequence[Mention]
    links: Sequence[Link]

    @property
    def placed(self) -> list[tuple[Mention, Span]]:
        """The entities with their spans; [`to_annotation`] gives every entity one."""
        return [(one, one.span) for one in self.entities if one.span is not None]


def label(name: str) -> str:
    """Return the name that a tool shows for a type or a predicate."""
    return name or _NAMELESS


def relation_labels(schema: Schema) -> list[str]:
    """Return the names that a tool shows for the relations of a schema, qualifiers included, each once."""
    names = (label(one.predicate) if one.slot == VALUE_SLOT else _label(one.predicate, one.slot) for one in schema)
    return list(dict.fromkeys(names))


def to_annotation(record: Record, report: ConversionReport, *, twins: bool = True, scores: bool = False) -> Annotation:
    """Return a record's entities, those of its triples first, and the relations between them.

    Args:
        record: of any format; mentions without offsets are looked up, see [`placed`].
        report: counts what cannot be annotated.
        twins: whether the format allows two entities with the same span and type. If so, triples that share an object
            and differ in its qualifiers get one object each; if not, those qualifiers are lost.
        scores: whether the format has a field for the triples' scores; if not, they are lost.
    """
    record = trimmed(record, report)
    full = tuple(triple for triple in record.triples if all(mention.text for mention in _mentions(triple)))
    report.lose("triples with an empty mention", len(record.triples) - len(full))
    others = tuple(mention for mention in record.entities if mention.text)
    report.lose("empty entities", len(record.entities) - len(others))
    record = placed(replace(record, triples=full, entities=others), report)
    triples, others = list(record.triples), record.entities
    report.lose("which predicates' labels are complete", record.annotated_predicates is not None)
    if not scores:
        report.lose("scores of triples", sum(triple.score is not None for triple in triples))
    if not twins:
        triples = _without_disputed(triples, report)
    annotation = _annotation(triples, others, report)
    if any(_hard(name) for triple in triples for name in _names(triple)):
        read = from_annotation(record.text, annotation, ConversionReport()).triples
        unread = sum(
            replace(triple, score=None) not in [replace(one, score=None) for one in read] for triple in triples
        )
        report.lose('triples that will read as others, for an "@" or "_" in their names', unread)
    return annotation


def from_annotation(text: str, annotation: Annotation, report: ConversionReport, name: str | None = None) -> Record:
    """Return the record of a text, its entities and the relations between them.

    Args:
        text: of the entities.
        annotation: from a tool.
        report: counts what triples cannot hold.
        name: identifier of the text in the file.
    """
    mentions = [replace(one, type="") if one.type == _NAMELESS else one for one in annotation.entities]
    stated = {(link.name, link.tail) for link in annotation.links}
    plain: list[Link] = []
    slots: dict[tuple[str, int], dict[str, Mention]] = {}
    for link in annotation.links:
        predicate, _, slot = link.name.rpartition("@")
        if not slot or (predicate, link.head) not in stated:
            plain.append(link)
            continue
        value = mentions[link.tail]
        first = slots.setdefault((predicate, link.head), {}).setdefault(slot, value)
        report.lose("further values of a qualifier", first != value)
    # A triple has no field for qualifiers of a qualifier.
    held = {(link.name, link.tail) for link in plain}
    report.lose("qualifiers of qualifiers", sum(len(found) for key, found in slots.items() if key not in held))
    triples = tuple(
        Triple(
            mentions[link.head],
            "" if link.name == _NAMELESS else link.name,
            mentions[link.tail],
            slots.get((link.name, link.tail), {}),
            link.score,
        )
        for link in plain
    )
    used = {place for link in annotation.links for place in (link.head, link.tail)}
    return Record(text, triples, _unused(mentions, used, report), name)


def _label(predicate: str, slot: str) -> str:
    return f"{label(predicate)}@{slot}"


def _mentions(triple: Triple) -> list[Mention]:
    return [triple.subject, *(mention for _, mention in triple.slots())]


def _names(triple: Triple) -> list[str]:
    return [triple.predicate, *triple.qualifiers, *(mention.type for mention in _mentions(triple))]


def _hard(name: str) -> bool:
    return "@" in name or name == _NAMELESS


def _without_disputed(triples: Sequence[Triple], report: ConversionReport) -> list[Triple]:
    """Remove the qualifiers of triples that share predicate and object and differ in their qualifiers."""
    first: dict[tuple[str, Mention], Mapping[str, Mention]] = {}
    disputed = set()
    for triple in triples:
        if first.setdefault((triple.predicate, triple.object), triple.qualifiers) != triple.qualifiers:
            disputed.add((triple.predicate, triple.object))
    kept = []
    for triple in triples:
        taken = (triple.predicate, triple.object) in disputed
        report.lose("qualifiers of an object that triples share", taken * len(triple.qualifiers))
        kept.append(replace(triple, qualifiers={}) if taken else triple)
    return kept


class _Entities:
    """Entities in the order of first use."""

    def __init__(self) -> None:
        self._places: dict[tuple[Mention, int], int] = {}

    def place(self, mention: Mention, twin: int = 0) -> int:
        return self._places.setdefault((mention, twin), len(self._places))

    @property
    def mentions(self) -> list[Mention]:
        return [mention for mention, _ in self._places]


def _annotation(triples: Iterable[Triple], others: Iterable[Mention], report: ConversionReport) -> Annotation:
    entities = _Entities()
    variants: dict[tuple[str, Mention], list[Mapping[str, Mention]]] = {}
    links: dict[tuple[int, str, int], Link] = {}
    for triple in triples:
        known = variants.setdefault((triple.predicate, triple.object), [])
        if triple.qualifiers not in known:
            known.append(triple.qualifiers)
        head = entities.place(triple.subject)
        value = entities.place(triple.object, known.index(triple.qualifiers))
        link = Link(head, label(triple.predicate), value, triple.score)
        report.lose("repetitions of triples", (head, link.name, value) in links)
        links.setdefault((head, link.name, value), link)
        for slot, mention in triple.qualifiers.items():
            key = (value, _label(triple.predicate, slot), entities.place(mention))
            links.setdefault(key, Link(*key))
    for mention in others:
        entities.place(mention)
    return Annotation(entities.mentions, list(links.values()))


def _unused(mentions: Sequence[Mention], used: set[int], report: ConversionReport) -> tuple[Mention, ...]:
    seen = {mentions[place] for place in used}
    found: dict[Mention, None] = {}
    for place, mention in enumerate(mentions):
        if place in used:
            continue
        report.lose("entities marked twice", mention in seen or mention in found)
        if mention not in seen:
            found[mention] = None
    return tuple(found)
