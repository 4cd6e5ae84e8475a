"""Fixtures of the command line's tests."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hf_spo.cli import app
from tests import builders
from tests.cli.command_line import write_rows


@pytest.fixture
def run(trained_folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command line in an empty folder, with the trained model wherever one is needed."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str, model: str | None = trained_folder, stdin: str | bytes = "") -> Result:
        needs_model = {"extract", "evaluate"} & set(words) and model is not None
        return CliRunner().invoke(app, [*words, *(["--model", str(model)] if needs_model else [])], input=stdin)

    return run


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    """The labelled sentences, as a file."""
    return write_rows(tmp_path / "gold.jsonl", [example.to_dict() for example in builders.EXAMPLES])
