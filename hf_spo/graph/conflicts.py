"""Find facts that contradict the rules of a schema; the facts stay in the graph."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..model.patterns import matches
from ..model.schema import VALUE_SLOT, Relation, Schema
from ..model.value_formats import has_format
from .elements import Edge, Node
from .knowledge import KnowledgeGraph
from .names import without_marks


class ConflictKind(StrEnum):
    """Kinds of conflicts, named after the rules in [`RelationRules`]."""

    MAX_OBJECTS = "max_objects"
    SUBJECT_PATTERN = "subject_pattern"
    OBJECT_PATTERN = "object_pattern"
    OBJECT_FORMAT = "object_format"
    SYMMETRIC = "symmetric"
    INVERSE = "inverse"
    UNKNOWN_RELATION = "unknown_relation"
    UNKNOWN_SLOT = "unknown_slot"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A broken rule: a message, and the facts that break it."""

    kind: ConflictKind
    message: str
    edges: tuple[Edge, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: kind, message and the facts with their evidence."""
        return {"kind": self.kind.value, "message": self.message, "facts": [edge.to_dict() for edge in self.edges]}


def find_conflicts(graph: KnowledgeGraph, schema: Schema) -> list[Conflict]:
    """Return the conflicts of a graph with a schema, sorted by kind.

    - max_objects: a subject has more objects than its relation allows, for example two dates of birth from two
      documents; one conflict for all its objects.
    - subject_pattern, object_pattern, object_format: no form of a node, or of a qualifier's value, matches.
    - symmetric, inverse: the fact in the opposite direction is missing.
    - unknown_relation, unknown_slot: the schema has no such relation; one conflict for all its facts.
    """
    check = _Check(graph, schema)
    order = list(ConflictKind)
    return sorted(check.conflicts(), key=lambda conflict: order.index(conflict.kind))


def count_conflicts(conflicts: Sequence[Conflict]) -> dict[str, int]:
    """Count conflicts by kind."""
    return dict(Counter(conflict.kind.value for conflict in conflicts))


class _Check:
    def __init__(self, graph: KnowledgeGraph, schema: Schema) -> None:
        self._graph, self._schema = graph, schema
        self._found: dict[tuple[str, str, str, str], Relation | str] = {}
        self._unknown: dict[tuple[ConflictKind, str], dict[Edge, None]] = {}
        self._objects: dict[tuple[Node, Relation], list[Edge]] = {}

    def conflicts(self) -> Iterator[Conflict]:
        for edge in self._graph.edges:
            relation = self._relation(edge, VALUE_SLOT, edge.object)
            if relation is not None:
                self._objects.setdefault((edge.subject, relation), []).append(edge)
                yield from self._values(edge, relation)
                yield from self._missing(edge, relation)
        for (subject, relation), edges in self._objects.items():
            yield from _too_many(subject, relation, edges)
        for (kind, message), unknown in self._unknown.items():
            yield Conflict(kind, message, tuple(unknown))

    def _relation(self, edge: Edge, slot: str, value: Node) -> Relation | None:
        """Return the relation of an edge; collect edges whose relation the schema lacks."""
        names = (edge.predicate, edge.subject.type, value.type, slot)
        if names not in self._found:
            try:
                self._found[names] = self._schema[self._schema.find(*names)]
            except KeyError as error:
                self._found[names] = str(error.args[0])
        found = self._found[names]
        if isinstance(found, Relation):
            return found
        kind = ConflictKind.UNKNOWN_RELATION if slot == VALUE_SLOT else ConflictKind.UNKNOWN_SLOT
        self._unknown.setdefault((kind, found), {})[edge] = None
        return None

    def _values(self, edge: Edge, relation: Relation) -> Iterator[Conflict]:
        pattern = relation.rules.subject_pattern
        if not _matches(edge.subject, pattern):
            message = f"{_named(edge.subject)} does not match the subjects' pattern {pattern}"
            yield Conflict(ConflictKind.SUBJECT_PATTERN, f"{edge.predicate}: {message}", (edge,))
        yield from _object_conflicts(edge, relation, edge.object, edge.predicate)
        for slot, value in dict.fromkeys(part for qualifiers in edge.qualifiers for part in qualifiers):
            of_slot = self._relation(edge, slot, value)
            if of_slot is not None:
                yield from _object_conflicts(edge, of_slot, value, f"{edge.predicate}, {slot}")

    def _missing(self, edge: Edge, relation: Relation) -> Iterator[Conflict]:
        back = {ConflictKind.SYMMETRIC: edge.predicate if relation.rules.symmetric else ""}
        back[ConflictKind.INVERSE] = relation.rules.inverse
        for kind, predicate in back.items():
            if predicate and self._graph.edge(edge.object, predicate, edge.subject) is None:
                fact = f"{_named(edge.subject)} {edge.predicate} {_named(edge.object)}"
                missing = f"{_named(edge.object)} {predicate} {_named(edge.subject)}"
                yield Conflict(kind, f"{fact}, but not {missing}", (edge,))


def _too_many(subject: Node, relation: Relation, edges: list[Edge]) -> Iterator[Conflict]:
    most = relation.rules.max_objects
    if most is not None and len(edges) > most:
        best = sorted(edges, key=lambda edge: (-edge.documents, -(edge.best_score or 0.0)))
        values = ", ".join(f"{edge.object.label} ({_support(edge)})" for edge in best)
        message = (
            f"{_named(subject)} has {len(edges)} objects of {relation.predicate}, at most {most} expected: {values}"
        )
        yield Conflict(ConflictKind.MAX_OBJECTS, message, tuple(best))


def _support(edge: Edge) -> str:
    documents = "1 document" if edge.documents == 1 else f"{edge.documents} documents"
    return documents if edge.best_score is None else f"{documents}, {edge.best_score:.2f}"


def _object_conflicts(edge: Edge, relation: Relation, value: Node, what: str) -> Iterator[Conflict]:
    rules = relation.rules
    if not _matches(value, rules.object_pattern):
        message = f"{what}: {_named(value)} does not match the objects' pattern {rules.object_pattern}"
        yield Conflict(ConflictKind.OBJECT_PATTERN, message, (edge,))
    if rules.object_format is not None and not any(has_format(form, rules.object_format) for form in value.forms):
        message = f"{what}: {_named(value)} is not a valid {rules.object_format}"
        yield Conflict(ConflictKind.OBJECT_FORMAT, message, (edge,))


def _matches(node: Node, pattern: str) -> bool:
    # As in extraction, the pattern may match the name with or without enclosing marks.
    return any(matches(pattern, form) or matches(pattern, without_marks(form)) for form in node.forms)


def _named(node: Node) -> str:
    return f"{node.label} ({node.type})" if node.type else node.label
