"""The complete repository, as a folder."""

import json
import re
import shutil
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import ModelCard
from safetensors.numpy import save_file

from hf_spo import SpoEnsemble, load_onnx
from hf_spo.hub import repository, standalone
from hf_spo.hub.card_files import is_generated
from hf_spo.hub.repository import RepositoryOptions, build_repository
from tests import builders


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """An empty folder to build in."""
    folder = tmp_path / "built"
    folder.mkdir()
    return folder


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


PLAIN = {
    *("README.md", "config.json", "handler.py", "model.safetensors", "requirements.txt", "tokenizer.json"),
    "tokenizer_config.json",
}


def test_weights_and_config_are_copied_as_they_are(trained_folder: str, built: Path) -> None:
    build_repository(Path(trained_folder), built, "me/films")
    assert names(built) == PLAIN
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        assert (built / name).read_bytes() == Path(trained_folder, name).read_bytes()
    assert (built / "requirements.txt").read_text(encoding="utf-8") == f"hf-spo>={version('hf-spo')}\n"
    assert "from hf_spo.service.endpoint import EndpointHandler\n" in (built / "handler.py").read_text(encoding="utf-8")
    assert is_generated((built / "README.md").read_text(encoding="utf-8"))


def test_examples_show_what_the_model_really_finds(trained_folder: str, built: Path) -> None:
    text = builders.EXAMPLES[6].text
    build_repository(Path(trained_folder), built, "me/films", RepositoryOptions(texts=[text], about={"licence": "mit"}))
    card = ModelCard.load(built / "README.md")
    assert re.search(r"\| 雪国 \| 票房 \| 三千万, inArea: 北京 \| [01]\.\d\d \|", card.text)
    assert card.data.widget == [{"text": text}]
    assert card.data.license == "mit"


def test_a_card_of_one_s_own_is_left_alone(trained_folder: str, built: Path) -> None:
    build_repository(Path(trained_folder), built, "me/films", RepositoryOptions(card="# mine\r\n"))
    assert (built / "README.md").read_bytes() == b"# mine\r\n"


@pytest.mark.slow
def test_an_export_that_runs_from_there(trained_folder: str, built: Path) -> None:
    steps: list[str] = []
    build_repository(Path(trained_folder), built, "me/films", RepositoryOptions(onnx=True), on_step=steps.append)
    example = builders.EXAMPLES[0]
    assert builders.facts(load_onnx(built / "onnx")(example.text)) == builders.facts(example.triples)
    assert 'allow_patterns="onnx/*"' in (built / "README.md").read_text(encoding="utf-8")
    assert steps[0] == "copying the model"


@pytest.mark.parametrize("named", [True, False])
def test_code_goes_where_it_is_asked_for_or_named(
    trained_folder: str, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(trained_folder, folder)
    (folder / "modeling_of_somebody.py").write_text("raise SystemExit", encoding="utf-8")
    if named:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config["auto_map"] = {"AutoModel": "modeling_of_somebody.Model"}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")

    def add(folder: Path) -> list[str]:
        (folder / "modeling_spo.py").touch()
        return ["modeling_spo.py"]

    monkeypatch.setattr(standalone, "add_standalone_code", add)
    build_repository(folder, built, "me/films", RepositoryOptions(standalone=not named))
    assert names(built) == {*PLAIN, "modeling_spo.py"}
    assert "trust_remote_code=True" in (built / "README.md").read_text(encoding="utf-8")


def test_a_model_that_reads_words_with_its_code(built: Path) -> None:
    folder = Path(__file__).parents[1] / "fixtures" / "checkpoint-0.1.0" / "dgcnn"
    saved = build_repository(folder, built, "me/films", RepositoryOptions(standalone=True))
    assert saved.other_files() == ["expected.json"]
    assert {*PLAIN, "words.txt", "modeling_spo.py"} <= names(built)
    config = json.loads((built / "config.json").read_text(encoding="utf-8"))
    assert {value.split(".")[0] + ".py" for value in config["auto_map"].values()} <= names(built)


def test_a_model_that_cannot_be_loaded(trained_folder: str, built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(trained_folder, folder)
    save_file({"head": np.zeros(1)}, folder / "model.safetensors")
    with pytest.raises(ValueError, match="lacks 45 of the weights"):
        build_repository(folder, built, "me/films")
    assert "README.md" not in names(built)


def test_ensembles_have_no_export(trained_folder: str, built: Path, tmp_path: Path) -> None:
    SpoEnsemble.from_models([trained_folder, trained_folder], "union").save_pretrained(tmp_path / "both")
    with pytest.raises(ValueError, match="expected one model, got an ensemble"):
        build_repository(tmp_path / "both", built, "me/films", RepositoryOptions(onnx=True))
    for path in built.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    build_repository(tmp_path / "both", built, "me/films", RepositoryOptions(texts=["《雪国》"]))
    assert "group-1/member-0/model.safetensors" in names(built)
    assert "2 models as one ensemble" in (built / "README.md").read_text(encoding="utf-8")
    assert repository.CARD_FILE in names(built)
