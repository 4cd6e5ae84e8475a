import pytest

from tests import builders

pytest.importorskip("haystack")

from haystack import Document, Pipeline
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore

from hf_spo.integrations.haystack import SpoTripleExtractor

TEXTS = [item.text for item in builders.EXAMPLES]
DOCUMENTS = [Document(content=text, meta={"page": i}) for i, text in enumerate(TEXTS)]
GOLD = [builders.facts(item.triples) for item in builders.EXAMPLES]


@pytest.fixture(scope="module")
def extractor(trained_folder):
    return SpoTripleExtractor(trained_folder, device="cpu")


def found(documents):
    return [builders.facts(document.meta["triples"]) for document in documents]


def test_documents_get_their_triples(extractor):
    extractor.warm_up()
    documents = extractor.run(documents=DOCUMENTS)["documents"]
    assert found(documents) == GOLD
    assert [document.id for document in documents] == [document.id for document in DOCUMENTS]
    assert [document.meta["page"] for document in documents] == list(range(len(TEXTS)))
    assert "triples" not in DOCUMENTS[0].meta
    assert all(0 < triple["score"] <= 1 for document in documents for triple in document.meta["triples"])


def test_in_a_pipeline_that_was_saved(extractor):
    pipeline = Pipeline()
    pipeline.add_component("triples", extractor)
    pipeline.add_component("writer", DocumentWriter(InMemoryDocumentStore()))
    pipeline.connect("triples", "writer")
    again = Pipeline.loads(pipeline.dumps(), allowed_modules=["hf_spo.*"])
    again.run({"triples": {"documents": DOCUMENTS}})
    stored = again.get_component("writer").document_store.filter_documents()
    assert found(sorted(stored, key=lambda document: document.meta["page"])) == GOLD


def test_settings_are_serialised(trained_folder):
    made = SpoTripleExtractor(trained_folder, device="cpu", batch_size=2, top_k=1)
    again = SpoTripleExtractor.from_dict(made.to_dict())
    assert again.to_dict() == made.to_dict()
    assert len(again.run(documents=DOCUMENTS[2:3])["documents"][0].meta["triples"]) == 1


def test_documents_without_text(extractor):
    assert extractor.run(documents=[]) == {"documents": []}
    assert found(extractor.run(documents=[Document(content=None), Document(content="")])["documents"]) == [set(), set()]


def test_all_documents_go_through_the_model_together(extractor, monkeypatch):
    load, calls = extractor._model.load, []
    monkeypatch.setattr(
        extractor._model, "load", lambda: lambda texts, **kw: calls.append(texts) or load()(texts, **kw)
    )
    extractor.run(documents=DOCUMENTS)
    assert calls == [TEXTS]


@pytest.mark.parametrize(("wrong", "error"), [({"treshold": 0.5}, TypeError), ({"threshold": 1.5}, ValueError)])
def test_what_is_wrong_is_refused_at_once(wrong, error):
    with pytest.raises(error, match="threshold"):
        SpoTripleExtractor(**wrong)
