"""Where models are: inside the package, in folders, on the Hub."""

from pathlib import Path

import pytest

import hf_spo
from hf_spo.loading.locations import find_model, model_file, model_folder

pytestmark = pytest.mark.smoke


def test_folder_lies_in_the_package():
    folder = hf_spo.packaged()
    assert folder == hf_spo.packaged("base")
    assert folder.parent == hf_spo.packaged("lite").parent == Path(hf_spo.__file__).parent


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="no packaged model 'huge'; there are: base, lite"):
        hf_spo.packaged("huge")


def test_a_name_stands_for_a_packaged_model_unless_there_is_such_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [find_model(name) for name in ("base", "lite")] == [str(hf_spo.packaged(name)) for name in ("base", "lite")]
    assert find_model("google-bert/bert-base-chinese") == "google-bert/bert-base-chinese"
    (tmp_path / "base").mkdir()
    assert find_model("base") == "base"


@pytest.mark.parametrize("name", ["", "./model", "/no/model", "~/model", "a/b/c", "a\\b"])
def test_a_missing_folder_is_said_to_be_one(name):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*; expected a model's folder"):
        find_model(name)


@pytest.mark.parametrize(("typo", "model"), [("Lite", "lite"), ("litte", "lite"), ("bse", "base"), ("base ", "base")])
def test_a_typo_in_the_name_of_a_packaged_model(typo, model):
    with pytest.raises(FileNotFoundError, match=f"there is no model {typo!r}; did you mean {model}"):
        find_model(typo)


def test_an_incomplete_installation_is_said_to_be_one(tmp_path, monkeypatch):
    monkeypatch.setattr("hf_spo.loading.locations.packaged", lambda name: tmp_path / name)
    with pytest.raises(FileNotFoundError, match="the installation is incomplete: install hf-spo again"):
        find_model("lite")


def test_files_and_folders_of_a_model():
    assert model_file("lite") == hf_spo.packaged("lite") / "config.json"
    assert model_folder("lite") == hf_spo.packaged("lite")
    with pytest.raises(FileNotFoundError, match=r"default_model has no other\.json; expected"):
        model_file("base", "other.json")
