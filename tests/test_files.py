"""Files that are whole or absent, and lines of JSON."""

import json
import os
from pathlib import Path

import pytest

from hf_spo import files


def test_json_escapes_only_what_utf8_cannot_write() -> None:
    assert files.json_line({"text": "谥"}) == '{"text": "谥"}'
    assert json.loads(files.json_line({"text": "谥\udcff"}).encode()) == {"text": "谥\udcff"}


class TestWholeFile:
    def test_appears_only_when_all_went_well(self, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"

        def stop_half_way() -> None:
            with files.whole_file(path) as file:
                file.write("half")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            stop_half_way()
        assert list(tmp_path.iterdir()) == []

    def test_follows_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(tmp_path / "target")
        with files.whole_file(tmp_path / "link") as file:
            file.write("all")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "target").read_text() == "all"

    def test_writes_to_a_device_and_leaves_it(self) -> None:
        with files.whole_file(Path(os.devnull)) as file:
            file.write("all")
        assert not Path(os.devnull).is_file()

    def test_says_what_is_wrong_with_its_place(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="is no folder; create it"), files.whole_file(tmp_path / "no" / "a"):
            pass
        with pytest.raises(IsADirectoryError, match="name a file"), files.whole_file(tmp_path):
            pass
