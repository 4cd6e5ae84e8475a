"""What type checkers and editors know of a result. mypy checks this file; the tests check that it is true."""

from collections.abc import Iterator
from typing import assert_type, get_type_hints

import pyarrow as pa
import pytest
from datasets import Dataset
from transformers.pipelines.pt_utils import KeyDataset

import hf_spo
from hf_spo import MentionDict, TripleDict, TripleExtractionPipeline, Triples
from hf_spo.model.extraction import TripleExtractor
from hf_spo.model.options import OPTIONS, ExtractionKwargs, ExtractionOptions
from hf_spo.model.results import Column, TriplesStream
from hf_spo.onnx import OnnxTripleExtractionPipeline

TEXT = "《远山的灯》由林小川执导。"

Extract = TripleExtractionPipeline | OnnxTripleExtractionPipeline


@pytest.fixture(scope="module")
def extract() -> Extract:
    return assert_type(hf_spo.load("lite"), TripleExtractionPipeline)


def test_a_text(extract: Extract) -> None:
    triples = assert_type(extract(TEXT), Triples)
    triple = assert_type(triples[0], TripleDict)
    assert_type(triples[:1], Triples)
    subject = assert_type(triple["subject"], MentionDict)
    assert assert_type(subject["text"], str) == TEXT[assert_type(subject["start"], int) : subject["end"]]
    assert isinstance(assert_type(triple["score"], float), float)
    assert triple.keys() == TripleDict.__required_keys__
    assert subject.keys() == MentionDict.__required_keys__
    assert_type(triple["qualifiers"], dict[str, MentionDict])


def test_several_texts(extract: Extract) -> None:
    several = assert_type(extract([TEXT, TEXT], top_k=1, batch_size=2), list[Triples])
    assert isinstance(several, list)
    assert [type(triples) for triples in several] == [Triples, Triples]
    assert_type(extract((TEXT,)), list[Triples])
    column: Column = pa.array([TEXT])
    assert_type(extract(column), list[Triples])


def test_streams_of_texts(extract: Extract) -> None:
    streams = (
        assert_type(extract(text for text in [TEXT]), Iterator[Triples]),
        assert_type(extract(KeyDataset(Dataset.from_list([{"text": TEXT}]), "text")), TriplesStream),
    )
    assert len(streams[1]) == 1
    for stream in streams:
        assert isinstance(stream, Iterator)
        for triples in stream:
            assert type(assert_type(triples, Triples)) is Triples


def test_loops_and_triples(extract: Extract) -> None:
    assert isinstance(extract, TripleExtractionPipeline)
    loop = extract.extractor(relations=["导演"], on_long="error")
    assert isinstance(loop, TripleExtractor)
    ((text, found),) = loop.pairs([TEXT])
    assert_type(text, str)
    assert assert_type(found[0].subject.text, str) == "远山的灯"


def test_what_is_loaded(exported_folder: str) -> None:
    loaded = assert_type(hf_spo.load(exported_folder), Extract)
    assert isinstance(loaded, OnnxTripleExtractionPipeline)
    assert_type(hf_spo.load("lite", backend="torch"), TripleExtractionPipeline)


def test_misspelt_keys_and_options_are_errors_of_type_checkers(extract: Extract) -> None:
    with pytest.raises(KeyError):
        extract(TEXT)[0]["subjct"]  # type: ignore[typeddict-item]
    with pytest.raises(TypeError, match="did you mean threshold"):
        extract(TEXT, treshold=0.5)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="got str"):
        extract(TEXT, top_k="3")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="expected one of window, warn, error"):
        extract(TEXT, on_long="cut")  # type: ignore[call-overload]


def test_keyword_arguments_are_the_fields_of_the_options() -> None:
    stated, declared = get_type_hints(ExtractionKwargs), get_type_hints(ExtractionOptions)
    assert list(stated) == list(OPTIONS)
    for name, kind in declared.items():
        kinds = {str: "Literal", tuple[str, ...]: "tuple[str, ...]"}
        assert str(kinds.get(kind, getattr(kind, "__name__", kind))) in str(stated[name]) or stated[name] == kind | None
    (literal, _) = stated["on_long"].__args__
    assert list(literal.__args__) == OPTIONS["on_long"].metadata["schema"]["enum"]
