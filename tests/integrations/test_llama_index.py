import asyncio
import json
import pickle

import pytest

from tests import builders

pytest.importorskip("llama_index.core")

from llama_index.core import Document, PropertyGraphIndex
from llama_index.core.graph_stores.types import KG_NODES_KEY, KG_RELATIONS_KEY, EntityNode
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import TextNode

from hf_spo.integrations.llama_index import SpoPathExtractor

TEXTS = [item.text for item in builders.EXAMPLES]


@pytest.fixture
def nodes():
    return [TextNode(id_=f"chunk{i}", text=text, metadata={"page": i}) for i, text in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def extractor(trained_folder):
    return SpoPathExtractor(model=trained_folder, device="cpu")


def relations(nodes):
    return [relation for node in nodes for relation in node.metadata[KG_RELATIONS_KEY]]


def test_relations_have_score_document_offsets_and_qualifiers(extractor, nodes):
    extractor(nodes)
    for text, item, node in zip(TEXTS, builders.EXAMPLES, nodes, strict=True):
        found = node.metadata[KG_RELATIONS_KEY]
        assert {(r.source_id, r.label, r.target_id) for r in found} == {
            (t.subject.text, t.predicate, t.object.text) for t in item.triples
        }
        for relation in found:
            given = relation.properties
            assert text[given["subject_start"] : given["subject_end"]] == relation.source_id
            assert text[given["object_start"] : given["object_end"]] == relation.target_id
            assert 0 < given["score"] <= 1
            assert given["document"] == node.node_id
            assert given["page"] == node.metadata["page"]
    slots = {slot for r in relations(nodes) for one in r.properties["qualifiers"] for slot in json.loads(one)}
    assert slots == {slot for item in builders.EXAMPLES for t in item.triples for slot in t.qualifiers}


def test_entities_have_their_type_as_label(extractor, nodes):
    extractor(nodes)
    found = {(entity.label, entity.name) for node in nodes for entity in node.metadata[KG_NODES_KEY]}
    gold = {(m.type, m.text) for item in builders.EXAMPLES for t in item.triples for m in (t.subject, t.object)}
    assert found == gold


def test_what_another_extractor_found_stays(extractor, nodes):
    nodes[0].metadata[KG_NODES_KEY] = [EntityNode(name="other")]
    extractor(nodes[:1])
    assert nodes[0].metadata[KG_NODES_KEY][0].name == "other"
    assert len(nodes[0].metadata[KG_NODES_KEY]) > 1


def test_a_property_graph_index(extractor, nodes):
    index = PropertyGraphIndex(nodes=nodes, kg_extractors=[extractor], embed_kg_nodes=False, use_async=True)
    stored = {(s.id, r.label, o.id) for s, r, o in index.property_graph_store.graph.get_triplets()}
    assert stored >= {(t.subject.text, t.predicate, t.object.text) for item in builders.EXAMPLES for t in item.triples}


def test_the_document_of_a_chunk(extractor):
    pipeline = IngestionPipeline(transformations=[SentenceSplitter(chunk_size=200), extractor])
    made = pipeline.run(documents=[Document(id_="book", text=TEXTS[0])])
    assert {relation.properties["document"] for relation in relations(made)} == {"book"}


def test_all_texts_go_through_the_model_together(extractor, nodes, monkeypatch):
    load, calls = extractor._component.load, []
    monkeypatch.setattr(
        extractor._component, "load", lambda: lambda texts, **kw: calls.append((texts, kw)) or load()(texts, **kw)
    )
    extractor(nodes)
    asyncio.run(extractor.acall(nodes))
    assert calls == [(TEXTS, {"batch_size": None})] * 2


def test_nodes_without_text(extractor):
    empty = [TextNode(text=""), TextNode(text="Anna")]
    assert relations(extractor(empty)) == []
    assert extractor([]) == []


def test_settings_are_serialised(trained_folder):
    made = SpoPathExtractor(model=trained_folder, device="cpu", batch_size=2, top_k=1)
    data = made.to_dict()
    assert data == {
        "model": trained_folder, "device": "cpu", "dtype": "auto", "batch_size": 2,
        "options": {"top_k": 1}, "class_name": "SpoPathExtractor",
    }  # fmt: skip
    for again in (SpoPathExtractor.from_dict(data), pickle.loads(pickle.dumps(made))):
        assert len(relations(again([TextNode(text=TEXTS[2])]))) == 1


@pytest.mark.parametrize(("wrong", "error"), [({"treshold": 0.5}, TypeError), ({"threshold": 1.5}, ValueError)])
def test_what_is_wrong_is_refused_at_once(wrong, error):
    with pytest.raises(error, match="threshold"):
        SpoPathExtractor(**wrong)
