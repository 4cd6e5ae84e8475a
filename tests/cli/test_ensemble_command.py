import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hf_spo.cli import app
from tests import builders
from tests.cli.command_line import one_line_error


@pytest.fixture
def ensemble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["ensemble", *words])


def test_average_is_extracted_with_like_a_model(ensemble: Any, trained_folder: str) -> None:
    result = ensemble(trained_folder, trained_folder, "--output", "average")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"model": "average", "combination": "average", "models": [2]}
    found = CliRunner().invoke(app, ["extract", "--model", "average", builders.EXAMPLES[0].text])
    assert len(json.loads(found.stdout)["triples"]) == 3


def test_averages_are_united(ensemble: Any, trained_folder: str) -> None:
    ensemble(trained_folder, trained_folder, "--output", "average")
    result = ensemble("average", trained_folder, "--combine", "union", "--output", "united")
    assert json.loads(result.stdout)["models"] == [2, 1]


def test_folder_in_use_is_left_alone(ensemble: Any, trained_folder: str) -> None:
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("keep")
    assert "mine is not empty" in one_line_error(ensemble(trained_folder, "--output", "mine"), 2)


def test_votes_are_for_voting(ensemble: Any, trained_folder: str) -> None:
    line = one_line_error(ensemble(trained_folder, "--min-votes", "2", "--output", "x"), 2)
    assert "--min-votes is for --combine vote" in line
