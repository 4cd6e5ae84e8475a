"""Two runs on one folder, in processes of their own: the second is refused, and a dead one is in nobody's way."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hf_spo.cli import app
from hf_spo.support.locks import only_writer
from tests import builders

HOLD = """
import sys
from pathlib import Path
from hf_spo.support.locks import only_writer

with only_writer(Path(sys.argv[1])):
    print("writing", flush=True)
    sys.stdin.read()
    Path(sys.argv[1], "result").write_text("whole")
"""


@contextmanager
def another_run(folder: Path) -> Iterator[Any]:
    """Have another process write to a folder; it ends its work when its stdin is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        yield process
        process.kill()


def test_the_second_is_refused_and_the_first_unharmed(tmp_path):
    folder = tmp_path / "new" / "out"
    with another_run(folder) as first:
        with pytest.raises(
            BlockingIOError, match=f"another run writes to {folder}; wait until it ends, or name another"
        ):
            only_writer(folder).__enter__()
        with only_writer(tmp_path / "elsewhere"):
            first.communicate()
        assert first.returncode == 0
    assert (folder / "result").read_text() == "whole"
    with only_writer(folder):
        pass


def test_the_lock_of_a_killed_run_is_none(tmp_path):
    with another_run(tmp_path) as first:
        first.kill()
        first.wait()
        assert (tmp_path / ".lock").exists()
        with only_writer(tmp_path):
            pass


@pytest.fixture
def recipe(tmp_path):
    """A recipe with its data; no run gets as far as the model."""
    rows = "".join(json.dumps(example.to_dict()) + "\n" for example in builders.EXAMPLES)
    (tmp_path / "train.jsonl").write_text(rows, encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text("encoder: none\ntraining: {use_cpu: true}\n", encoding="utf-8")
    return [str(tmp_path / "recipe.yaml"), "--train", str(tmp_path / "train.jsonl"), "--output", str(tmp_path / "out")]


@pytest.mark.parametrize("command", [["train"], ["train", "--resume"], ["kfold", "--folds", "2", "--only", "1"]])
def test_a_command_says_so_in_one_line(tmp_path, recipe, command):
    folder = tmp_path / "out" / ("fold-1" if command[0] == "kfold" else "")
    with another_run(folder) as first:
        before = sorted(folder.iterdir())
        result = CliRunner().invoke(app, [command[0], *recipe, *command[1:]])
        assert result.exit_code == 1
        *_, line = result.stderr.splitlines()
        assert line == f"hf-spo: error: another run writes to {folder}; wait until it ends, or name another folder"
        assert sorted(folder.iterdir()) == before
        first.communicate()
        assert first.returncode == 0
    assert (folder / "result").read_text() == "whole"
