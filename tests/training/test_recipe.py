import json
from pathlib import Path

import builders
import pytest
import tiny
import torch

from hf_spo import Schema, SpoForTripleExtraction
from hf_spo.training.recipe import Recipe, RecipeError, run_recipe


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """An encoder with its tokenizer, data and a schema, as files."""
    folder = tmp_path_factory.mktemp("parts")
    tiny.model().encoder.save_pretrained(folder / "encoder")
    builders.wordpiece_tokenizer().save_pretrained(folder / "encoder")
    lines = [json.dumps(example.to_dict(), ensure_ascii=False) for example in tiny.TEXTS]
    (folder / "train.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "dev.jsonl").write_text("\n".join(lines[:4]), encoding="utf-8")
    (folder / "bad.jsonl").write_text("\n".join([*lines, "{"]), encoding="utf-8")
    (folder / "empty.jsonl").write_text("\n", encoding="utf-8")
    (folder / "schema.json").write_text(json.dumps(builders.SCHEMA.to_list()), encoding="utf-8")
    (folder / "few.json").write_text(json.dumps(builders.SCHEMA.to_list()[:2]), encoding="utf-8")
    return folder


TRAINING = {
    "use_cpu": True,
    "per_device_train_batch_size": 4,
    "learning_rate": "1e-3",  # what YAML makes of 1e-3
    "num_train_epochs": 2,
    "save_strategy": "epoch",
    "disable_tqdm": True,
}


@pytest.fixture
def recipe(parts, tmp_path):
    return Recipe(
        encoder=str(parts / "encoder"),
        train=str(parts / "train.jsonl"),
        dev=str(parts / "dev.jsonl"),
        output=str(tmp_path / "out"),
        model={"max_length": 64, "encoder_config": {"hidden_dropout_prob": 0.1}},
        training=TRAINING,
    )


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
        ("a: [", "no YAML"),
        ("- a", "expected a mapping with keys such as encoder"),
        ("encodr: x", "unknown key 'encodr'; did you mean 'encoder'"),
        ("zzz: x", "unknown key 'zzz'; known: .*encoder"),
        ("model:\n  max_lenght: 9", "model: unknown key 'max_lenght'; did you mean 'max_length'"),
        ("training:\n  learning_rat: 9", "training: unknown key 'learning_rat'; did you mean 'learning_rate'"),
        ("training:\n  output_dir: x", "training: unknown key 'output_dir'"),
        ("training: 3", "training: expected a mapping, got int"),
        ("train: 3", "train: expected a path, got 3"),
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
        (["--output_dir", "elsewhere"], "the folder to write to is given by --output"),
    ],
)
def test_a_wrong_word(recipe, words, message):
    with pytest.raises(RecipeError, match=message):
        recipe.arguments(words)


@pytest.mark.parametrize("name", ["encoder", "train", "output"])
def test_what_is_missing_is_named(recipe, name):
    values = {field: getattr(recipe, field) for field in ("encoder", "train", "output") if field != name}
    with pytest.raises(RecipeError, match=f"nothing says what {name} is"):
        run_recipe(Recipe(**values))


def test_run(recipe, parts):
    words = ["--eval_strategy", "epoch", "--load_best_model_at_end", "true"]
    metrics = run_recipe(recipe.override(schema=str(parts / "schema.json")), words)
    model = SpoForTripleExtraction.from_pretrained(recipe.output)
    assert model.config.schema == builders.SCHEMA
    assert model.config.max_length == 64
    assert model.config.encoder_config.hidden_dropout_prob == 0.1
    log = json.loads((Path(recipe.output) / "training_log.json").read_text())
    assert (
        log["final"]["eval_f1"]
        == metrics["eval_f1"]
        == max(entry["eval_f1"] for entry in log["history"] if "eval_f1" in entry)
    )


def test_the_schema_is_inferred_from_train_and_dev(recipe):
    assert run_recipe(Recipe(**{**fields(recipe), "dev": None})) == {}
    model = SpoForTripleExtraction.from_pretrained(recipe.output)
    assert model.config.schema == Schema.infer(tiny.TEXTS)


def fields(recipe):
    return {name: getattr(recipe, name) for name in Recipe.__slots__}


def test_runs_are_alike_and_a_resumed_one_too(recipe, tmp_path):
    weights = []
    for name, words in (("one", []), ("two", ["--max_steps", "4"])):
        run = recipe.override(output=str(tmp_path / name))
        torch.manual_seed(len(weights))  # fresh heads must not depend on it
        run_recipe(run, [*words, "--lr_scheduler_type", "constant"])
        if words:
            with pytest.raises(RecipeError, match="two holds checkpoint-4 of an earlier run: pass --resume"):
                run_recipe(run)
            run_recipe(run, ["--lr_scheduler_type", "constant"], resume=True)
        weights.append(SpoForTripleExtraction.from_pretrained(run.output).state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_resume_without_a_checkpoint_starts(recipe):
    run_recipe(recipe, ["--max_steps", "1"], resume=True)
    assert (Path(recipe.output) / "model.safetensors").exists()


def test_bad_lines(recipe, parts):
    bad = recipe.override(train=str(parts / "bad.jsonl"))
    with pytest.raises(ValueError, match=r"bad\.jsonl:11: no JSON"):
        run_recipe(bad)
    aside = []
    run_recipe(bad, ["--max_steps", "1"], on_bad_line=aside.append)
    assert [line.number for line in aside] == [11]


@pytest.mark.parametrize("name", ["train", "dev"])
def test_no_example(recipe, parts, name):
    with pytest.raises(RecipeError, match=r"empty\.jsonl holds no example"):
        run_recipe(recipe.override(**{name: str(parts / "empty.jsonl")}))


def test_evaluation_without_dev(recipe):
    with pytest.raises(RecipeError, match="eval_strategy is epoch, but nothing says what dev is"):
        run_recipe(Recipe(**{**fields(recipe), "dev": None}), ["--eval_strategy", "epoch"])


def test_a_schema_that_lacks_a_relation(recipe, parts):
    with pytest.raises(ValueError, match=r"is not in the schema.* add its relation to the schema"):
        run_recipe(recipe.override(schema=str(parts / "few.json")))


def test_a_triple_extraction_model_is_trained_on(recipe, trained_folder):
    on = recipe.override(encoder=trained_folder)
    metrics = run_recipe(on, ["--learning_rate", "1e-6", "--ema_decay", "0"])
    assert metrics["eval_f1"] == 1.0
