"""Models inside the package are found by name."""

from pathlib import Path

import pytest

import hf_spo
from hf_spo.loading.packaged import resolve


def test_folder_lies_in_the_package():
    folder = hf_spo.packaged()
    assert folder == hf_spo.packaged("base")
    assert folder.parent == hf_spo.packaged("lite").parent == Path(hf_spo.__file__).parent


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="no packaged model 'huge'; there are: base, lite"):
        hf_spo.packaged("huge")


def test_a_name_stands_for_a_packaged_model_unless_there_is_such_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [resolve(name) for name in ("base", "lite")] == [str(hf_spo.packaged(name)) for name in ("base", "lite")]
    assert resolve("google-bert/bert-base-chinese") == "google-bert/bert-base-chinese"
    (tmp_path / "base").mkdir()
    assert resolve("base") == "base"
