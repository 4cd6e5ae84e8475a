"""hf-spo evaluate: reports, and predictions from a file."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import builders
from tests.cli.command_line import one_line_error, rows, write_rows


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """Predictions for the labelled sentences: all but those of the first."""
    lines = [{"text": builders.EXAMPLES[0].text, "triples": []}]
    return write_rows(tmp_path / "found.jsonl", [*lines, *(item.to_dict() for item in builders.EXAMPLES[1:])])


def test_report_of_a_model(run: Any, gold: Path) -> None:
    result = run("evaluate", "--data", str(gold), "--report", "new/report", "--train", str(gold), "--match", "full")
    assert result.exit_code == 0, result.stderr
    assert "the report is in new/report/report.html" in result.stderr
    report = json.loads(Path("new/report/report.json").read_text(encoding="utf-8"))
    assert list(report["measures"]) == ["strict", "lenient", "span", "full", "official"]
    assert [row["name"] for row in report["breakdowns"]["entities"]] == ["pair seen", "subject seen", "object seen"]
    assert report["measures"]["full"]["f1"] == rows(result.stdout)[0]["scores"]["full"]["f1"] == 1
    assert report["about"]["data"] == str(gold)
    assert Path("new/report/report.html").read_text(encoding="utf-8").count("<article>") == 8
    again = run("evaluate", "--predictions", "new/report/predictions.jsonl", "--data", str(gold), model=None)
    assert rows(again.stdout)[0]["scores"]["strict"]["f1"] == 1


def test_predictions_from_a_file(run: Any, gold: Path, found: Path) -> None:
    result = run("evaluate", "--predictions", str(found), "--data", str(gold), "--match=span", model=None)
    (row,) = rows(result.stdout)
    assert row == {
        "predictions": str(found),
        "data": str(gold),
        "texts": 8,
        "scores": {"span": row["scores"]["span"]},
    }
    assert [row["scores"]["span"][name] for name in ("correct", "predicted", "gold")] == [13, 13, 16]


def test_report_of_predictions_takes_aliases(run: Any, gold: Path, found: Path) -> None:
    lines = rows(found.read_text(encoding="utf-8"))
    lines[4]["triples"][0]["object"] = {"text": "迅哥"}
    write_rows(found, lines)
    Path("aliases.txt").write_text("鲁迅\t迅哥\n迅哥\t鲁迅\n", encoding="utf-8")
    words = ["--predictions", str(found), "--data", str(gold), "--report", "."]
    for aliases, right in ((["--aliases", "aliases.txt"], 13), ([], 12)):
        assert run("evaluate", *words, *aliases, model=None).exit_code == 0
        measures = json.loads(Path("report.json").read_text(encoding="utf-8"))["measures"]
        assert measures["official"]["correct"] == right
        assert measures["strict"]["correct"] == 12
        assert "lenient" not in measures


def test_bad_lines_are_set_aside_beside_the_report(run: Any, gold: Path, found: Path) -> None:
    found.write_text(found.read_text(encoding="utf-8") + "no JSON\n", encoding="utf-8")
    words = ["--predictions", str(found), "--data", str(gold), "--report", "out"]
    assert "--skip-bad-lines" in one_line_error(run("evaluate", *words, model=None), 1)
    assert not Path("out").exists()
    assert run("evaluate", *words, "--skip-bad-lines", model=None).exit_code == 0
    assert Path("out/found.jsonl.bad.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--predictions", "gold.jsonl", "--model", "lite"], "leave out --model"),
        (["--predictions", "gold.jsonl", "--device", "cpu", "--threshold", "0.5"], "leave out --device, --threshold"),
        (["--predictions", "gold.jsonl", "--match", "lenient"], "tokenizer"),
        (["--predictions", "absent.jsonl"], "absent.jsonl"),
        (["--train", "gold.jsonl"], "pass --report"),
        (["--aliases", "gold.jsonl"], "pass --report"),
        (["--report", "gold.jsonl"], "--report"),
    ],
)
def test_options_that_do_not_go_together(run: Any, gold: Path, words: list[str], hint: str) -> None:
    assert hint in one_line_error(run("evaluate", "--data", str(gold), *words, model=None), 2)


def test_a_missing_line_leaves_nothing_behind(run: Any, gold: Path, found: Path) -> None:
    write_rows(found, rows(found.read_text(encoding="utf-8"))[1:])
    words = ["--predictions", str(found), "--data", str(gold), "--report", "out", "--output", "s.json"]
    assert "has no line for the text" in one_line_error(run("evaluate", *words, model=None), 1)
    assert not Path("out").exists()
    assert not Path("s.json").exists()


def test_missing_matplotlib_is_said_before_the_work(run: Any, gold: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for name in ("figures", "plots", "page", "writing"):
        monkeypatch.delitem(sys.modules, f"hf_spo.metrics.{name}", raising=False)
    monkeypatch.setattr("hf_spo.cli.models.load", lambda *_, **__: pytest.fail("the model was loaded first"))
    line = one_line_error(run("evaluate", "--data", str(gold), "--report", "out"), 1)
    assert "pip install 'hf-spo[report]'" in line
