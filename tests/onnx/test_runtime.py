"""Exports run without torch, and are called like the pipeline."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from hf_spo import load_onnx
from hf_spo.model.alignment import pad
from hf_spo.model.extraction import TextTooLongError
from hf_spo.onnx import OnnxBackend
from tests import builders

pytestmark = pytest.mark.smoke

TEXTS = [item.text for item in builders.EXAMPLES]
GOLD = [builders.facts(item.triples) for item in builders.EXAMPLES]


@pytest.fixture(scope="module")
def extract(exported_folder):
    return load_onnx(exported_folder, num_threads=1)


@pytest.fixture
def copied(exported_folder, tmp_path):
    return Path(shutil.copytree(exported_folder, tmp_path / "model"))


class TestCall:
    def test_text_list_and_stream(self, extract):
        assert builders.facts(extract(TEXTS[0])) == GOLD[0]
        assert [builders.facts(triples) for triples in extract(TEXTS)] == GOLD
        results = extract(text for text in TEXTS)
        assert iter(results) is results
        assert [builders.facts(triples) for triples in results] == GOLD

    def test_arguments_when_loaded_and_in_a_call(self, exported_folder, extract):
        assert extract(TEXTS[0], object_end_threshold=1.0) == []
        one = load_onnx(exported_folder, top_k=1, batch_size=2)
        assert len(one(TEXTS[2])) == 1
        assert len(one(TEXTS[2], top_k=3)) == 3
        assert len(one(TEXTS[2], top_k=None)) == 4

    def test_relations(self, extract):
        found = extract(TEXTS, relations=["主演", "获奖"])
        wanted = [{fact for fact in facts if fact[1] in ("主演", "获奖")} for facts in map(set, GOLD)]
        assert [set(builders.facts(triples)) for triples in found] == wanted

    def test_batch_size_does_not_change_the_answer(self, extract):
        for size in (1, 3):
            assert [builders.facts(triples) for triples in extract(TEXTS, batch_size=size)] == GOLD

    def test_long_texts(self, extract):
        text = "今天天气很好" * 20
        assert extract(text) == []
        with pytest.raises(TextTooLongError):
            extract(text, on_long="error")

    @pytest.mark.parametrize("arguments", [{"treshold": 0.5}, {"num_workers": 2}])
    def test_unknown_argument_is_refused(self, exported_folder, extract, arguments):
        with pytest.raises(TypeError, match=f"unknown argument {next(iter(arguments))}"):
            extract(TEXTS[0], **arguments)
        with pytest.raises(TypeError, match="unknown argument"):
            load_onnx(exported_folder, **arguments)

    def test_impossible_argument_is_refused_at_once(self, exported_folder):
        for arguments in ({"top_k": 0}, {"batch_size": 0}, {"subject_end_threshold": 2.0}):
            with pytest.raises(ValueError, match="expected"):
                load_onnx(exported_folder, **arguments)

    def test_schema_and_names_are_at_hand(self, extract, exported_folder):
        assert extract.schema == builders.SCHEMA
        assert extract.name_or_path == exported_folder

    def test_tokens_are_the_tokenizer_s(self, extract, tiny_tokenizer):
        for text in (*TEXTS, "[SEP] Köln"):
            assert extract.tokenizer.tokenize(text) == tiny_tokenizer.tokenize(text, split_special_tokens=True)


class TestBackend:
    def test_threads_share_it(self, extract):
        with ThreadPoolExecutor(4) as threads:
            results = list(threads.map(lambda _: extract(TEXTS), range(8)))
        assert all([builders.facts(triples) for triples in result] == GOLD for result in results)

    def test_no_subject(self, extract):
        batch = pad([window.encoding for window in extract.extractor().windows(TEXTS[:2])], 0)
        state, probs = extract.backend.subjects(batch)
        found = extract.backend.objects(state, np.zeros(0, dtype=np.int64), np.zeros((0, 2), dtype=np.int64))
        assert found.shape == (0, probs.shape[1], len(builders.SCHEMA), 2)

    def test_threads_and_providers_can_be_set(self, exported_folder):
        chosen = OnnxBackend(exported_folder, num_threads=2, inter_op_num_threads=1, providers=["CPUExecutionProvider"])
        options = chosen._subjects.session.get_session_options()
        assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 1)

    def test_unknown_provider_is_named(self, exported_folder):
        with pytest.raises(ValueError, match=r"has no MagicProvider here, only .*CPUExecutionProvider"):
            OnnxBackend(exported_folder, providers=["MagicProvider"])


class TestErrors:
    def test_no_export(self, trained_folder, tmp_path):
        with pytest.raises(FileNotFoundError, match="holds the model itself; export it"):
            load_onnx(trained_folder)
        with pytest.raises(FileNotFoundError, match="is not an ONNX export"):
            load_onnx(tmp_path)

    @pytest.mark.parametrize("name", ["encoder.onnx", "objects.onnx", "tokenizer.json"])
    def test_missing_file(self, copied, name):
        (copied / name).unlink()
        with pytest.raises(FileNotFoundError, match=f"has no {name}; export the model again"):
            load_onnx(copied)

    @pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json"])
    def test_damaged_file(self, copied, name):
        (copied / name).write_bytes(b"{}")
        with pytest.raises(ValueError, match=name):
            load_onnx(copied)

    def test_missing_package_is_named(self, exported_folder, monkeypatch):
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        with pytest.raises(ImportError, match=r"needs onnxruntime: pip install 'hf-spo\[onnx\]'"):
            load_onnx(exported_folder)


def test_neither_torch_nor_transformers_is_loaded(exported_folder):
    code = """
import sys
import hf_spo
print(len(hf_spo.load_onnx(sys.argv[1])(sys.argv[2])))
print(sorted({"torch", "transformers", "huggingface_hub", "datasets", "onnx"} & sys.modules.keys()))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, exported_folder, TEXTS[0]],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == ["3", "[]", ""]
