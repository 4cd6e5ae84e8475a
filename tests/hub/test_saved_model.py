"""What of a folder is published, and what never is."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from hf_spo import SpoEnsemble
from hf_spo.hub.saved_model import SavedModel

MODEL = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]
LEFTOVERS = (
    *("README.md", "checkpoint-10/model.safetensors", "checkpoint-10/optimizer.pt", "training_args.bin"),
    *("runs/Nov21/events.out", "training_log.json", "model.pkl", "pytorch_model.bin", ".env", "model.ema.safetensors"),
    *(
        "training_curves.svg",
        "train.jsonl",
        "modeling_evil.py",
        "onnx/encoder.onnx",
        "model-00001-of-00002.safetensors",
    ),
)


@pytest.fixture
def folder(trained_folder: str, tmp_path: Path) -> Path:
    """The trained model, after a training that tidied nothing up."""
    folder = tmp_path / "model"
    shutil.copytree(trained_folder, folder)
    for name in LEFTOVERS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def test_leftovers_stay(folder: Path) -> None:
    saved = SavedModel.read(folder)
    assert saved.files() == MODEL
    assert saved.other_files() == sorted({Path(name).parts[0] for name in LEFTOVERS})


def test_words_prior_and_licence_belong_to_a_model(folder: Path) -> None:
    for name in ("words.txt", "prior.jsonl", "LICENSE", "vocab.txt"):
        (folder / name).touch()
    assert set(SavedModel.read(folder).files()) == {*MODEL, "words.txt", "prior.jsonl", "LICENSE", "vocab.txt"}


def test_weights_in_several_files(trained_model: Any, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    trained_model.save_pretrained(folder, max_shard_size="50KB")
    index = json.loads((folder / "model.safetensors.index.json").read_text(encoding="utf-8"))
    files = SavedModel.read(folder).files()
    assert {name for name in files if name.startswith("model")} == {
        "model.safetensors.index.json",
        *index["weight_map"].values(),
    }


def test_an_ensemble_with_all_its_members(trained_folder: str, tmp_path: Path) -> None:
    SpoEnsemble.from_models([trained_folder, trained_folder], "union").save_pretrained(tmp_path)
    (tmp_path / "group-0" / "member-0" / "training_args.bin").touch()
    saved = SavedModel.read(tmp_path)
    members = [f"group-{index}/member-0/{name}" for index in range(2) for name in MODEL]
    assert sorted(saved.files()) == sorted([*MODEL[:3], *members])
    assert saved.parameters > 0
    assert saved.other_files() == []


class TestRefusals:
    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="gone is not a folder"):
            SavedModel.read(tmp_path / "gone")

    def test_an_empty_one(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=re.escape("has no config.json")):
            SavedModel.read(tmp_path)

    def test_an_export(self, tmp_path: Path) -> None:
        (tmp_path / "hf_spo_onnx.json").touch()
        with pytest.raises(ValueError, match="is an ONNX export; publish the model that it was made from, with --onnx"):
            SavedModel.read(tmp_path)

    def test_a_model_without_its_tokenizer(self, folder: Path) -> None:
        (folder / "tokenizer.json").unlink()
        with pytest.raises(FileNotFoundError, match=re.escape("has no tokenizer.json; save the tokenizer with")):
            SavedModel.read(folder).files()
