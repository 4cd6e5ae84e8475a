import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, pipeline

from hf_spo import Schema, SpoForTripleExtraction, TripleStore
from hf_spo.data import ConversionReport, Record, find_format
from hf_spo.training.plan import TrainingData, run_recipe
from hf_spo.training.recipe import Recipe, RecipeError
from tests import builders
from tests.training import tiny


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
    "training_curves": False,  # which take a second
    "context_packing": 0.0,
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


@pytest.mark.parametrize("name", ["encoder", "train", "output"])
def test_what_is_missing_is_named(recipe, name):
    values = {field: getattr(recipe, field) for field in ("encoder", "train", "output") if field != name}
    with pytest.raises(RecipeError, match=f"{name} is missing"):
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
            with pytest.raises(RecipeError, match="two has checkpoint-4 of an earlier run: pass --resume"):
                run_recipe(run)
            run_recipe(run, ["--lr_scheduler_type", "constant"], resume=True)
        weights.append(SpoForTripleExtraction.from_pretrained(run.output).state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_resume_without_a_checkpoint_starts(recipe):
    run_recipe(recipe, ["--max_steps", "1"], resume=True)
    assert (Path(recipe.output) / "model.safetensors").exists()


def test_bad_lines(recipe, parts):
    bad = recipe.override(train=str(parts / "bad.jsonl"))
    with pytest.raises(ValueError, match=r"bad\.jsonl:11: not JSON"):
        run_recipe(bad)
    aside = []
    run_recipe(bad, ["--max_steps", "1"], on_bad_line=aside.append)
    assert [line.number for line in aside] == [11]


def test_data_in_another_format(recipe, parts, tmp_path):
    path = tmp_path / "train.json"
    doccano = find_format("doccano")
    assert doccano.write is not None
    doccano.write((Record(one.text, one.triples) for one in tiny.TEXTS), path, ConversionReport())
    read = TrainingData.read(recipe.override(train=str(path), dev=str(path)))
    assert read.train == read.dev == tiny.TEXTS
    with pytest.raises(ValueError, match=r"train\.json:1: spo_list"):
        TrainingData.read(recipe.override(train=str(path), format="duie2"))


def test_files_with_partial_labels_are_trained_on_together(recipe, parts):
    train, dev = recipe.train, recipe.dev
    several = replace(recipe, train=[train, dev], annotated_predicates={dev: ["主演"]}, dev=None)
    read = TrainingData.read(several).train
    assert [example.annotated_predicates for example in read] == [None] * len(tiny.TEXTS) + [("主演",)] * 4
    assert [replace(example, annotated_predicates=None) for example in read] == [*tiny.TEXTS, *tiny.TEXTS[:4]]
    assert run_recipe(replace(several, training={**TRAINING, "max_steps": 2})) == {}


@pytest.mark.parametrize("name", ["train", "dev"])
def test_no_example(recipe, parts, name):
    with pytest.raises(ValueError, match=r"empty\.jsonl has no labelled text"):
        run_recipe(recipe.override(**{name: str(parts / "empty.jsonl")}))


def test_evaluation_without_dev(recipe):
    with pytest.raises(RecipeError, match="eval_strategy is epoch, but the recipe has no dev"):
        run_recipe(Recipe(**{**fields(recipe), "dev": None}), ["--eval_strategy", "epoch"])


def test_a_share_of_the_texts_is_held_out(recipe):
    shared = replace(recipe, dev=None, dev_share=0.4)
    data = TrainingData.read(shared)
    assert data.dev
    assert len(data.train) + len(data.dev) == len(tiny.TEXTS)
    assert not {one.text for one in data.train} & {one.text for one in data.dev}
    assert TrainingData.read(replace(shared, train=[recipe.train, recipe.train])).dev == [*data.dev, *data.dev]
    assert "eval_f1" in run_recipe(shared, ["--max_steps", "1"])


def test_a_share_too_small_for_the_texts(recipe):
    with pytest.raises(RecipeError, match=r"dev_share=0\.0001 of 10 texts leaves 10 to train on and 0 for dev"):
        TrainingData.read(replace(recipe, dev=None, dev_share=1e-4))


def test_without_dev_it_is_said_what_to_do(recipe, caplog):
    run_recipe(replace(recipe, dev=None), ["--max_steps", "1"])
    assert "--dev-share 0.2" in caplog.text


def test_a_schema_that_lacks_a_relation(recipe, parts):
    with pytest.raises(ValueError, match=r"is not in the schema.* add its relation to the schema"):
        run_recipe(recipe.override(schema=str(parts / "few.json")))


def test_a_triple_extraction_model_is_trained_on(recipe, trained_folder):
    on = recipe.override(encoder=trained_folder)
    metrics = run_recipe(on, ["--learning_rate", "1e-6", "--ema_decay", "0"])
    assert metrics["eval_f1"] == 1.0


TABLE = "4 3\n晚风 1 2 3\n白露 -1 0 0.5\n云朵 4 4 4\n主演 0 0 1\n"
FRESH = {
    "max_length": 64,
    "conditioning": "recurrent",
    "head_attention_heads": 2,
    "global_gates": True,
    "prior": True,
    "encoder_config": {"model_type": "dgcnn", "hidden_size": 16, "dilations": [1, 2], "max_position_embeddings": 64},
}


@pytest.fixture(scope="module")
def extras(tmp_path_factory):
    folder = tmp_path_factory.mktemp("extras")
    (folder / "words.txt").write_text(TABLE, encoding="utf-8")
    (folder / "texts.txt").write_text("云朵谥\n云朵谥\n", encoding="utf-8")
    (folder / "known.tsv").write_text("海边\t主演\t何雨晴\n", encoding="utf-8")
    return folder


def fresh_recipe(parts, extras, output, **changes):
    values = {
        "train": str(parts / "train.jsonl"),
        "dev": str(parts / "dev.jsonl"),
        "schema": str(parts / "schema.json"),
        "output": str(output),
        "words": str(extras / "words.txt"),
        "texts": str(extras / "texts.txt"),
        "model": FRESH,
        "training": {**TRAINING, "learning_rate": 1e-2, "weight_decay": 0.1, "ema_decay": 0},
        "stages": [{"entity_swap_probability": 0.5}, {"num_train_epochs": 1, "learning_rate": 1e-3}],
    }
    return Recipe(**{**values, **changes})


@pytest.fixture(scope="module")
def run(parts, extras, tmp_path_factory):
    """A finished run of two stages. Shared: do not change its folder."""
    recipe = fresh_recipe(parts, extras, tmp_path_factory.mktemp("fresh") / "out")
    return recipe, run_recipe(recipe)


@pytest.fixture
def model(run):
    return SpoForTripleExtraction.from_pretrained(run[0].output)


class TestFresh:
    """An encoder that starts at random, with words, texts and a prior, in two stages."""

    def test_each_stage_has_a_folder(self, run):
        recipe, metrics = run
        folder = Path(recipe.output)
        logs = [json.loads((folder / f"stage-{n}" / "training_log.json").read_text()) for n in (1, 2)]
        rates = [max(entry.get("learning_rate", 0) for entry in log["history"]) for log in logs]
        assert rates[0] <= 1e-2
        assert rates[1] <= 1e-3
        assert [max(entry["epoch"] for entry in log["history"]) for log in logs] == [2, 1]
        assert logs[1]["final"] == metrics
        assert "eval_f1" in metrics

    def test_the_model_is_that_of_the_last_stage(self, run, model):
        folder = Path(run[0].output)
        last, first = (SpoForTripleExtraction.from_pretrained(folder / f"stage-{n}").state_dict() for n in (2, 1))
        assert all(torch.equal(last[name], weight) for name, weight in model.state_dict().items())
        assert any(not torch.equal(first[name], weight) for name, weight in model.state_dict().items())

    def test_it_has_words_and_triples(self, model):
        assert model.features.words.words == ["晚风", "白露", "云朵", "主演"]
        expected = TripleStore.from_examples(tiny.TEXTS, builders.SCHEMA)
        assert len(model.features.prior) == len(expected)
        text = builders.EXAMPLES[2].text
        assert model.features.prior.candidates(text) == expected.candidates(text) != []

    def test_the_texts_give_characters_too(self, run):
        tokenizer = AutoTokenizer.from_pretrained(run[0].output)
        assert tokenizer.unk_token_id not in tokenizer("云朵谥")["input_ids"]

    def test_the_word_vectors_are_those_of_the_table(self, model):
        table = model.encoder.embeddings.word_embeddings.weight
        assert table.tolist() == [[0, 0, 0], [1, 2, 3], [-1, 0, 0.5], [4, 4, 4], [0, 0, 1]]

    def test_a_pipeline_runs_it(self, run):
        extract = pipeline("triple-extraction", model=run[0].output, device="cpu")
        assert len(extract([example.text for example in tiny.TEXTS])) == len(tiny.TEXTS)

    def test_a_finished_stage_is_not_trained_again(self, run, tmp_path):
        recipe = run[0].override(output=str(tmp_path / "copy"))
        shutil.copytree(run[0].output, recipe.output)
        shutil.rmtree(Path(recipe.output) / "stage-2")
        (Path(recipe.output) / "model.safetensors").unlink()
        first = Path(recipe.output) / "stage-1" / "model.safetensors"
        written = first.stat().st_mtime_ns
        run_recipe(recipe, resume=True)
        assert first.stat().st_mtime_ns == written
        again, before = (SpoForTripleExtraction.from_pretrained(r.output).state_dict() for r in (recipe, run[0]))
        assert all(torch.equal(again[name], before[name]) for name in before)

    def test_an_earlier_run_is_not_written_over(self, run):
        with pytest.raises(RecipeError, match=r"stage-1 has checkpoint-6 of an earlier run: pass --resume or a new"):
            run_recipe(run[0])


def test_without_resume_finished_stages_are_trained_again(parts, extras, tmp_path):
    """As a single stage is: what an earlier run left without any checkpoint is no part of this one."""
    settings = {**TRAINING, "save_strategy": "no", "max_steps": 1, "ema_decay": 0}
    recipe = fresh_recipe(parts, extras, tmp_path / "out", training=settings, stages=[{}, {}])
    weights = []
    for seed in ("1", "2"):
        run_recipe(recipe, ["--seed", seed])
        weights.append(SpoForTripleExtraction.from_pretrained(recipe.output).state_dict())
    assert any(not torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_one_stage_writes_into_the_output_itself(parts, extras, tmp_path):
    recipe = fresh_recipe(parts, extras, tmp_path / "out", stages=[{"max_steps": 1}], words=None, texts=None)
    run_recipe(recipe)
    assert not list(tmp_path.glob("out/stage-*"))
    assert (tmp_path / "out" / "training_log.json").exists()
    assert SpoForTripleExtraction.from_pretrained(recipe.output).features.words is None


def test_stages_go_on_from_a_pretrained_encoder_too(recipe):
    staged = Recipe(**{**fields(recipe), "stages": [{"max_steps": 1}, {"max_steps": 1, "learning_rate": 1e-5}]})
    run_recipe(staged)
    assert SpoForTripleExtraction.from_pretrained(staged.output).config.encoder_config.model_type == "bert"


def test_known_triples_from_a_file(parts, extras, tmp_path):
    recipe = fresh_recipe(parts, extras, tmp_path / "out", prior=str(extras / "known.tsv"), stages=[{"max_steps": 1}])
    run_recipe(recipe)
    assert len(SpoForTripleExtraction.from_pretrained(recipe.output).features.prior) == 1


def test_what_dev_states_is_not_known(parts, extras, tmp_path):
    train = tmp_path / "train.jsonl"
    train.write_text(json.dumps(builders.EXAMPLES[4].to_dict(), ensure_ascii=False), encoding="utf-8")
    recipe = fresh_recipe(parts, extras, tmp_path / "out", train=str(train), words=None, stages=[{"max_steps": 1}])
    run_recipe(recipe)
    store = SpoForTripleExtraction.from_pretrained(recipe.output).features.prior
    assert len(store) == 1
    assert not [1 for example in builders.EXAMPLES[:4] if store.candidates(example.text)]


def test_a_prior_beside_a_pretrained_encoder(recipe):
    run_recipe(Recipe(**{**fields(recipe), "model": {**recipe.model, "prior": True}}), ["--max_steps", "1"])
    assert len(SpoForTripleExtraction.from_pretrained(recipe.output).features.prior) > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder": "some/name"}, "has a model_type, so its encoder starts with random weights"),
        ({"model": {}, "encoder": "some/name", "texts": None}, "words, texts: only an encoder with random weights"),
        ({"model": {}, "encoder": "some/name", "words": None}, "words, texts: only an encoder with random weights"),
        ({"model": {}}, "encoder is missing"),
        ({"model": {**FRESH, "prior": False}, "prior": "known.tsv"}, "add `prior: true` under `model:`"),
        ({"train": None}, "train is missing"),
        ({"output": None}, "output is missing"),
        ({"stages": [{}, {"ema_decay": 2}]}, r"training arguments: ema_decay=2"),
        (
            {"stages": [{}, {"eval_strategy": "epoch"}], "dev": None},
            "eval_strategy is epoch, but the recipe has no dev",
        ),
    ],
)
def test_sources_that_do_not_go_together(parts, extras, tmp_path, changes, message):
    values = {**fields(fresh_recipe(parts, extras, tmp_path / "out")), **changes}
    with pytest.raises(RecipeError, match=message):
        run_recipe(Recipe(**values))
    assert not (tmp_path / "out").exists()


def test_an_empty_encoder_config_is_none(recipe):
    """As in a recipe whose lines under it are commented out."""
    run_recipe(Recipe(**{**fields(recipe), "model": {"max_length": 64, "encoder_config": None}}), ["--max_steps", "1"])
    assert (Path(recipe.output) / "model.safetensors").exists()
