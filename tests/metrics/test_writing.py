import json
from pathlib import Path

import pytest

from hf_spo import Example
from hf_spo.data import read_examples
from hf_spo.metrics import evaluate_report, writing
from hf_spo.metrics.writing import write_report
from tests import builders
from tests.metrics.triples import example, triple

NAMES = ["plots", "predictions.jsonl", "report.html", "report.json"]


@pytest.fixture
def report():
    predictions = [list(item.triples) for item in builders.EXAMPLES]
    return evaluate_report(builders.EXAMPLES, predictions, builders.SCHEMA, samples=5)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_writes_data_page_and_predictions(report, tmp_path):
    folder = tmp_path / "new" / "report"
    write_report(report, folder)
    assert files(folder) == NAMES
    assert json.loads((folder / "report.json").read_text(encoding="utf-8")) == report.to_dict()
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert list(read_examples(folder / "predictions.jsonl")) == builders.EXAMPLES


def test_replaces_an_earlier_report_and_nothing_else(report, tmp_path):
    (tmp_path / "report.json").write_text("earlier")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "mine.svg").write_text("mine")
    write_report(report, tmp_path)
    assert files(tmp_path) == ["notes.txt", *NAMES]
    assert (tmp_path / "plots" / "mine.svg").read_text() == "mine"
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "report.json").read_text(encoding="utf-8") != "earlier"


def test_plots_are_files_too_and_those_of_an_earlier_report_go(report, tmp_path):
    write_report(evaluate_report([example("雪国")], [[triple("雪国", "作者", "雪", 0.5)]], samples=5), tmp_path)
    scored = {f"{name}.{kind}" for name in ("length", "reliability", "threshold") for kind in ("svg", "png")}
    assert scored <= set(files(tmp_path / "plots"))
    write_report(report, tmp_path)  # whose triples have no scores
    assert {name.split(".")[0] for name in files(tmp_path / "plots")} == {"length", "relations"}


def test_nothing_appears_when_something_fails(report, tmp_path, monkeypatch):
    (tmp_path / "report.json").write_text("earlier")
    write = Path.write_bytes

    def fail(path, content):
        if "predictions" in path.name:
            raise OSError("the disk is full")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="disk is full"):
        write_report(report, tmp_path)
    assert files(tmp_path) == ["plots", "report.json"]
    assert files(tmp_path / "plots") == []
    assert (tmp_path / "report.json").read_text() == "earlier"


def test_no_folder_is_made_for_a_page_that_fails(report, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "render", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(report, tmp_path / "new")
    assert files(tmp_path) == []


def test_lone_surrogates_survive_in_json(tmp_path):
    text = "白\udcff露"
    found = triple("白\udcff", "\ud800", "露", 0.5)
    write_report(evaluate_report([example(text)], [[found]], samples=5), tmp_path)
    (row,) = (tmp_path / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    assert Example.from_dict(json.loads(row)) == example(text, found)
    spurious = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["errors"]["wrong"]["spurious"]
    assert spurious["examples"][0]["triple"]["predicate"] == "\ud800"


def test_a_file_where_the_folder_should_be(report, tmp_path):
    (tmp_path / "report").write_text("mine")
    with pytest.raises(NotADirectoryError, match="is a file"):
        write_report(report, tmp_path / "report")
    assert (tmp_path / "report").read_text() == "mine"
