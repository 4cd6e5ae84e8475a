import asyncio
import json
from hashlib import md5

import pytest

from tests import builders

pytest.importorskip("langchain_neo4j")

from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from langchain_neo4j.graphs.graph_document import GraphDocument

from hf_spo.integrations.langchain import SpoGraphTransformer

TEXTS = [item.text for item in builders.EXAMPLES]
DOCUMENTS = [Document(page_content=text, id=f"document{i}") for i, text in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def transformer(trained_folder):
    return SpoGraphTransformer(trained_folder, device="cpu")


def facts(graph):
    return {
        (r.source.type, r.source.id, r.type, r.target.type, r.target.id) for one in graph for r in one.relationships
    }


GOLD = {
    (t.subject.type, t.subject.text, t.predicate, t.object.type, t.object.text)
    for item in builders.EXAMPLES
    for t in item.triples
}


def test_graph_documents(transformer):
    graph = transformer.convert_to_graph_documents(DOCUMENTS)
    assert facts(graph) == GOLD
    assert [one.source for one in graph] == DOCUMENTS
    for one, text in zip(graph, TEXTS, strict=True):
        assert isinstance(one, GraphDocument)
        assert {(n.type, n.id) for n in one.nodes} == {
            (n.type, n.id) for r in one.relationships for n in (r.source, r.target)
        }
        for relation in one.relationships:
            given = relation.properties
            assert text[given["subject_start"] : given["subject_end"]] == relation.source.id
            assert text[given["object_start"] : given["object_end"]] == relation.target.id
            assert 0 < given["score"] <= 1
            assert given["document"] == one.source.id
    relationships = [relation for one in graph for relation in one.relationships]
    slots = {slot for r in relationships for sets in r.properties["qualifiers"] for slot in json.loads(sets)}
    assert slots == {slot for item in builders.EXAMPLES for t in item.triples for slot in t.qualifiers}


def test_a_name_has_one_form_in_all_documents(transformer):
    texts = ["《晚风》由白露演唱", "歌曲晚风由白露演唱", "歌曲晚风由白露演唱"]
    graph = transformer.batch([Document(page_content=text) for text in texts])
    assert len({node.id for one in graph for node in one.nodes if "晚风" in node.id}) == 1


def test_the_document_is_named_as_the_graph_store_names_it(transformer):
    for document, name in [
        (Document(page_content=TEXTS[0], metadata={"id": 7}), "7"),
        (Document(page_content=TEXTS[0]), md5(TEXTS[0].encode()).hexdigest()),
    ]:
        (relation, *_) = transformer.invoke(document).relationships
        assert relation.properties["document"] == name


def test_a_runnable(transformer):
    chain = RunnableLambda(lambda text: Document(page_content=text)) | transformer
    assert facts([chain.invoke(TEXTS[0])]) <= GOLD
    assert facts(chain.batch(TEXTS)) == GOLD
    assert facts(asyncio.run(chain.abatch(TEXTS))) == GOLD
    assert facts(asyncio.run(transformer.aconvert_to_graph_documents(DOCUMENTS))) == GOLD
    assert facts([transformer.process_response(DOCUMENTS[0])]) <= GOLD


def test_all_documents_go_through_the_model_together(transformer, monkeypatch):
    load, calls = transformer._model.load, []
    monkeypatch.setattr(
        transformer._model, "load", lambda: lambda texts, **kw: calls.append(texts) or load()(texts, **kw)
    )
    transformer.batch(DOCUMENTS)
    asyncio.run(transformer.abatch(DOCUMENTS))
    assert calls == [TEXTS, TEXTS]
    assert transformer.batch([]) == []


def test_a_batch_that_fails(trained_folder):
    strict = SpoGraphTransformer(trained_folder, device="cpu", on_long="error")
    long = Document(page_content="今天天气很好" * 40)
    with pytest.raises(ValueError, match="long"):
        strict.batch([long])
    (error,) = strict.batch([long], return_exceptions=True)
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(("wrong", "error"), [({"treshold": 0.5}, TypeError), ({"threshold": 1.5}, ValueError)])
def test_what_is_wrong_is_refused_at_once(wrong, error):
    with pytest.raises(error, match="threshold"):
        SpoGraphTransformer(**wrong)
