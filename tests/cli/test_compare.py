"""hf-spo compare."""

from pathlib import Path
from typing import Any

import pytest

from tests import builders
from tests.cli.command_line import one_line_error, rows, write_rows


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Predictions that find nothing, and predictions that find all."""
    nothing = [{"text": item.text, "triples": []} for item in builders.EXAMPLES]
    everything = [item.to_dict() for item in builders.EXAMPLES]
    return [
        str(write_rows(tmp_path / f"{name}.jsonl", lines))
        for name, lines in (("nothing", nothing), ("everything", everything))
    ]


def test_prints_json(run: Any, gold: Path, files: list[str]) -> None:
    result = run("compare", *files, "--data", str(gold), "--samples", "200")
    assert result.exit_code == 0, result.stderr
    (row,) = rows(result.stdout)
    assert (row["first"], row["second"], row["texts"], row["samples"]) == (*files, 8, 200)
    assert row["f1"] == {
        "first": 0.0,
        "second": 1.0,
        "difference": 1.0,
        "interval": [1.0, 1.0],
        "better": 1.0,
        "p_value": row["f1"]["p_value"],
    }
    assert row["f1"]["p_value"] < 0.05
    assert run("compare", *files, "--data", str(gold), "--samples", "200").stdout == result.stdout


def test_prints_a_table(run: Any, gold: Path, files: list[str]) -> None:
    shown = run("compare", *files, "--data", str(gold), "--samples", "50", "--table").stdout
    for part in ("precision", "F1", "B − A", "+1.0000", "100.0%"):
        assert part in shown
    assert "everything.jsonl" in "".join(shown.split())  # a long path is folded


def test_the_way_of_matching(run: Any, gold: Path, files: list[str], tmp_path: Path) -> None:
    lines = [item.to_dict() for item in builders.EXAMPLES]
    for line in lines:
        for triple in line["triples"]:
            triple["subject"]["type"] = "?"
    other = str(write_rows(tmp_path / "untyped.jsonl", lines))
    for match, difference in (("strict", 0), ("full", 1)):
        (row,) = rows(run("compare", other, files[1], "--data", str(gold), "--match", match, "--samples=5").stdout)
        assert row["f1"]["difference"] == difference


def test_wrong_usage(run: Any, gold: Path, files: list[str]) -> None:
    assert "tokenizer" in one_line_error(run("compare", *files, "--data", str(gold), "--match", "lenient"), 2)
    assert "--samples" in one_line_error(run("compare", *files, "--data", str(gold), "--samples", "0"), 2)
    assert "B.jsonl" in one_line_error(run("compare", files[0], "--data", str(gold)), 2)
    assert "--data" in one_line_error(run("compare", *files), 2)


def test_a_text_that_one_of_them_leaves_out(run: Any, gold: Path, files: list[str]) -> None:
    lines = rows(Path(files[1]).read_text(encoding="utf-8"))
    write_rows(Path(files[1]), lines[1:])
    assert "everything.jsonl has no line" in one_line_error(run("compare", *files, "--data", str(gold)), 1)
