import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hf_spo import Example
from hf_spo.model.modeling_ensemble import SpoEnsemble
from hf_spo.training.folds import Folds
from tests import builders
from tests.cli.command_line import facts, one_line_error, rows, write_rows

FIRST, SECOND, *REST = builders.EXAMPLES
WRONG = [
    Example(FIRST.text, FIRST.triples[:1]),  # lacks two triples
    Example(SECOND.text, (*SECOND.triples, builders.example(SECOND.text, ("晚风", "作词", "苏州")).triples[0])),
    *REST,
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "train.jsonl", [example.to_dict() for example in WRONG])


@pytest.fixture
def folds(tmp_path: Path, trained_folder: str) -> Path:
    """Two folds, whose models know all texts."""
    folder = tmp_path / "folds"
    for fold in (0, 1):
        shutil.copytree(trained_folder, folder / f"fold-{fold}")
        (folder / f"fold-{fold}" / "training_log.json").write_text("{}")
    Folds.deal(WRONG, 2).save(folder / "folds.json")
    return folder


@pytest.fixture
def relabel(run: Any, data: Path, folds: Path) -> Any:
    return lambda *words: run("relabel", "--data", str(data), "--output", "clean.jsonl", *words)


def clean() -> list[dict[str, Any]]:
    return rows(Path("clean.jsonl").read_text(encoding="utf-8"))


@pytest.mark.parametrize("votes", ["all", "held-out"])
def test_cleans_labels(relabel: Any, folds: Path, data: Path, votes: str) -> None:
    result = relabel("--folds", str(folds), "--votes", votes, "--batch-size", "3")
    assert result.exit_code == 0, result.stderr
    assert [(row["text"], facts(row)) for row in clean()] == [
        (example.text, facts(example.to_dict())) for example in builders.EXAMPLES
    ]
    changes = rows(Path("clean.changes.jsonl").read_text(encoding="utf-8"))
    models = 2 if votes == "all" else 1
    assert [(change["change"], change["votes"], change["models"]) for change in changes] == [
        ("added", models, models),
        ("added", models, models),
        ("removed", 0, models),
    ]
    (summary,) = rows(result.stdout)
    assert (summary["texts"], summary["changed"], summary["added"], summary["removed"]) == (8, 2, 2, 1)
    assert summary["models"] == [str(folds / "fold-0"), str(folds / "fold-1")]
    assert summary == json.loads(Path("clean.summary.json").read_text(encoding="utf-8"))
    assert "hf-spo: model 2 of 2 votes" in result.stderr


def test_labels_are_kept_if_asked(relabel: Any, folds: Path) -> None:
    assert relabel("--folds", str(folds), "--keep-labels").exit_code == 0
    assert len(clean()[1]["triples"]) == 3
    assert len(clean()[0]["triples"]) == 3


def test_a_share(relabel: Any, trained_folder: str, tiny_model: Any, tiny_tokenizer: Any, tmp_path: Path) -> None:
    tiny_model.save_pretrained(tmp_path / "ignorant")
    tiny_tokenizer.save_pretrained(tmp_path / "ignorant")
    models = ("--model", trained_folder, "--model", str(tmp_path / "ignorant"))
    assert relabel(*models, "--keep-labels").exit_code == 0
    assert len(clean()[0]["triples"]) == 1
    result = relabel(*models, "--add", "0.5", "--remove", "0.4", "--table")
    assert result.exit_code == 0, result.stderr
    assert len(clean()[0]["triples"]) == 3
    assert len(clean()[1]["triples"]) == 2
    assert "removed" in result.stdout
    assert relabel(*models, "--add", "0.5", "--min-score", "1").exit_code == 0
    assert len(clean()[0]["triples"]) == 1


def test_models_that_know_nothing_are_no_judges(
    relabel: Any, folds: Path, tiny_model: Any, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    assert "fit to judge" not in relabel("--folds", str(folds)).stderr
    tiny_model.save_pretrained(tmp_path / "ignorant")
    tiny_tokenizer.save_pretrained(tmp_path / "ignorant")
    result = relabel("--model", str(tmp_path / "ignorant"))
    assert not any(row["triples"] for row in clean())
    assert "15 of 15 labels were removed; models that find so little are too weak to judge" in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        ([], 2, "no model given; pass --folds or --model"),
        (["--model", "{trained}", "--remove", "0", "--keep-labels"], 2, "--remove and --keep-labels contradict"),
        (["--model", "{trained}", "--add", "2"], 1, "add=2.0: expected a share above 0"),
        (["--model", "{trained}", "--votes", "held-out"], 1, "are unknown; expected the model of a fold"),
        (["--folds", "."], 1, "has no folds.json"),
        (["--model", "./none"], 1, "there is no folder ./none"),
        (["--model", "ensemble"], 1, "ensemble is an ensemble; expected a trained model"),
    ],
)
def test_wrong_usage(relabel: Any, trained_folder: str, words: list[str], code: int, hint: str) -> None:
    if "ensemble" in words:
        SpoEnsemble.from_models([trained_folder]).save_pretrained("ensemble")
    assert hint in one_line_error(relabel(*(word.format(trained=trained_folder) for word in words)), code)
    assert not list(Path().glob("clean*"))


def test_an_unfinished_fold(relabel: Any, folds: Path) -> None:
    (folds / "fold-1" / "training_log.json").unlink()
    assert "fold-1 is not finished" in one_line_error(relabel("--folds", str(folds)), 1)


def test_bad_lines_and_an_empty_file(relabel: Any, folds: Path, data: Path) -> None:
    with data.open("a") as file:
        file.write("{\n")
    assert f"{data}:9: not JSON" in one_line_error(relabel("--folds", str(folds)), 1)
    assert relabel("--folds", str(folds), "--skip-bad-lines").exit_code == 0
    assert len(clean()) == 8
    assert len(rows(Path("train.jsonl.bad.jsonl").read_text())) == 1
    data.write_text("\n")
    assert "no labelled text" in one_line_error(relabel("--folds", str(folds)), 1)
