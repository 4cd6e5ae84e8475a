"""RDF: entities, facts, and by reification the counts, scores and sources of each fact.

IRIs consist of the base IRI, one of `entity/`, `type/`, `relation/`, `slot/`, `document/` and `statement/`, and a name
with characters that IRIs exclude percent-encoded; terms of this package are in `terms/`. Every fact is a triple, and an
rdf:Statement with its counts and scores. Its prov:wasDerivedFrom is an oa:SpecificResource whose oa:hasSource is the
document, and whose oa:TextPositionSelectors are the offsets of subject and object in code points, end excluded.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from typing import IO, Any
from urllib.parse import quote

from ..model.fields import json_line
from ..support.files import digest
from .elements import Edge, Evidence, Node, Qualifiers
from .knowledge import KnowledgeGraph
from .writer_options import RdfSettings, WriterOptions

try:
    from rdflib import PROV, RDF, RDFS, SKOS, XSD, Graph, Literal, Namespace, URIRef
    from rdflib.namespace import DCTERMS
except ImportError:
    raise ImportError("writing RDF needs rdflib: pip install 'hf-spo[graph]'") from None

OA = Namespace("http://www.w3.org/ns/oa#")

_KINDS = ("entity", "type", "relation", "slot", "document", "statement", "terms")
# All characters but ASCII letters, digits and some marks, and RFC 3987's ucschar without white space, direction marks
# and joiners. Chinese stays legible: RDF 1.1 advises against unnecessary escapes.
_ESCAPED = re.compile(
    r"[^A-Za-z0-9._~:\-\u00a1-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe"
    r"\uff01-\uffef\U00010000-\U0001fffd\U00020000-\U0002fffd\U00030000-\U0003fffd]"
)

_Triple = tuple[URIRef, URIRef, URIRef | Literal]


def write_ntriples(graph: KnowledgeGraph, file: IO[str], options: WriterOptions) -> None:
    """Write N-Triples line by line; the other formats are built in rdflib's memory, some kB a fact."""
    file.writelines(map(_line, _Rdf(graph, options.rdf).triples()))


def write_turtle(graph: KnowledgeGraph, file: IO[str], options: WriterOptions) -> None:
    """Write Turtle."""
    file.write(_store(_Rdf(graph, options.rdf)).serialize(format="turtle"))


def write_jsonld(graph: KnowledgeGraph, file: IO[str], options: WriterOptions) -> None:
    """Write JSON-LD."""
    rdf = _Rdf(graph, options.rdf)
    document = json.loads(_store(rdf).serialize(format="json-ld", context=rdf.prefixes))
    file.write(json_line(_sorted(document), indent=1) + "\n")


def _store(rdf: "_Rdf") -> Graph:
    store = _Store()
    for triple in rdf.triples():
        store.add(triple)
    for prefix, namespace in rdf.prefixes.items():
        store.bind(prefix, namespace)
    return store


def _line(triple: _Triple) -> str:
    """Return a line of N-Triples; rdflib serialises whole graphs only, and takes five times as long."""
    subject, predicate, value = triple
    if isinstance(value, URIRef):
        return f"<{subject}> <{predicate}> <{value}> .\n"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    kind = f"^^<{value.datatype}>" if value.datatype else f"@{value.language}" if value.language else ""
    return f'<{subject}> <{predicate}> "{text}"{kind} .\n'


def _sorted(value: Any) -> Any:
    """Sort recursively: rdflib's sets have a different order in each process."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return sorted(map(_sorted, value), key=json_line) if isinstance(value, list) else value


class _Store(Graph):
    def compute_qname(self, uri: str, generate: bool = True) -> tuple[str, URIRef, str]:
        """Use the bound prefixes only: a prefix that rdflib generates may end within an escape."""
        return super().compute_qname(uri, False)


class _Rdf:
    def __init__(self, graph: KnowledgeGraph, settings: RdfSettings) -> None:
        self._graph, self._settings = graph, settings
        self._terms = Namespace(settings.base_iri + "terms/")
        self._is_literal: dict[tuple[str, str, str], bool] = {}

    @property
    def prefixes(self) -> dict[str, str]:
        standard = {"dcterms": DCTERMS, "oa": OA, "prov": PROV, "rdf": RDF, "rdfs": RDFS, "skos": SKOS, "xsd": XSD}
        ours = {kind: f"{self._settings.base_iri}{kind}/" for kind in _KINDS}
        return {**{name: str(namespace) for name, namespace in standard.items()}, **ours}

    def triples(self) -> Iterator[_Triple]:
        yield from self._vocabulary()
        for node in self._entities:
            iri = self._entity(node)
            if node.type:
                yield iri, RDF.type, self._iri("type", node.type)
            yield iri, RDFS.label, self._label(node.label)
            for alias in node.aliases:
                yield iri, SKOS.altLabel, self._label(alias)
        for document in dict.fromkeys(one.document for edge in self._graph.edges for one in edge.evidence):
            iri = self._iri("document", document)
            yield iri, RDF.type, PROV.Entity
            yield iri, DCTERMS.identifier, Literal(document)
        for edge in self._graph.edges:
            yield from self._fact(edge)

    def _vocabulary(self) -> Iterator[_Triple]:
        """Yield types, predicates and slots with their names as labels."""
        edges = self._graph.edges
        slots = (slot for edge in edges for qualifiers in edge.qualifiers for slot, _ in qualifiers)
        mapped = self._settings.predicates
        names = {
            "type": (RDFS.Class, (node.type for node in self._entities if node.type)),
            "relation": (RDF.Property, (edge.predicate for edge in edges if edge.predicate not in mapped)),
            "slot": (RDF.Property, slots),
        }
        for kind, (type_, used) in names.items():
            for name in dict.fromkeys(used):
                yield self._iri(kind, name), RDF.type, type_
                yield self._iri(kind, name), RDFS.label, self._label(name)

    def _fact(self, edge: Edge) -> Iterator[_Triple]:
        subject, predicate, value = self._entity(edge.subject), self._predicate(edge.predicate), self._object(edge)
        yield subject, predicate, value
        # The ids of the nodes, since literals of two types may have the same text.
        names = (edge.subject.id, edge.predicate, edge.object.id)
        iri = self._iri("statement", digest(*(name.encode() for name in names)))
        yield iri, RDF.type, RDF.Statement
        yield iri, RDF.subject, subject
        yield iri, RDF.predicate, predicate
        yield iri, RDF.object, value
        yield iri, self._terms["documents"], Literal(edge.documents)
        yield iri, self._terms["count"], Literal(edge.count)
        for term, score in ((self._terms["bestScore"], edge.best_score), (self._terms["meanScore"], edge.mean_score)):
            if score is not None:
                yield iri, term, _decimal(score)
        sets = {qualifiers: URIRef(f"{iri}/qualifiers/{at}") for at, qualifiers in enumerate(edge.qualifiers, 1)}
        for qualifiers, node in sets.items():
            yield iri, self._terms["qualifiedBy"], node
            for slot, mention in qualifiers:
                yield node, self._iri("slot", slot), self._value(mention, mention.type in self._settings.literal_types)
        for number, statement in enumerate(edge.evidence, 1):
            yield from self._evidence(iri, URIRef(f"{iri}/{number}"), statement, sets)

    def _evidence(
        self, fact: URIRef, iri: URIRef, statement: Evidence, sets: dict[Qualifiers, URIRef]
    ) -> Iterator[_Triple]:
        yield fact, PROV.wasDerivedFrom, iri
        yield iri, RDF.type, OA.SpecificResource
        yield iri, OA.hasSource, self._iri("document", statement.document)
        if statement.score is not None:
            yield iri, self._terms["score"], _decimal(statement.score)
        if statement.qualifiers:
            yield iri, self._terms["qualifiedBy"], sets[statement.qualifiers]
        for role, span in (("subject", statement.subject), ("object", statement.object)):
            if span is not None:
                selector = URIRef(f"{iri}/{role}")
                yield iri, self._terms[f"{role}Selector"], selector
                yield selector, RDF.type, OA.TextPositionSelector
                yield selector, OA.start, Literal(span.start, datatype=XSD.nonNegativeInteger)
                yield selector, OA.end, Literal(span.end, datatype=XSD.nonNegativeInteger)

    @cached_property
    def _entities(self) -> list[Node]:
        """The nodes that have an IRI, in the order of their first occurrence."""
        found: dict[Node, None] = {}
        for edge in self._graph.edges:
            found[edge.subject] = None
            if not self._has_literal(edge):
                found[edge.object] = None
            for qualifiers in edge.qualifiers:
                found.update((node, None) for _, node in qualifiers if node.type not in self._settings.literal_types)
        return list(found)

    def _has_literal(self, edge: Edge) -> bool:
        names = (edge.predicate, edge.subject.type, edge.object.type)
        if names not in self._is_literal:
            self._is_literal[names] = edge.object.type in self._settings.literal_types or self._formatted(*names)
        return self._is_literal[names]

    def _formatted(self, predicate: str, subject_type: str, object_type: str) -> bool:
        schema = self._settings.schema
        try:
            found = None if schema is None else schema[schema.find(predicate, subject_type, object_type)]
        except KeyError:
            return False
        return found is not None and found.rules.object_format is not None

    def _object(self, edge: Edge) -> URIRef | Literal:
        return self._value(edge.object, self._has_literal(edge))

    def _value(self, node: Node, literal: bool) -> URIRef | Literal:
        return Literal(node.label) if literal else self._entity(node)

    def _entity(self, node: Node) -> URIRef:
        return self._iri("entity", node.id)

    def _predicate(self, name: str) -> URIRef:
        mapped = self._settings.predicates.get(name)
        return self._iri("relation", name) if mapped is None else URIRef(mapped)

    def _iri(self, kind: str, name: str) -> URIRef:
        escaped = _ESCAPED.sub(lambda found: quote(found[0], safe=""), name)
        return URIRef(f"{self._settings.base_iri}{kind}/{escaped}")

    def _label(self, text: str) -> Literal:
        return Literal(text, lang=self._settings.language or None)


def _decimal(score: float) -> Literal:
    """Return a score as xsd:decimal, which has one written form; a double has several."""
    return Literal(format(Decimal(repr(score)), "f"), datatype=XSD.decimal)
