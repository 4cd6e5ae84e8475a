"""hf-spo convert, and labelled texts of other formats in other commands."""

import json
from pathlib import Path
from typing import Any

import pytest

from hf_spo.data import ConversionReport, find_format, format_names, read_records
from hf_spo.data.formats.base import Record
from tests import builders
from tests.cli.command_line import one_line_error, rows, write_rows

OFFSETS = {"text": "《晚风》由白露演唱", "relation_list": [], "entity_list": [{"text": "晚风", "char_span": [2, 4]}]}


@pytest.fixture
def duie(tmp_path: Path) -> Path:
    form, path = find_format("duie2"), tmp_path / "duie.json"
    assert form.write is not None
    form.write((Record(one.text, one.triples) for one in builders.EXAMPLES), path, ConversionReport())
    return path


def test_prints_what_was_done(run: Any, gold: Path) -> None:
    result = run("convert", str(gold), "out.json", "--to", "casrel")
    (row,) = rows(result.stdout)
    assert result.stderr == ""
    assert (row["input"], row["from"], row["to"], row["records"]) == (str(gold), "hf-spo", "casrel", 8)
    assert row["files"]["all"]["file"] == "out.json"
    assert row["not_written"]["qualifiers"] == 3
    assert len(list(read_records("out.json"))) == 8


def test_a_table(run: Any, duie: Path) -> None:
    result = run("convert", str(duie), "data", "--to", "doccano", "--split", "0.5/0.3/0.2", "--table")
    assert result.exit_code == 0, result.stderr
    assert "duie2 → doccano" in result.stdout
    lines = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line.strip()}
    assert lines["all"] == ["8", "16", "0"]
    assert sum(int(lines[f"data/{part}.jsonl"][0]) for part in ("train", "dev", "test")) == 8
    assert "corrected or looked up: triples placed by looking their words up (16)" in result.stdout


def test_remarks(run: Any, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "a.json", [OFFSETS, {"text": 5, "relation_list": []}])
    words = ["convert", str(source), "out.jsonl", "--table"]
    assert "hf-spo convert --mend-offsets corrects such offsets" in one_line_error(run(*words), 1)
    assert "--skip-bad-lines" in one_line_error(run(*words, "--mend-offsets"), 1)
    assert not Path("out.jsonl").exists()
    result = run(*words, "--mend-offsets", "--skip-bad-lines")
    assert "corrected or looked up: offsets where too high by 1 (1)" in result.stdout
    assert "skipped because they cannot be read: 1" in result.stdout
    assert "skipped 1 line" in result.stderr
    assert [row["line"] for row in rows(Path("a.json.bad.jsonl").read_text(encoding="utf-8"))] == [2]
    written = run("convert", "out.jsonl", "out.tsv", "--table").stdout
    assert "tsv cannot hold: entities in no triple (1)" in written


def test_what_is_not_read(run: Any, tmp_path: Path) -> None:
    entry = {
        "Combined": True,
        "predicate": "p",
        "subject": "晚风",
        "subject_type": "",
        "object": {"@value": "白露"},
        "object_type": {"@value": ""},
    }
    source = write_rows(tmp_path / "a.jsonl", [{"text": "晚风。白露", "spo_list": [entry]}])
    result = run("convert", str(source), "out.jsonl", "--table")
    assert "not read: marks of triples across sentences (1)" in result.stdout


def test_formats_are_listed(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = rows(run("convert", "--list").stdout)
    assert [row["name"] for row in listed] == list(format_names())
    assert {"name": "tsv", "written": True, "suffix": ".tsv"}.items() <= next(
        row for row in listed if row["name"] == "tsv"
    ).items()
    assert next(row for row in listed if row["name"] == "scierc")["written"] is False
    monkeypatch.setattr("hf_spo.cli.convert.is_terminal", lambda stream: True)
    table = run("convert", "--list").stdout
    assert "read, written" in table
    assert "scierc" in table


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.jsonl", "out.jsonl"], "there is no file or folder 'none.jsonl'"),
        (["gold.jsonl"], "Missing argument 'OUT'"),
        (["gold.jsonl", "a.jsonl", "--from", "duie"], "did you mean duie"),
        (["gold.jsonl", "a.jsonl", "--to", "doccana"], "did you mean doccano or docbin?"),
        (["gold.jsonl", "a", "--to", "tsv", "--split", "80/20"], "80/20: expected two or three shares that sum to 1"),
    ],
)
def test_wrong_usage(run: Any, gold: Path, words: list[str], message: str) -> None:
    assert message in one_line_error(run("convert", *words), 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gold.jsonl", "a.json"], "name one with --to"),
        (["gold.jsonl", "a.jsonl", "--from", "tplinker"], "gold.jsonl:1: relation_list: expected a list"),
        (["gold.jsonl", "no/where.jsonl"], "there is no folder"),
        (["hub:nobody/nothing", "a.jsonl"], "hub:nobody/nothing cannot be loaded"),
        ([".", "a.jsonl"], ". is a folder in no known format"),
    ],
)
def test_errors(run: Any, gold: Path, words: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # or it would try for half a minute
    assert message in one_line_error(run("convert", *words), 1)


class TestOtherCommands:
    def test_evaluate_reads_any_format(self, run: Any, duie: Path) -> None:
        (row,) = rows(run("evaluate", "--data", str(duie)).stdout)
        assert row["scores"]["strict"]["f1"] == 1
        (same,) = rows(run("evaluate", "--data", str(duie), "--format", "duie2").stdout)
        assert same == row
        assert "relation_list" in one_line_error(run("evaluate", "--data", str(duie), "--format", "tplinker"), 1)
        assert "did you mean" in one_line_error(run("evaluate", "--data", str(duie), "--format", "duie"), 2)
        assert "there is no file" in one_line_error(run("evaluate", "--data", "nothing.jsonl"), 2)

    def test_compare_reads_predictions_of_any_format(self, run: Any, gold: Path, duie: Path) -> None:
        result = run("compare", str(gold), str(duie), "--data", str(duie), "--format", "duie2", "--samples", "5")
        (row,) = rows(result.stdout)
        assert row["f1"]["difference"] == 0

    def test_what_was_lost_is_said(self, run: Any, duie: Path) -> None:
        found = json.loads(duie.read_text(encoding="utf-8").splitlines()[0])
        for entry in found["spo_list"]:
            entry["Combined"] = True
        write_rows(duie, [found])
        line = run("evaluate", "--data", str(duie)).stderr.strip()
        assert line.endswith("duie.json: left out: marks of triples across sentences (3)")
        assert line.startswith("hf-spo: ")
        assert "marks of triples" in run("doctor", "--data", str(duie)).stderr

    @pytest.mark.parametrize(
        "words",
        [
            ["train", "recipe.yaml", "--format"],
            ["kfold", "recipe.yaml", "--format"],
            ["doctor", "--data", "gold.jsonl", "--format"],
            ["tune", "--data", "gold.jsonl", "--format"],
            ["relabel", "--data", "gold.jsonl", "--output", "out.jsonl", "--format"],
            ["compare", "gold.jsonl", "gold.jsonl", "--data", "gold.jsonl", "--format"],
            ["export", "--output", "out", "--data", "gold.jsonl", "--data-format"],
        ],
        ids=lambda words: str(words[0]),
    )
    def test_all_take_a_format(self, run: Any, gold: Path, words: list[str]) -> None:
        Path("recipe.yaml").write_text("train: gold.jsonl\noutput: out\nencoder: nowhere\n", encoding="utf-8")
        line = one_line_error(run(*words, "labelstudio"), 2)
        assert "there is no format 'labelstudio'; did you mean label-studio" in line

    def test_training_reads_what_the_recipe_says(self, run: Any, gold: Path) -> None:
        recipe = "train: gold.jsonl\noutput: out\nencoder: nowhere\nformat: tsv\n"
        Path("recipe.yaml").write_text(recipe, encoding="utf-8")
        assert "gold.jsonl: the header row has no column" in one_line_error(run("train", "recipe.yaml"), 1)
        assert "gold.jsonl:1: spo_list" in one_line_error(run("train", "recipe.yaml", "--format", "duie2"), 1)
