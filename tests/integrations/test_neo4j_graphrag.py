import asyncio
import json

import pytest

from tests import builders

pytest.importorskip("neo4j_graphrag")

from neo4j_graphrag.components.entity_relation_extractor import OnError
from neo4j_graphrag.components.graph_pruning import GraphPruning
from neo4j_graphrag.components.kg_writer import KGWriter, KGWriterModel
from neo4j_graphrag.components.text_splitters.fixed_size_splitter import FixedSizeSplitter
from neo4j_graphrag.components.types import DocumentInfo, LexicalGraphConfig, Neo4jGraph, TextChunk, TextChunks
from neo4j_graphrag.experimental.pipeline import Pipeline
from pydantic import validate_call

from hf_spo.integrations.neo4j_graphrag import SpoEntityRelationExtractor

TEXTS = [item.text for item in builders.EXAMPLES]
CHUNKS = TextChunks(chunks=[TextChunk(text=text, index=i, uid=f"chunk{i}") for i, text in enumerate(TEXTS)])
GOLD = {
    (t.subject.type, t.subject.text, t.predicate, t.object.type, t.object.text)
    for item in builders.EXAMPLES
    for t in item.triples
}


class Collect(KGWriter):
    """Keep the graph that reaches the writer."""

    @validate_call
    async def run(self, graph: Neo4jGraph, lexical_graph_config: LexicalGraphConfig | None = None) -> KGWriterModel:
        self.graph = graph
        return KGWriterModel(status="SUCCESS")


@pytest.fixture(scope="module")
def extractor(trained_folder):
    return SpoEntityRelationExtractor(trained_folder, device="cpu")


def run(extractor, chunks=CHUNKS, **inputs):
    return asyncio.run(extractor.run(chunks=chunks, **inputs))


def facts(graph):
    nodes = {node.id: (node.label, node.properties.get("name")) for node in graph.nodes}
    return {(*nodes[r.start_node_id], r.type, *nodes[r.end_node_id]) for r in graph.relationships if r.properties}


def test_relationships_have_score_document_offsets_and_qualifiers(extractor):
    graph = run(extractor, document_info=DocumentInfo(path="book.txt", uid="book"))
    assert facts(graph) == GOLD
    names = {node.id: node.properties.get("name") for node in graph.nodes}
    found = [relation for relation in graph.relationships if relation.properties]
    for relation in found:
        given = relation.properties
        text = TEXTS[int(relation.start_node_id.split(":")[0].removeprefix("chunk"))]
        assert text[given["subject_start"] : given["subject_end"]] == names[relation.start_node_id]
        assert text[given["object_start"] : given["object_end"]] == names[relation.end_node_id]
        assert 0 < given["score"] <= 1
        assert given["document"] == "book"
    slots = {slot for r in found for one in r.properties["qualifiers"] for slot in json.loads(one)}
    assert slots == {slot for item in builders.EXAMPLES for t in item.triples for slot in t.qualifiers}


def test_the_lexical_graph(extractor, trained_folder):
    graph = run(extractor, document_info=DocumentInfo(path="book.txt", uid="book"))
    types = {relation.type for relation in graph.relationships if not relation.properties}
    assert types == {"FROM_DOCUMENT", "NEXT_CHUNK", "FROM_CHUNK"}
    entities = {node.id for node in graph.nodes} - {"book", *(chunk.uid for chunk in CHUNKS.chunks)}
    assert {r.start_node_id for r in graph.relationships if r.type == "FROM_CHUNK"} == entities
    without = SpoEntityRelationExtractor(trained_folder, device="cpu", create_lexical_graph=False)
    assert {node.id for node in run(without).nodes} == entities
    named = run(without, lexical_graph_config=LexicalGraphConfig(node_to_chunk_relationship_type="IN"))
    assert {relation.type for relation in named.relationships if not relation.properties} == {"IN"}


def test_in_a_pipeline(extractor):
    pipeline, writer = Pipeline(), Collect()
    pipeline.add_component(FixedSizeSplitter(chunk_size=200, chunk_overlap=0), "splitter")
    pipeline.add_component(extractor, "extractor")
    pipeline.add_component(GraphPruning(), "pruner")
    pipeline.add_component(writer, "writer")
    pipeline.connect("splitter", "extractor", {"chunks": "splitter"})
    pipeline.connect("extractor", "pruner", {"graph": "extractor"})
    pipeline.connect("pruner", "writer", {"graph": "pruner.graph"})
    asyncio.run(pipeline.run({"splitter": {"text": TEXTS[0]}}))
    expected = builders.EXAMPLES[0].triples
    assert {fact[1:3] + fact[4:] for fact in facts(writer.graph)} == {
        (t.subject.text, t.predicate, t.object.text) for t in expected
    }


def test_all_chunks_go_through_the_model_together(extractor, monkeypatch):
    load, calls = extractor._model.load, []
    monkeypatch.setattr(
        extractor._model, "load", lambda: lambda texts, **kw: calls.append(texts) or load()(texts, **kw)
    )
    run(extractor)
    assert calls == [TEXTS]


def test_a_chunk_that_fails(trained_folder, caplog):
    long = TextChunk(text="今天天气很好" * 40, index=9, uid="long")
    chunks = TextChunks(chunks=[*CHUNKS.chunks, long])
    strict = SpoEntityRelationExtractor(trained_folder, device="cpu", on_long="error")
    with pytest.raises(ValueError, match="long"):
        run(strict, chunks)
    lenient = SpoEntityRelationExtractor(trained_folder, device="cpu", on_long="error", on_error=OnError.IGNORE)
    assert facts(run(lenient, chunks)) == GOLD
    assert "chunk long is left without entities" in caplog.text


@pytest.mark.parametrize(("wrong", "error"), [({"treshold": 0.5}, TypeError), ({"threshold": 1.5}, ValueError)])
def test_what_is_wrong_is_refused_at_once(wrong, error):
    with pytest.raises(error, match="threshold"):
        SpoEntityRelationExtractor(**wrong)
