"""hf_spo.load: torch or ONNX, number format, device, threads; hf_spo.pipeline: that of transformers."""

import pytest
import torch

import hf_spo
from hf_spo import TripleExtractionPipeline
from hf_spo.model.checkpoint import CheckpointError
from hf_spo.onnx import OnnxTripleExtractionPipeline
from tests import builders

TEXTS = [item.text for item in builders.EXAMPLES]
GOLD = [builders.facts(item.triples) for item in builders.EXAMPLES]


def test_a_folder_is_loaded_by_the_backend_that_it_is_for(trained_folder, exported_folder):
    for folder, kind in ((trained_folder, TripleExtractionPipeline), (exported_folder, OnnxTripleExtractionPipeline)):
        extract = hf_spo.load(folder, device="cpu", threads=1)
        assert type(extract) is kind
        assert [builders.facts(triples) for triples in extract(TEXTS)] == GOLD
        assert extract.name_or_path == folder


def test_options_hold_for_all_calls(trained_folder, exported_folder):
    for folder in (trained_folder, exported_folder):
        extract = hf_spo.load(folder, relations=["主演"], top_k=1, batch_size=2)
        assert [triple["predicate"] for triple in extract(TEXTS[0])] == ["主演"]
        with pytest.raises(TypeError, match="unknown argument treshold"):
            hf_spo.load(folder, treshold=0.5)


def test_the_number_format_is_the_fastest_or_the_one_given(trained_folder, monkeypatch):
    monkeypatch.setattr("hf_spo.loading.checked.auto_dtype", lambda device: torch.bfloat16)
    assert hf_spo.load(trained_folder).model.dtype == torch.bfloat16
    for dtype in ("float32", torch.float32):
        assert hf_spo.load(trained_folder, dtype=dtype).model.dtype == torch.float32


def test_threads_are_those_of_torch(trained_folder):
    before = torch.get_num_threads()
    try:
        hf_spo.load(trained_folder, threads=before + 1)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backend": "tensorflow"}, "backend='tensorflow': expected one of auto, torch, onnx"),
        ({"dtype": "int8"}, "dtype='int8': expected one of auto, float32, bfloat16, float16"),
        ({"dtype": torch.int8}, r"dtype=torch\.int8: expected one of auto"),
    ],
)
def test_wrong_arguments(trained_folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        hf_spo.load(trained_folder, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backend": "torch"}, "is an ONNX export; expected a model of torch"),
        ({"dtype": "float16"}, "dtype=float16: .* is an ONNX export, which has its own number format"),
        ({"device": "mps"}, "device=mps: expected cpu or cuda for an ONNX export"),
    ],
)
def test_what_an_export_cannot_do(exported_folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        hf_spo.load(exported_folder, **arguments)


def test_a_loaded_model_or_a_tokenizer_goes_to_the_pipeline(trained_folder):
    extract = hf_spo.load(trained_folder)
    for arguments in ((extract.model,), (None,)):
        with pytest.raises(TypeError, match=r"expected a model's folder or name, got .*hf_spo\.pipeline\(model=…"):
            hf_spo.load(*arguments)
    with pytest.raises(TypeError, match=r"unknown argument tokenizer: .* hf_spo\.pipeline\(model=…, tokenizer=…\)"):
        hf_spo.load(trained_folder, tokenizer=extract.tokenizer)


def test_what_is_not_a_model(trained_folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        hf_spo.load(tmp_path / "none")
    with pytest.raises(CheckpointError, match=r"has no config\.json"):
        hf_spo.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="is not an ONNX export"):
        hf_spo.load(trained_folder, backend="onnx")


def test_a_pipeline_is_made_as_that_of_transformers(trained_folder):
    extract = hf_spo.pipeline("triple-extraction", trained_folder, device="cpu", dtype="float32", top_k=1)
    assert type(extract) is TripleExtractionPipeline
    assert len(extract(TEXTS[0])) == 1
    same = hf_spo.pipeline(model=extract.model, tokenizer=extract.tokenizer)
    assert [builders.facts(triples) for triples in same(TEXTS)] == GOLD
    assert hf_spo.pipeline(model="lite").schema == hf_spo.pipeline(model=hf_spo.packaged("lite")).schema


def test_what_a_pipeline_cannot_be_made_of(exported_folder, tmp_path):
    for arguments, kind, message in (
        (("lite",), ValueError, r"task='lite': expected 'triple-extraction'; .* pipeline\(model='lite'"),
        (("triple-extraction", exported_folder), ValueError, r"is an ONNX export; load it by hf_spo\.load\('"),
        (("triple-extraction", tmp_path / "none"), FileNotFoundError, "there is no folder"),
    ):
        with pytest.raises(kind, match=message):
            hf_spo.pipeline(*arguments)
