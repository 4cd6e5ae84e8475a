import json
from pathlib import Path
from typing import Any

import pytest

from hf_spo import Example
from hf_spo.training import SpoTrainingArguments
from hf_spo.training.plan import TrainingData
from hf_spo.training.recipe import Recipe
from tests import builders
from tests.cli.command_line import facts, one_line_error, rows, write_rows

LABELLED, UNLABELLED = builders.EXAMPLES[:3], builders.EXAMPLES[3:]
NOTHING = "今天天气很好"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Texts of which the first lacks two triples, and the second is annotated for one predicate."""
    first, second, third = LABELLED
    partial = Example(second.text, second.triples[:1], (second.triples[0].predicate,))
    return write_rows(
        tmp_path / "train.jsonl",
        [example.to_dict() for example in (Example(first.text, first.triples[:1]), partial, third)],
    )


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "more.txt"
    lines = [LABELLED[0].text, *(example.text for example in UNLABELLED), UNLABELLED[0].text, "", NOTHING]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def ignorant(tiny_model: Any, tiny_tokenizer: Any, tmp_path: Path) -> str:
    """A model that finds nothing."""
    for part in (tiny_model, tiny_tokenizer):
        part.save_pretrained(tmp_path / "ignorant")
    return str(tmp_path / "ignorant")


@pytest.fixture
def distill(run: Any, data: Path, texts: Path) -> Any:
    sources = ("--data", str(data), "--texts", str(texts), "--output", "distilled.jsonl")
    return lambda *words: run("distill", *sources, *words)


def distilled() -> list[dict[str, Any]]:
    return rows(Path("distilled.jsonl").read_text(encoding="utf-8"))


def test_teachers_complete_labels_and_label_texts(distill: Any, trained_folder: str, ignorant: str) -> None:
    result = distill("--model", trained_folder, "--model", ignorant)
    assert result.exit_code == 0, result.stderr
    found = distilled()
    complete = [*builders.EXAMPLES, Example(NOTHING)]
    assert [(row["text"], facts(row)) for row in found] == [(one.text, facts(one.to_dict())) for one in complete]
    assert not any("annotated_predicates" in row for row in found)
    gold, *added = (triple.get("score") for triple in found[0]["triples"])
    assert gold is None
    assert all(0.25 < score <= 0.5 for score in added)  # one of two teachers is nearly sure
    (report,) = rows(result.stdout)
    assert (report["texts"], report["dropped"], report["removed"]) == (9, 0, 0)
    assert "9 texts are in distilled.jsonl; train with --soft-labels true" in result.stderr
    first = Path("distilled.jsonl").read_bytes()
    assert distill("--model", trained_folder, "--model", ignorant, "--batch-size", "2").exit_code == 0
    assert [facts(row) for row in distilled()] == [facts(row) for row in rows(first.decode())]


def test_scores_texts_and_thresholds(distill: Any, trained_folder: str, ignorant: str) -> None:
    union = ("--model", trained_folder, "--model", ignorant, "--combine", "union")
    assert distill(*union, "--empty", "drop").exit_code == 0
    assert len(distilled()) == 8
    assert all(triple["score"] > 0.5 for row in distilled()[3:] for triple in row["triples"])
    assert distill(*union, "--min-score", "1").exit_code == 0
    assert [len(row["triples"]) for row in distilled()[:4]] == [1, 1, 4, 0]
    assert distill(*union, "--threshold", "1").exit_code == 0
    assert [len(row["triples"]) for row in distilled()] == [1, 1, 4, *[0] * 6]


def test_the_rows_can_be_trained_on(distill: Any, trained_folder: str, ignorant: str, tmp_path: Path) -> None:
    assert distill("--model", trained_folder, "--model", ignorant).exit_code == 0
    data = TrainingData.read(Recipe(encoder=trained_folder, train="distilled.jsonl", output="student"))
    assert {triple.score is None for example in data.train for triple in example.triples} == {True, False}
    assert SpoTrainingArguments("student", soft_labels=True, use_cpu=True).soft_labels


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        ([], 2, "no model given; pass --folds or --model"),
        (["--model", "{trained}", "--min-score", "0"], 1, "min_score=0.0: expected a probability above 0"),
        (["--model", "{trained}", "--combine", "vote"], 2, "--combine"),
        (["--model", "{trained}", "--votes", "held-out"], 1, "are unknown; expected the model of a fold"),
    ],
)
def test_wrong_usage(distill: Any, trained_folder: str, words: list[str], code: int, hint: str) -> None:
    assert hint in one_line_error(distill(*(word.format(trained=trained_folder) for word in words)), code)
    assert not Path("distilled.jsonl").exists()


def test_no_text(run: Any, trained_folder: str) -> None:
    result = run("distill", "--model", trained_folder, "--output", "distilled.jsonl")
    assert "no text given; pass --data or --texts" in one_line_error(result, 2)


def test_bad_lines_are_set_aside(distill: Any, texts: Path, data: Path, trained_folder: str) -> None:
    with data.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"text": 1}) + "\n")
    assert f"{data}:4" in one_line_error(distill("--model", trained_folder), 1)
    assert distill("--model", trained_folder, "--skip-bad-lines").exit_code == 0
    assert len(distilled()) == 9
