"""Files that are whole or absent, and lines of JSON."""

import os
from pathlib import Path

import pytest

from hf_spo.support import files

pytestmark = pytest.mark.smoke


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
        with (
            pytest.raises(FileNotFoundError, match="create it"),
            files.whole_file(tmp_path / "no" / "a"),
        ):
            pass
        with pytest.raises(IsADirectoryError, match="name a file"), files.whole_file(tmp_path):
            pass


class TestWholeFolder:
    def test_appears_whole(self, tmp_path: Path):
        with files.whole_folder(tmp_path / "x", replace=True) as part:
            (part / "a").write_text("1")
            assert not (tmp_path / "x").exists()
        assert (tmp_path / "x" / "a").read_text() == "1"
        assert [path.name for path in tmp_path.iterdir()] == ["x"]

    def test_takes_the_place_of_an_older_one(self, tmp_path: Path):
        for name in ("old", "new"):
            with files.whole_folder(tmp_path / "x", replace=True) as part:
                (part / name).write_text(name)
        assert [path.name for path in (tmp_path / "x").iterdir()] == ["new"]

    @pytest.mark.parametrize("older", [True, False])
    def test_failure_leaves_what_was_there(self, tmp_path: Path, older: bool):
        if older:
            (tmp_path / "x").mkdir()
            (tmp_path / "x" / "old").write_text("1")

        def fail():
            with files.whole_folder(tmp_path / "x", replace=True) as part:
                (part / "new").write_text("2")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail()
        assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == (["x", "x/old"] if older else [])

    def test_what_is_there_stays_unless_it_is_to_be_replaced(self, tmp_path: Path) -> None:
        (tmp_path / "x").mkdir()
        with files.whole_folder(tmp_path / "x") as part:  # an empty one is nothing to lose
            (part / "a").touch()
        for name in ("x", "x/a"):
            with pytest.raises(FileExistsError, match="exists; name a new folder"), files.whole_folder(tmp_path / name):
                pass
        with pytest.raises(FileNotFoundError, match="is no folder"), files.whole_folder(tmp_path / "no" / "x"):
            pass
        assert (tmp_path / "x" / "a").exists()
