import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hf_spo import SpoConfig
from hf_spo.cli import app
from tests import builders
from tests.cli.command_line import one_line_error, write_rows


@pytest.fixture
def tune(trained_folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Tune the trained model on labelled sentences, some of whose labels contradict it."""
    monkeypatch.chdir(tmp_path)
    rows = [example.to_dict() for example in builders.EXAMPLES] * 4
    rows += [{**example.to_dict(), "triples": []} for example in builders.EXAMPLES[:6]]
    write_rows(Path("dev.jsonl"), rows)

    def tune(*words: str, model: str = trained_folder) -> Any:
        return CliRunner().invoke(app, ["tune", "--model", model, "--data", "dev.jsonl", *words])

    return tune


def test_writes_a_model_with_the_settings_found(tune: Any, tmp_path: Path) -> None:
    result = tune("--output", "tuned", "--calibration", "temperature")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    config = SpoConfig.from_pretrained(tmp_path / "tuned")
    assert config.score_calibration == report["calibration"]
    assert config.subject_start_threshold == report["thresholds"]["subject_start"]
    assert "tuned/config.json" in result.stderr
    again = tune("--output", "tuned", model="tuned")
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["before"]["f1"] == pytest.approx(report["after"]["f1"])


def test_without_output_writes_nothing(tune: Any, tmp_path: Path) -> None:
    assert tune("--calibration", "none").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["dev.jsonl"]


def test_table_tells_what_to_expect(tune: Any) -> None:
    result = tune("--table", "--calibration", "temperature")
    assert result.exit_code == 0, result.output
    for part in ("On these texts", "Expected on other texts", "border thresholds: subject start", "chosen:"):
        assert part in result.stdout


def test_precision_out_of_reach_is_one_line(tune: Any) -> None:
    assert "lower min_precision" in one_line_error(tune("--min-precision", "0.999"), 1)
