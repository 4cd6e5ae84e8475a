"""Real stores: what the writers write is loaded and queried, and holds the graph, hostile names included.

Oxigraph answers SPARQL, Ladybug Cypher, NetworkX and igraph read GraphML.
"""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import igraph
import ladybug
import networkx
import pyoxigraph
import pytest

from hf_spo.graph import KnowledgeGraph, RdfSettings, write_graph
from tests.graph.graph_samples import FIRST_ROW, HOSTILE_ROW, SECOND_ROW, graph_of, triple

NAMES = [
    'it\'s "x"',
    "a\\",
    "`",
    "line\nend\r\n",
    "😀",
    "a\u2028b\u2029c\x85d",
    "<b>&amp;</b>",
    "%2F:#?",
    "{x} $y ${z}",
    "é",
    "-",
    "中 文",
]
PREFIXES = """
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX oa: <http://www.w3.org/ns/oa#>
PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX terms: <https://example.org/terms/>
"""
FACTS = """SELECT ?subject ?predicate ?object ?documents WHERE {
  ?fact a rdf:Statement; rdf:subject ?s; rdf:predicate ?p; rdf:object ?o; terms:documents ?documents.
  ?s rdfs:label ?subject. ?p rdfs:label ?predicate. ?o rdfs:label ?object. ?s ?p ?o }"""
EVIDENCE = """SELECT ?document ?start ?end WHERE {
  ?fact a rdf:Statement; prov:wasDerivedFrom ?one.
  ?one oa:hasSource/dcterms:identifier ?document; terms:subjectSelector [ oa:start ?start; oa:end ?end ] }"""

RDF_FORMATS = {
    "ttl": pyoxigraph.RdfFormat.TURTLE,
    "nt": pyoxigraph.RdfFormat.N_TRIPLES,
    "jsonld": pyoxigraph.RdfFormat.JSON_LD,
}


def sample() -> KnowledgeGraph:
    """Two documents, one with hostile names, and a ring of many names with two relations."""
    ring = [
        triple((name, "t'"), predicate, (after, 't"'), score)
        for name, after in zip(NAMES, [*NAMES[1:], NAMES[0]], strict=True)
        for predicate, score in (("p", None), (name, 0.25))
    ]
    return graph_of(FIRST_ROW, SECOND_ROW, HOSTILE_ROW, {"id": "ring", "triples": ring})


def wanted(graph: KnowledgeGraph) -> list[tuple[str, str, str, int]]:
    return sorted((edge.subject.label, edge.predicate, edge.object.label, edge.documents) for edge in graph.edges)


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return sample()


class TestOxigraph:
    def loaded(self, graph: KnowledgeGraph, path: Path, store: pyoxigraph.Store | None = None) -> pyoxigraph.Store:
        write_graph(graph, path, rdf=RdfSettings(literal_types=frozenset()))
        store = store or pyoxigraph.Store()
        store.load(path=str(path), format=RDF_FORMATS[path.suffix[1:]])
        return store

    def rows(self, store: pyoxigraph.Store, query: str) -> list[tuple[Any, ...]]:
        return sorted(
            tuple(int(one.value) if one.datatype.value.lower().endswith("integer") else one.value for one in row)
            for row in store.query(PREFIXES + query)
        )

    @pytest.mark.parametrize("suffix", RDF_FORMATS)
    def test_facts_and_evidence(self, graph: KnowledgeGraph, suffix: str, tmp_path: Path) -> None:
        store = self.loaded(graph, tmp_path / f"graph.{suffix}")
        assert self.rows(store, FACTS) == wanted(graph)
        evidence = [
            (one.document, one.subject.start, one.subject.end)
            for edge in graph.edges
            for one in edge.evidence
            if one.subject
        ]
        assert len(evidence) == 4
        assert self.rows(store, EVIDENCE) == sorted(evidence)

    def test_all_formats_say_the_same_and_loading_again_adds_nothing(
        self, graph: KnowledgeGraph, tmp_path: Path
    ) -> None:
        stores = [self.loaded(graph, tmp_path / f"graph.{suffix}") for suffix in RDF_FORMATS]
        first = {str(quad) for quad in stores[0]}
        assert [len(store) for store in stores] == [len(first)] * 3
        assert all({str(quad) for quad in store} == first for store in stores)
        assert len(self.loaded(graph, tmp_path / "graph.nt", stores[0])) == len(first)


def run_as_its_header_says(script: Path) -> None:
    """Run the Python lines in the comment of a script."""
    lines = [line.removeprefix("//") for line in script.read_text(encoding="utf-8").split("\n") if line[:4] == "//  "]
    exec(textwrap.dedent("\n".join(lines)), {})


class TestLadybug:
    @pytest.fixture
    def query(self, graph: KnowledgeGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        monkeypatch.chdir(tmp_path)
        for _ in range(2):  # the second time changes nothing
            write_graph(graph, "graph.ladybug")
            run_as_its_header_says(Path("graph.ladybug"))
        with ladybug.Database("graph.lbug") as database, ladybug.Connection(database) as connection:
            yield lambda cypher, **values: connection.execute(cypher, values).get_all()

    def test_facts(self, graph: KnowledgeGraph, query: Any) -> None:
        found = query("MATCH (s:Entity)-[f:Fact]->(o:Entity) RETURN s.name, f.predicate, o.name, f.documents")
        assert sorted(map(tuple, found)) == wanted(graph)
        assert query("MATCH (n:Entity) RETURN count(*)") == [[len(graph.nodes)]]

    def test_properties(self, graph: KnowledgeGraph, query: Any) -> None:
        for node in graph.nodes:
            (found,) = query("MATCH (n:Entity {id: $id}) RETURN n.name, n.type, n.aliases, n.mentions", id=node.id)
            assert found == list(node.properties().values())
        found = query("MATCH ()-[f:Fact]->() RETURN f.score, f.sources, f.evidence, f.qualifiers")
        told = [edge.properties() for edge in graph.edges]
        names = ("score", "sources", "evidence", "qualifiers")
        assert sorted(map(str, found)) == sorted(str([one.get(name) for name in names]) for one in told)

    def test_a_path(self, query: Any) -> None:
        found = query(
            "MATCH (a:Entity {type: '人物'})-[:Fact {predicate: '配偶'}]->(b)<-[f:Fact]-(c) RETURN a.name, f.count"
        )
        assert found == [["何雨晴", 1]]

    def test_an_update(self, query: Any) -> None:
        write_graph(graph_of(FIRST_ROW, {**FIRST_ROW, "id": "again"}), "graph.ladybug")
        before = query("MATCH ()-[f:Fact]->() RETURN count(*)")
        rows = json.loads(Path("graph.ladybug.json").read_text(encoding="utf-8"))
        *_, facts = Path("graph.ladybug").read_text(encoding="utf-8").split(";\n")[:-1]
        query(facts, facts=rows["facts"])
        assert query("MATCH ()-[f:Fact]->() RETURN count(*)") == before
        assert query("MATCH ()-[f:Fact {predicate: '获奖'}]->() RETURN f.documents") == [[2]]

    def test_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        write_graph(KnowledgeGraph(), "graph.ladybug")
        run_as_its_header_says(Path("graph.ladybug"))
        with ladybug.Database("graph.lbug") as database, ladybug.Connection(database) as connection:
            assert connection.execute("MATCH (n:Entity) RETURN count(*)").get_all() == [[0]]


class TestGraphML:
    def test_networkx(self, graph: KnowledgeGraph, tmp_path: Path) -> None:
        write_graph(graph, tmp_path / "graph.graphml")
        read = networkx.read_graphml(tmp_path / "graph.graphml", force_multigraph=True)
        labels = dict(read.nodes(data="label"))
        found = [(labels[s], data["predicate"], labels[o], data["documents"]) for s, o, data in read.edges(data=True)]
        assert sorted(found) == wanted(graph)

    def test_igraph(self, graph: KnowledgeGraph, tmp_path: Path) -> None:
        write_graph(graph, tmp_path / "graph.graphml")
        read = igraph.Graph.Read_GraphML(str(tmp_path / "graph.graphml"))
        labels = read.vs["label"]
        found = [(labels[e.source], e["predicate"], labels[e.target], int(e["documents"])) for e in read.es]
        assert sorted(found) == wanted(graph)
