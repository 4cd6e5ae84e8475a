import json
from pathlib import Path
from typing import Any

import pytest

from tests import builders
from tests.cli.command_line import one_line_error, rows

RECIPE = """
model: {max_length: 64}
training: {use_cpu: true, learning_rate: 1.0e-7, max_steps: 1, ema_decay: 0, save_strategy: "no", disable_tqdm: true,
  training_curves: false}
"""


@pytest.fixture
def recipe() -> str:
    Path("recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return "recipe.yaml"


@pytest.fixture
def kfold(run: Any, recipe: str, gold: Path, trained_folder: str) -> Any:
    """Run `hf-spo kfold` from a model that knows the texts already."""
    sources = ("--train", str(gold), "--encoder", trained_folder, "--output", "folds")
    return lambda *words: run("kfold", recipe, *sources, *words)


def test_trains_a_model_a_fold_and_scores_it(kfold: Any, gold: Path) -> None:
    result = kfold("--folds", "2", "--num-train-epochs", "1")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["overall"]["f1"] == 1.0
    assert report == {"output": "folds", **json.loads(Path("folds/kfold.json").read_text())}
    assert "hf-spo: 2 of 2 folds are finished; their models are in folds" in result.stderr
    for fold in (0, 1):
        assert (Path("folds") / f"fold-{fold}" / "model.safetensors").exists()
    texts = [row["text"] for row in rows(Path("folds/out_of_fold.jsonl").read_text(encoding="utf-8"))]
    assert texts == [example.text for example in builders.EXAMPLES]


def test_one_fold_then_the_rest(kfold: Any) -> None:
    first = kfold("--folds", "3", "--only", "1")
    assert "1 of 3 folds are finished" in first.stderr
    assert not Path("folds/fold-0").exists()
    assert "--resume" in one_line_error(kfold("--folds", "3"), 2)
    rest = kfold("--folds", "3", "--only", "0,1,2", "--resume")
    assert "3 of 3 folds are finished" in rest.stderr
    assert "--folds 3, not 2" in one_line_error(kfold("--folds", "2", "--resume"), 2)


def test_the_seed_is_that_of_folds_and_training(kfold: Any) -> None:
    assert kfold("--folds", "2", "--only", "0", "--seed", "7").exit_code == 0
    assert json.loads(Path("folds/folds.json").read_text())["seed"] == 7
    assert kfold("--folds", "2", "--only", "0", "--seed", "7", "--resume").exit_code == 0


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--folds", "1"], "--folds"),
        (["--folds", "9"], "9 folds: expected at least 2, and no more than the 8 different texts"),
        (["--only", "a"], "expected numbers of folds, such as 0,3"),
        (["--only", "8"], "no fold 8"),
        (["--learning-rte", "1"], "did you mean --learning_rate"),
        (["--eval-strategy", "epoch", "--words", "x.txt"], "words, texts: only an encoder with random weights"),
    ],
)
def test_wrong_usage(kfold: Any, words: list[str], hint: str) -> None:
    assert hint in one_line_error(kfold(*words), 2)
    assert not Path("folds").exists()


def test_bad_lines(kfold: Any, gold: Path) -> None:
    with gold.open("a") as file:
        file.write("{\n")
    assert f"{gold}:9: not JSON" in one_line_error(kfold("--folds", "2"), 1)
    result = kfold("--folds", "2", "--only", "0", "--skip-bad-lines")
    assert result.exit_code == 0, result.stderr
    assert len(rows(Path("gold.jsonl.bad.jsonl").read_text())) == 1
