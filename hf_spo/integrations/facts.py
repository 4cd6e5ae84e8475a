"""Facts for libraries that build graphs: equal statements of a text are one fact, and entities have properties."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..graph.elements import Edge
from ..graph.knowledge import KnowledgeGraph
from ..graph.triple_rows import Row
from .component_model import ComponentModel


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text to extract from.

    Args:
        id: of the text; offsets count its characters.
        text: the text itself.
        document: id of the document that the text is a part of; the text's own id if it is a whole document.
    """

    id: str
    text: str
    document: str


@dataclass(frozen=True, slots=True)
class Entity:
    """A node of a graph, named by its most frequent form in all texts of a call.

    Args:
        id: unique and independent of the other texts, such as 人物:白露.
        name: as written.
        type: may be empty.
        properties: name, type, aliases and number of mentions.
    """

    id: str
    name: str
    type: str
    properties: dict[str, Any] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Fact:
    """An edge of a graph, with the properties of `hf-spo graph` and those of its best statement.

    Args:
        subject, predicate, object: the fact.
        properties: flat, see [`Edge.properties`], with "document", "subject_type" and "object_type", and with
            "subject_start", "subject_end", "object_start" and "object_end" of the statement with the highest score.
    """

    subject: Entity
    predicate: str
    object: Entity
    properties: dict[str, Any] = field(compare=False)


def find_facts(model: ComponentModel, texts: Sequence[SourceText], batch_size: int | None = None) -> list[list[Fact]]:
    """Extract the facts of each text, in batches.

    Mentions in different texts are one entity if `hf-spo graph` makes one node of them.
    """
    found = model.load()([text.text for text in texts], batch_size=batch_size)
    rows = [Row(text.id, triples.triples) for text, triples in zip(texts, found, strict=True)]
    # Names are those of all texts, so that 《雪国》 in one text and 雪国 in another become one node in any store.
    entities = {
        node.id: Entity(node.id, node.label, node.type, node.properties())
        for node in KnowledgeGraph.from_rows(rows, provenance=False).nodes
    }
    return [
        [
            Fact(entities[edge.subject.id], edge.predicate, entities[edge.object.id], _properties(edge, text.document))
            for edge in KnowledgeGraph.from_rows([row]).edges
        ]
        for row, text in zip(rows, texts, strict=True)
    ]


def entities_of(facts: Iterable[Fact]) -> list[Entity]:
    """Return the entities of facts, each once, in the order of their first occurrence."""
    return list(dict.fromkeys(entity for fact in facts for entity in (fact.subject, fact.object)))


def _properties(edge: Edge, document: str) -> dict[str, Any]:
    best = max(edge.evidence, key=lambda statement: statement.score or 0.0)
    spans = {"subject": best.subject, "object": best.object}
    offsets = {
        f"{role}_{border}": getattr(span, border)
        for role, span in spans.items()
        if span is not None
        for border in ("start", "end")
    }
    types = {"subject_type": edge.subject.type, "object_type": edge.object.type}
    return {**edge.properties(), "document": document, **types, **offsets}
