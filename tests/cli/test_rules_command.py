"""hf-spo rules, and what --rules and --no-rules do to other commands."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hf_spo.model.relation_rules import RelationRules
from hf_spo.model.schema import Schema
from tests import builders
from tests.cli.command_line import facts, one_line_error, rows

TEXT = "《远山的灯》由林小川执导,周一鸣、何雨晴主演"
RULED = Schema(
    replace(one, rules=RelationRules(max_objects=1) if one.predicate == "主演" else RelationRules())
    for one in builders.SCHEMA
)


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    """The model's relations in another order, one of them with a rule."""
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(RULED.to_list()[3:] + RULED.to_list()[:3]), encoding="utf-8")
    return path


@pytest.fixture
def ruled(run: Any, schema: Path, trained_folder: str) -> str:
    """The trained model with that rule."""
    result = run("rules", "--model", trained_folder, "--schema", str(schema), "--output", "ruled")
    assert result.exit_code == 0, result.stderr
    assert rows(result.stdout) == [{"model": "ruled", "relations_with_rules": 1}]
    return "ruled"


def files(folder: str | Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_all_but_the_relations_is_copied_as_it_is(ruled: str, trained_folder: str) -> None:
    ours, theirs = files(ruled), files(trained_folder)
    new, old = json.loads(ours.pop("config.json")), json.loads(theirs.pop("config.json"))
    assert ours == theirs
    assert Schema.from_list(new.pop("relations")) == Schema.from_list(old.pop("relations"))
    assert new == old


def test_rules_hold_unless_switched_off(run: Any, ruled: str) -> None:
    stars = [fact for fact in facts(*rows(run("extract", TEXT, "--json", model=ruled).stdout)) if fact[1] == "主演"]
    assert len(stars) == 1
    (row,) = rows(run("extract", TEXT, "--json", "--no-rules", model=ruled).stdout)
    assert len(facts(row)) == 3


def test_evaluation_with_and_without(run: Any, ruled: str, gold: Path) -> None:
    def recalled(*words: str) -> int:
        (row,) = rows(run("evaluate", "--data", str(gold), *words, model=ruled).stdout)
        return int(row["scores"]["strict"]["correct"])

    everything = sum(len(item.triples) for item in builders.EXAMPLES)
    assert recalled() == recalled("--rules", "--report", ".") == everything - 3
    effects = json.loads(Path("report.json").read_text(encoding="utf-8"))["rules"]
    assert {name: score["correct"] for name, score in effects.items()} == {
        "none": everything,
        "all": everything - 3,
        "max_objects": everything - 3,
        "主演 (影视作品 → 人物)": everything - 3,
    }
    assert recalled("--no-rules") == everything


def test_predictions_from_a_file_take_no_rules(run: Any, gold: Path) -> None:
    words = ["--predictions", str(gold), "--data", str(gold), "--no-rules"]
    assert "leave out --no-rules" in one_line_error(run("evaluate", *words, model=None), 2)


def test_in_place_and_back(run: Any, ruled: str, trained_folder: str, tmp_path: Path) -> None:
    plain = tmp_path / "plain.json"
    plain.write_text(json.dumps(builders.SCHEMA.to_list()), encoding="utf-8")
    result = run("rules", "--model", ruled, "--schema", str(plain), "--output", ruled)
    assert rows(result.stdout) == [{"model": ruled, "relations_with_rules": 0}]
    assert files(ruled) == files(trained_folder)


def test_checkpoints_stay_behind(run: Any, schema: Path, trained_folder: str) -> None:
    shutil.copytree(trained_folder, "run")
    Path("run/checkpoint-2").mkdir()
    Path("ruled").mkdir()
    assert run("rules", "--model", "run", "--schema", str(schema), "--output", "ruled").exit_code == 0
    assert files("ruled").keys() == files(trained_folder).keys()


@pytest.mark.parametrize("model", ["base", "lite"])
def test_the_rules_of_the_recipe_fit_the_packaged_models(run: Any, model: str) -> None:
    schema = Path(__file__).parents[2] / "recipes" / "duie2-me5-small" / "rules.jsonl"
    result = run("rules", "--model", model, "--schema", str(schema), "--output", "ruled")
    assert rows(result.stdout) == [{"model": "ruled", "relations_with_rules": 55}]


class TestErrors:
    def test_other_relations(self, run: Any, trained_folder: str) -> None:
        relations = [*RULED.to_list()[1:], {"subject_type": "a", "predicate": "p", "object_type": "b"}]
        Path("other.json").write_text(json.dumps(relations), encoding="utf-8")
        result = run("rules", "--model", trained_folder, "--schema", "other.json", "--output", "out")
        line = one_line_error(result, 1)
        assert "other.json is not about the relations of" in line
        assert "lacks 1: " in line
        assert "also has 1: " in line
        assert not Path("out").exists()

    def test_an_output_that_holds_something_else(self, run: Any, schema: Path, trained_folder: str) -> None:
        Path("out").mkdir()
        Path("out/notes.txt").touch()
        result = run("rules", "--model", trained_folder, "--schema", str(schema), "--output", "out")
        assert "out is not empty; give another folder, or the model's own" in one_line_error(result, 2)

    def test_a_folder_without_a_model(self, run: Any, schema: Path) -> None:
        Path("empty").mkdir()
        result = run("rules", "--model", "empty", "--schema", str(schema), "--output", "out")
        assert "empty has no config.json" in one_line_error(result, 1)

    def test_a_plain_encoder(self, run: Any, schema: Path) -> None:
        Path("bert").mkdir()
        Path("bert/config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
        result = run("rules", "--model", "bert", "--schema", str(schema), "--output", "out")
        assert "has no relations; expected a triple-extraction model" in one_line_error(result, 1)

    def test_a_rule_that_does_not_exist(self, run: Any, trained_folder: str) -> None:
        relations = [{**RULED.to_list()[0], "rules": {"max_object": 1}}]
        Path("rules.json").write_text(json.dumps(relations), encoding="utf-8")
        result = run("rules", "--model", trained_folder, "--schema", "rules.json", "--output", "out")
        assert "did you mean 'max_objects'?" in one_line_error(result, 1)
