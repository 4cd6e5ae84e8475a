from dataclasses import replace
from pathlib import Path

import pytest

from hf_spo.training.recipe import Recipe, RecipeError


@pytest.fixture
def recipe(tmp_path):
    training = {"use_cpu": True, "learning_rate": "1e-3", "num_train_epochs": 2}  # YAML reads 1e-3 as a string
    return Recipe(output=str(tmp_path / "out"), training=training)


def write(tmp_path, content):
    path = tmp_path / "recipe.yaml"
    path.write_text(content, encoding="utf-8")
    return path


def test_from_file(tmp_path):
    content = "encoder: some/name\ndev:\nmodel:\n  max_length: 128\ntraining:\n  learning_rate: 2e-4\n  seed: 7\n"
    recipe = Recipe.from_file(write(tmp_path, content))
    assert recipe == Recipe("some/name", model={"max_length": 128}, training={"learning_rate": "2e-4", "seed": 7})
    arguments = recipe.override(output=str(tmp_path), train=None).arguments()
    assert (arguments.learning_rate, arguments.seed, arguments.output_dir) == (2e-4, 7, str(tmp_path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "not YAML"),
        ("- a", "expected a mapping with keys such as encoder"),
        ("encodr: x", "unknown key 'encodr'; did you mean 'encoder'"),
        ("zzz: x", "unknown key 'zzz'; known: .*encoder"),
        ("model:\n  max_lenght: 9", "model: unknown key 'max_lenght'; did you mean 'max_length'"),
        ("training:\n  learning_rat: 9", "training: unknown key 'learning_rat'; did you mean 'learning_rate'"),
        ("training:\n  output_dir: x", "training: unknown key 'output_dir'"),
        ("training: 3", "training: expected a mapping, got int"),
        ("train: 3", "train: expected a path, got 3"),
        ("train: [3]", r"train: expected a path, got \[3\]"),
        ("annotated_predicates: {a: b}", "annotated_predicates: expected a list of predicates for each path"),
        ("words: [a]", "words: expected a path, got"),
        ("prior: true", "prior: expected a path, got True"),
        ("stages: 2", "stages: expected a list of mappings, one a stage, got 2"),
        ("stages: []", r"stages: expected a list of mappings, one a stage, got \[\]"),
        ("stages: {learning_rate: 1}", "stages: expected a list of mappings"),
        ("stages: [2]", "stage 1: expected a mapping, got int"),
        ("stages: [{}, {learning_rat: 1}]", "stage 2: unknown key 'learning_rat'; did you mean 'learning_rate'"),
        ("stages: [{output_dir: x}]", "stage 1: unknown key 'output_dir'"),
    ],
)
def test_a_wrong_file(tmp_path, content, message):
    with pytest.raises(RecipeError, match=message):
        Recipe.from_file(write(tmp_path, content))


def test_the_recipes_of_the_repository_are_well_formed():
    recipes = list(Path(__file__).parents[2].glob("recipes/*/train.yaml"))
    assert recipes
    for path in recipes:
        Recipe.from_file(path).override(output="out").arguments(["--use_cpu"])


def test_with_dev_the_best_weights_are_kept(recipe):
    assert recipe.arguments().eval_strategy == "no"
    with_dev = recipe.override(dev="dev.jsonl")
    arguments = with_dev.arguments()
    assert (arguments.eval_strategy, arguments.eval_steps, arguments.save_steps) == ("steps", 0.05, 0.05)
    assert arguments.load_best_model_at_end
    assert arguments.metric_for_best_model == "f1"


def test_a_share_held_out_is_a_dev_set(recipe):
    assert recipe.override(dev_share=0.2).arguments().load_best_model_at_end


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dev_share": 1}, "dev_share=1: expected a share between 0 and 1, such as 0.2"),
        ({"dev_share": "a fifth"}, "dev_share='a fifth': expected a share"),
        ({"dev_share": 0.2, "dev": "dev.jsonl"}, r"there is a dev set, dev\.jsonl; leave out one of both"),
    ],
)
def test_a_share_that_cannot_be_held_out(recipe, changes, message):
    with pytest.raises(RecipeError, match=message):
        replace(recipe, encoder="a", train="b", **changes).check_sources()


def test_what_is_said_of_evaluation_counts(recipe):
    with_dev = recipe.override(dev="dev.jsonl")
    arguments = with_dev.arguments(["--eval-strategy=epoch"])
    assert (arguments.eval_strategy, arguments.save_strategy) == ("epoch", "steps")
    assert not arguments.load_best_model_at_end
    assert replace(with_dev, training={"use_cpu": True, "save_strategy": "no"}).arguments().eval_strategy == "no"


def test_the_command_line_overrides(recipe):
    arguments = recipe.arguments(["--learning-rate", "5e-5", "--ema_decay", "0.5"])
    assert (arguments.learning_rate, arguments.ema_decay, arguments.num_train_epochs) == (5e-5, 0.5, 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--learning_rte", "1"], "unknown argument --learning_rte; did you mean --learning_rate"),
        (["--learning", "1"], "unknown argument --learning"),
        (["words"], "unknown argument words"),
        (["--num_train_epochs", "many"], "training arguments: .*num_train_epochs.*many"),
        (["--seed"], "training arguments: .*seed"),
        (["--ema_decay", "2"], r"training arguments: ema_decay=2\.0"),
        (["--output_dir", "elsewhere"], "pass the output folder as --output"),
    ],
)
def test_a_wrong_word(recipe, words, message):
    with pytest.raises(RecipeError, match=message):
        recipe.arguments(words)


def test_the_format_of_the_data(tmp_path):
    recipe = Recipe.from_file(write(tmp_path, "encoder: e\ntrain: t\noutput: o\nformat: doccano\n"))
    recipe.check_sources()
    assert recipe.format == "doccano"
    assert recipe.override(format="tsv").format == "tsv"
    with pytest.raises(RecipeError, match="format: there is no format 'docano'; did you mean doccano"):
        recipe.override(format="docano").check_sources()


def test_partial_labels_of_a_file_that_is_not_trained_on(recipe):
    named = replace(recipe, encoder="x", train=["a.jsonl", "b.jsonl"], annotated_predicates={"c.jsonl": ["主演"]})
    with pytest.raises(RecipeError, match=r"annotated_predicates: c.jsonl is not in train, which has a.jsonl, b.jsonl"):
        named.check_sources()
