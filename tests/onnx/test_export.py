"""Models of both systems, exported: the folder stands alone and finds what the model finds."""

import json
import shutil
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import pipeline

from hf_spo import DgcnnConfig, SpoEnsemble, TripleStore, load_onnx
from hf_spo.model.alignment import pad
from hf_spo.model.decoding_settings import DecodingSettings, Thresholds
from hf_spo.model.ensemble import make_extractor
from hf_spo.model.features import Features
from hf_spo.model.words import WordVocabulary
from hf_spo.onnx import OnnxExportError, export_onnx
from hf_spo.onnx.folder import DESCRIPTION_FILE
from hf_spo.onnx.int8 import to_int8
from tests import builders

TEXTS = [item.text for item in builders.EXAMPLES]
LONG = "。".join(builders.SENTENCES) * 3


def convolutional_model(tokenizer):
    """Return a model with all that the DGCNN system has: words, positions, attention, gates, a network and a prior."""
    words = WordVocabulary(["白", "露", "海", "边"], "characters")
    encoder = DgcnnConfig(
        vocab_size=len(tokenizer), hidden_size=16, dilations=[2], word_vocab_size=len(words), word_embedding_size=8,
        segmenter="characters", max_position_embeddings=64,
    )  # fmt: skip
    model = builders.spo_model(
        encoder,
        conditioning="recurrent",
        recurrent_cell="lstm",
        recurrent_positions=2,
        head_attention_heads=2,
        head_attention_size=4,
        global_gates=True,
        prior=True,
        window=32,
        initial_subject_probability=0.5,
        initial_object_probability=0.5,
        score_threshold=0.001,
        subject_power=1,
        object_power=1,
    )
    with torch.no_grad():
        for tensor in (*model.parameters(), model.encoder.embeddings.word_embeddings.weight):
            tensor.add_(torch.randn_like(tensor) * 0.3)
    model.features = Features(words, TripleStore.from_examples(builders.EXAMPLES, builders.SCHEMA))
    return model


@pytest.fixture(scope="module")
def convolutional(tiny_tokenizer, tmp_path_factory):
    model = convolutional_model(tiny_tokenizer)
    folder = tmp_path_factory.mktemp("exported") / "dgcnn"
    steps = []
    with warnings.catch_warnings(record=True) as told:
        report = export_onnx(model, tiny_tokenizer, folder, on_step=steps.append)
    assert not told
    assert steps == ["writing the graphs", "comparing with the model"]
    return model, report


class TestBert:
    def test_same_triples_and_scores(self, trained_folder, exported_folder):
        texts = [*TEXTS, *builders.SENTENCES, LONG, "", " "]
        with_torch = pipeline("triple-extraction", model=trained_folder)(texts)
        with_onnx = load_onnx(exported_folder)(texts)
        assert [builders.facts(triples) for triples in with_onnx[:8]] == [
            builders.facts(item.triples) for item in builders.EXAMPLES
        ]
        for ours, theirs in zip(with_onnx, with_torch, strict=True):
            scores = [[triple.pop("score") for triple in triples] for triples in (ours, theirs)]
            assert scores[0] == pytest.approx(scores[1], abs=1e-4)
            assert ours == theirs

    def test_folder_holds_graphs_tokenizer_and_settings(self, exported_folder):
        assert sorted(path.name for path in Path(exported_folder).iterdir()) == [
            "encoder.onnx", "hf_spo_onnx.json", "objects.onnx", "tokenizer.json",
        ]  # fmt: skip
        settings = json.loads((Path(exported_folder) / DESCRIPTION_FILE).read_text())
        assert settings["relations"] == builders.SCHEMA.to_list()
        assert settings["precision"] == "float32"
        assert settings["max_length"] == 64

    def test_nothing_lies_beside_it(self, exported_folder):
        assert [path.name for path in Path(exported_folder).parent.iterdir()] == ["model"]


@pytest.mark.slow
class TestConvolutional:
    def test_report(self, convolutional):
        _, report = convolutional
        assert 0 < report.largest_difference < 1e-4
        assert set(report.files) == {
            "encoder.onnx", "hf_spo_onnx.json", "objects.onnx", "prior.jsonl", "tokenizer.json", "words.txt",
        }  # fmt: skip
        for name, size in report.files.items():
            assert (report.folder / name).stat().st_size == size
        assert json.loads(json.dumps(report.to_dict()))["precision"] == "float32"

    def test_same_triples(self, convolutional, tiny_tokenizer):
        model, report = convolutional
        extractors = make_extractor(model, tiny_tokenizer), load_onnx(report.folder).extractor()
        # Settings, words, known triples and the size of windows have come along.
        assert extractors[0].decoding == extractors[1].decoding
        assert extractors[1].window == 32
        with_torch, with_onnx = (
            list(extractor.redecoded(DecodingSettings(Thresholds(0.3, 0.3, 0.15, 0.15)))([*TEXTS, LONG]))
            for extractor in extractors
        )
        assert sum(map(len, with_torch)) > 20
        assert [builders.facts(triples) for triples in with_onnx] == [builders.facts(t) for t in with_torch]

    def test_int8_that_makes_hardly_anything_smaller_is_refused(self, convolutional, tmp_path):
        folder = Path(shutil.copytree(convolutional[1].folder, tmp_path / "x"))
        with pytest.raises(OnnxExportError, match="convolutions or embeddings, which stay in float32"):
            to_int8(folder, builders.EXAMPLES, 1.0, print)

    @pytest.mark.parametrize("count", [1, 3, 8])
    def test_known_triples_reach_both_passes(self, convolutional, tiny_tokenizer, count):
        model, report = convolutional
        ours, theirs = make_extractor(model, tiny_tokenizer), load_onnx(report.folder).extractor()
        batch = pad([window.encoding for window in ours.windows(TEXTS[:count])], 0)
        assert len(batch.prior)
        rows, spans = batch.prior[:, 0], batch.prior[:, 1:3]
        blind = replace(batch, prior=batch.prior[:0])
        found = []
        for backend in (ours.backend, theirs.backend):
            for asked in (batch, blind):
                state, probs = backend.subjects(asked)
                found.append((probs, backend.objects(state, rows, spans)))
        known, unknown, known_onnx, unknown_onnx = found
        for with_torch, with_onnx in ((known, known_onnx), (unknown, unknown_onnx)):
            for one, other in zip(with_torch, with_onnx, strict=True):
                np.testing.assert_allclose(one, other, atol=1e-5)
        for one, other in zip(known, unknown, strict=True):
            assert np.abs(one - other).max() > 1e-3


class TestRefused:
    def test_ensemble(self, trained_folder, tiny_tokenizer, tmp_path):
        ensemble = SpoEnsemble.from_models([trained_folder, trained_folder])
        with pytest.raises(OnnxExportError, match="export its members"):
            export_onnx(ensemble, tiny_tokenizer, tmp_path / "x")

    def test_what_is_no_model(self, tiny_model, tiny_tokenizer, tmp_path):
        with pytest.raises(TypeError, match="triple-extraction model, got BertModel"):
            export_onnx(tiny_model.encoder, tiny_tokenizer, tmp_path / "x")

    def test_what_is_no_fast_tokenizer(self, tiny_model, tmp_path):
        with pytest.raises(TypeError, match="fast tokenizer, got str"):
            export_onnx(tiny_model, "tokenizer", tmp_path / "x")

    def test_model_whose_words_are_missing(self, tiny_tokenizer, tmp_path):
        model = convolutional_model(tiny_tokenizer)
        model.features = Features()
        with pytest.raises(OnnxExportError, match=r"set model\.features"):
            export_onnx(model, tiny_tokenizer, tmp_path / "x")

    def test_int8_without_labelled_texts(self, tiny_model, tiny_tokenizer, tmp_path):
        with pytest.raises(ValueError, match="only labelled texts show by how much"):
            export_onnx(tiny_model, tiny_tokenizer, tmp_path / "x", int8=True)

    def test_folder_in_use(self, tiny_model, tiny_tokenizer, tmp_path):
        (tmp_path / "notes.txt").write_text("keep")
        with pytest.raises(OnnxExportError, match="is not empty"):
            export_onnx(tiny_model, tiny_tokenizer, tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]

    def test_missing_package_is_named(self, tiny_model, tiny_tokenizer, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "onnxscript", None)
        with pytest.raises(ImportError, match=r"needs onnxscript: pip install 'hf-spo\[export\]'"):
            export_onnx(tiny_model, tiny_tokenizer, tmp_path / "x")
