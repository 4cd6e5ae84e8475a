"""Graphs as RDF, read back by rdflib."""

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import PROV, RDF, RDFS, SKOS, Graph, Literal, Namespace, URIRef
from rdflib.compare import isomorphic

from hf_spo.graph import KnowledgeGraph, RdfSettings
from hf_spo.graph import rdf as module
from hf_spo.graph.rdf import OA
from hf_spo.graph.writer_options import WriterOptions
from hf_spo.graph.writers import find_writer
from tests.graph.graph_samples import FIRST_ROW, HOSTILE, HOSTILE_ROW, SCHEMA, SECOND_ROW, graph_of, triple

BASE = Namespace("https://example.org/")
TERMS = Namespace(BASE["terms/"])
PARSERS = {"turtle": "turtle", "ntriples": "nt", "jsonld": "json-ld"}
# rdflib's own parser of JSON-LD uses what rdflib advises against.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
EVERY_FORMAT = pytest.mark.parametrize("to", list(PARSERS))


def written(graph: KnowledgeGraph, to: str, **options: Any) -> str:
    file = io.StringIO()
    find_writer(to).write_to_stream(graph, file, WriterOptions(RdfSettings(**options)))
    return file.getvalue()


def read(graph: KnowledgeGraph, to: str = "turtle", **options: Any) -> Graph:
    return Graph().parse(data=written(graph, to, **options), format=PARSERS[to])


def test_facts_and_labels() -> None:
    found = read(graph_of(FIRST_ROW, SECOND_ROW))
    person, spouse = BASE["entity/人物:何雨晴"], BASE["entity/人物:周一鸣"]
    assert (person, BASE["relation/配偶"], spouse) in found
    assert set(found.objects(person, BASE["relation/出生日期"])) == {Literal("1984年5月3日"), Literal("1985年")}
    assert set(found.objects(person)) >= {BASE["type/人物"], Literal("何雨晴")}
    assert (BASE["type/人物"], RDFS.label, Literal("人物")) in found
    assert (BASE["relation/配偶"], RDF.type, RDF.Property) in found
    assert not list(found.triples((BASE["entity/Date:1985年"], None, None)))


def test_how_facts_are_supported() -> None:
    found = read(graph_of(FIRST_ROW, FIRST_ROW, SECOND_ROW))
    (award,) = found.subjects(RDF.object, BASE["entity/奖项:最佳女主角"])
    assert (award, RDF.type, RDF.Statement) in found
    values = {name: found.value(award, TERMS[name]).toPython() for name in ("documents", "count")}
    assert values == {"documents": 1, "count": 2}
    assert float(found.value(award, TERMS["bestScore"])) == float(found.value(award, TERMS["meanScore"])) == 0.81
    qualifiers = found.value(award, TERMS["qualifiedBy"])
    assert found.value(qualifiers, BASE["slot/inWork"]) == BASE["entity/作品:海边"]
    assert found.value(qualifiers, BASE["slot/onDate"]) == Literal("2010年")
    assert (BASE["entity/作品:海边"], RDFS.label, Literal("海边")) in found
    sources = list(found.objects(award, PROV.wasDerivedFrom))
    assert len(sources) == 2
    for source in sources:
        assert found.value(source, OA.hasSource) == BASE["document/news%2F17"]
        assert found.value(source, TERMS["qualifiedBy"]) == qualifiers
        assert float(found.value(source, TERMS["score"])) == 0.81
        offsets = [
            found.value(found.value(source, TERMS[f"{role}Selector"]), border).toPython()
            for role in ("subject", "object")
            for border in (OA.start, OA.end)
        ]
        assert offsets == [25, 28, 35, 40]


def test_what_is_not_known_is_not_there() -> None:
    found = read(graph_of({"triples": [triple(("a", ""), "p", ("b", ""))]}))
    assert (BASE["entity/:a"], BASE["relation/p"], BASE["entity/:b"]) in found
    assert not list(found.objects(BASE["entity/:a"], RDF.type))
    assert not list(found.triples((None, TERMS["score"], None)))
    assert not list(found.triples((None, OA.start, None)))
    found = read(graph_of(FIRST_ROW, provenance=False))
    assert not list(found.triples((None, PROV.wasDerivedFrom, None)))
    assert len(list(found.subjects(RDF.type, RDF.Statement))) == 2


def test_aliases_and_language() -> None:
    rows = {"triples": [triple((name, "书"), "p", ("b", "")) for name in ("海边", "海边", "《海边》")]}
    found = read(graph_of(rows), language="zh")
    assert found.value(BASE["entity/书:海边"], RDFS.label) == Literal("海边", lang="zh")
    assert found.value(BASE["entity/书:海边"], SKOS.altLabel) == Literal("《海边》", lang="zh")


def test_literals_by_type_and_by_rule() -> None:
    graph = graph_of(SECOND_ROW)
    person, predicate = BASE["entity/人物:何雨晴"], BASE["relation/出生日期"]
    assert read(graph, literal_types=frozenset()).value(person, predicate) == BASE["entity/Date:1985年"]
    assert read(graph, literal_types=frozenset(), schema=SCHEMA).value(person, predicate) == Literal("1985年")
    unknown = graph_of({"triples": [triple(("a", ""), "p", ("b", ""))]})
    assert read(unknown, schema=SCHEMA).value(BASE["entity/:a"], BASE["relation/p"]) == BASE["entity/:b"]


def test_literals_that_read_alike_are_facts_of_their_own() -> None:
    facts = [triple(("a", ""), "p", ("5", type_)) for type_ in ("Date", "Number")]
    assert len(list(read(graph_of({"triples": facts})).subjects(RDF.type, RDF.Statement))) == 2


def test_predicates_of_other_vocabularies() -> None:
    birth = "https://schema.org/birthDate"
    found = read(graph_of(SECOND_ROW), predicates={"出生日期": birth}, base_iri="urn:my:")
    assert found.value(URIRef("urn:my:entity/人物:何雨晴"), URIRef(birth)) == Literal("1985年")
    assert not list(found.predicate_objects(URIRef(birth)))
    assert not list(found.predicate_objects(URIRef("urn:my:relation/出生日期")))


@EVERY_FORMAT
def test_all_formats_say_the_same(to: str) -> None:
    graph = graph_of(FIRST_ROW, SECOND_ROW, HOSTILE_ROW)
    store = Graph()
    for fact in module._Rdf(graph, RdfSettings()).triples():
        store.add(fact)
    assert isomorphic(read(graph, to), store)
    assert written(graph, to) == written(graph_of(FIRST_ROW, SECOND_ROW, HOSTILE_ROW), to)


@EVERY_FORMAT
def test_hostile_names(to: str) -> None:
    found = read(graph_of(HOSTILE_ROW), to)
    labels = {str(label) for label in found.objects(None, RDFS.label)}
    assert any(label.startswith("</script><script>alert(1)</script>\"'`}) DETACH DELETE n") for label in labels)
    (statement,) = found.subjects(RDF.type, RDF.Statement)
    assert str(found.value(statement, RDF.predicate)).startswith("https://example.org/relation/%3C%2Fscript%3E%3C")
    assert all(str(iri).isprintable() for fact in found for iri in fact if isinstance(iri, URIRef))


def test_turtle_has_no_prefixes_but_ours() -> None:
    names = ["中文", "a b", "100%", "%E4", "é\u200d家", "."]
    text = written(graph_of({"triples": [triple(("a", ""), name, ("b", "")) for name in names]}), "turtle")
    prefixes = {line.split()[1] for line in text.splitlines() if line.startswith("@prefix")}
    assert prefixes >= {"relation:", "terms:"}
    assert not {prefix for prefix in prefixes if prefix.startswith("ns")}
    assert "relation:中文" in text
    assert "<https://example.org/relation/%25E4>" in text


@EVERY_FORMAT
def test_nothing(to: str) -> None:
    assert len(read(KnowledgeGraph(), to)) == 0


@given(st.lists(st.tuples(st.text(max_size=6), st.text(max_size=3)), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_every_name_comes_back(names: list[tuple[str, str]]) -> None:
    facts = [triple((name, type_), name, ("b" + name, type_), 1e-7) for name, type_ in names if name.strip()]
    graph = graph_of({"id": HOSTILE, "triples": facts})
    found = [read(graph, to) for to in PARSERS]
    assert all(isomorphic(found[0], other) for other in found[1:])
    # A node may be there as an alias or as a literal alone.
    labels = {str(label) for label in found[0].objects(None, RDFS.label)}
    assert labels >= {node.label for node in graph.nodes}
    entities = {iri for iri in found[0].subjects(RDFS.label) if str(iri).startswith(BASE["entity/"])}
    assert len(entities) == len(graph.nodes)
