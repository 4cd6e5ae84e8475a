import json
import shutil
from collections import Counter

import pytest
import torch
from transformers import AutoTokenizer, pipeline

from hf_spo import Example, SpoForTripleExtraction
from hf_spo.metrics import TripleScorer
from hf_spo.model.ensemble import make_extractor
from hf_spo.model.modeling_ensemble import SpoEnsemble
from hf_spo.training import plan
from hf_spo.training.folds import Folds, fold_models, run_folds, text_hash, training_texts
from hf_spo.training.recipe import Recipe, RecipeError
from tests import builders
from tests.training import tiny

TWINS = [Example("谥谥和琏琏"), builders.EXAMPLES[2], Example("谥谥和琏琏")]
DATA = [*tiny.TEXTS, *TWINS]
"""Thirteen texts, of which eleven differ; two characters stand in one of them alone."""


class TestDeal:
    def test_folds_are_of_one_size_and_every_text_is_held_out_once(self):
        folds = Folds.deal([Example(str(number)) for number in range(50)], 8)
        assert sorted(Counter(folds.of(str(number)) for number in range(50)).values()) == [6] * 6 + [7] * 2
        assert folds.of("another") is None

    def test_neither_order_nor_labels_nor_twins_matter(self):
        folds = Folds.deal(DATA, 3)
        bare = [Example(example.text) for example in reversed(tiny.TEXTS)]
        assert Folds.deal([*bare, TWINS[0]], 3).held_out == folds.held_out

    def test_the_seed_does(self):
        assert Folds.deal(DATA, 3, seed=1).held_out != Folds.deal(DATA, 3).held_out

    def test_what_is_written_is_read(self, tmp_path):
        folds = Folds.deal([*DATA, Example("\ud800")], 3, seed=7)
        folds.save(tmp_path / "folds.json")
        assert Folds.from_file(tmp_path / "folds.json") == folds

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"held_out": [1], "seed": 1, "data": ""}'])
    def test_another_file(self, tmp_path, content):
        (tmp_path / "folds.json").write_text(content)
        with pytest.raises(ValueError, match=r"folds\.json: expected the folds that"):
            Folds.from_file(tmp_path / "folds.json")

    @pytest.mark.parametrize("count", [1, 12])
    def test_a_wrong_number(self, count):
        with pytest.raises(RecipeError, match=f"{count} folds: expected at least 2, and no more than the 11 different"):
            Folds.deal(DATA, count)


def write_rows(path, examples):
    rows = [json.dumps(example.to_dict(), ensure_ascii=False) for example in examples]
    path.write_text("\n".join(rows), encoding="utf-8")
    return str(path)


def recipe_on(folder, output, **changes):
    """Return the recipe of a tiny DGCNN with words and a prior."""
    encoder = {"model_type": "dgcnn", "hidden_size": 16, "dilations": [1, 2], "max_position_embeddings": 64}
    values = {
        "train": str(folder / "train.jsonl"),
        "schema": str(folder / "schema.json"),
        "words": str(folder / "words.txt"),
        "output": str(output),
        "model": {
            "max_length": 64,
            "conditioning": "concatenation",
            "head_attention_heads": 0,
            "prior": True,
            "encoder_config": encoder,
        },
        "training": {
            "use_cpu": True,
            "per_device_train_batch_size": 4,
            "per_device_eval_batch_size": 4,
            "learning_rate": 1e-2,
            "num_train_epochs": 2,
            "training_curves": False,  # a second each
            "entity_swap_probability": 0.5,
            "ema_decay": 0.5,
            "eval_strategy": "epoch",
            "save_strategy": "epoch",
            "disable_tqdm": True,
        },
    }
    return Recipe(**{**values, **changes})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    write_rows(folder / "train.jsonl", DATA)
    write_rows(folder / "dev.jsonl", tiny.TEXTS[:2])
    (folder / "schema.json").write_text(json.dumps(builders.SCHEMA.to_list()), encoding="utf-8")
    (folder / "words.txt").write_text("3 2\n晚风 1 2\n白露 -1 0\n主演 0 1\n", encoding="utf-8")
    return folder


class Watched(plan.SpoTrainer):
    """Remembers which texts each run trains and evaluates on."""

    runs: list = []  # noqa: RUF012  # shared on purpose

    def __init__(self, model, args, train, dev, **kwargs):
        super().__init__(model, args, train, dev, **kwargs)
        donors = {text for pairs in self.train_dataset.swap._donors.values() for pair in pairs for text in pair}
        self.runs.append(([e.text for e in train], dev and [e.text for e in dev], donors, model.features.prior))


@pytest.fixture(scope="module")
def run(files, tmp_path_factory):
    """A finished run of three folds, its report, and what was trained on. Shared: do not change its folder."""
    output = tmp_path_factory.mktemp("run") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "SpoTrainer", Watched)
        Watched.runs = []
        report = run_folds(recipe_on(files, output), 3)
    return output, report, Watched.runs


def weights(folder):
    return SpoForTripleExtraction.from_pretrained(folder).state_dict()


def assert_same(one, other):
    ours, theirs = weights(one), weights(other)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def out_of_fold(folder):
    return [json.loads(line) for line in (folder / "out_of_fold.jsonl").read_text(encoding="utf-8").splitlines()]


class TestRun:
    def test_no_fold_sees_what_it_holds_out(self, run):
        output, _, runs = run
        folds = Folds.from_file(output / "folds.json")
        assert len(runs) == 3
        for fold, (train, dev, donors, prior) in enumerate(runs):
            held_out = [example for example in DATA if folds.of(example.text) == fold]
            assert dev == [example.text for example in held_out]
            assert train == [example.text for example in DATA if folds.of(example.text) != fold]
            seen = [triple for example in DATA for triple in example.triples if example.text in train]
            assert donors == {mention.text for triple in seen for mention in (triple.subject, triple.object)}
            said = {(triple.subject.text, triple.object.text) for triple in seen}
            for example in held_out:
                for triple in example.triples:
                    own = (triple.subject.text, triple.object.text)
                    known = {
                        (example.text[slice(s.start, s.end)], example.text[slice(o.start, o.end)])
                        for s, o, _ in prior.candidates(example.text)
                    }
                    assert own in said or own not in known
        assert set(folds.held_out) == {text_hash(example.text) for example in DATA}

    def test_every_fold_is_a_model_that_reads_alike(self, run):
        output, _, _ = run
        assert fold_models(output) == [output / f"fold-{fold}" for fold in range(3)]
        for folder in fold_models(output):
            tokenizer = AutoTokenizer.from_pretrained(folder)
            assert tokenizer.unk_token_id not in tokenizer("谥琏")["input_ids"]
            assert len(pipeline("triple-extraction", model=str(folder), device="cpu")(["雪国", "海边"])) == 2
        ensemble = SpoEnsemble.from_models(fold_models(output))
        assert [len(group) for group in ensemble.groups] == [3]

    def test_out_of_fold(self, run):
        output, report, _ = run
        folds, rows = Folds.from_file(output / "folds.json"), out_of_fold(output)
        assert [row["text"] for row in rows] == [example.text for example in DATA]
        assert [row["fold"] for row in rows] == [folds.of(example.text) for example in DATA]
        assert json.loads((output / "kfold.json").read_text()) == report
        assert [entry["fold"] for entry in report["finished"]] == [0, 1, 2]
        assert sum(entry["texts"] for entry in report["finished"]) == report["overall"]["texts"] == len(DATA)
        assert report["overall"]["gold"] == sum(len(example.triples) for example in DATA)

    def test_what_a_model_was_trained_on_is_known(self, run):
        output, _, runs = run
        for fold, (train, *_) in enumerate(runs):
            seen = training_texts(output / f"fold-{fold}")
            assert [example.text for example in DATA if seen(example.text)] == train
            assert not seen("another text")
        assert training_texts(output) is None
        assert training_texts(output / "fold-0" / "checkpoint-2") is None

    def test_folds_one_by_one_are_those_of_one_run(self, run, files, tmp_path):
        recipe = recipe_on(files, tmp_path / "out")
        first = run_folds(recipe, 3, only=[2])
        assert [entry["fold"] for entry in first["finished"]] == [2]
        assert {row["fold"] for row in out_of_fold(tmp_path / "out")} == {2}
        with pytest.raises(ValueError, match="fold-0 is not finished; continue it"):
            fold_models(tmp_path / "out")
        written = (tmp_path / "out/fold-2/model.safetensors").stat().st_mtime_ns
        assert run_folds(recipe, 3, resume=True) == run[1]
        assert (tmp_path / "out/fold-2/model.safetensors").stat().st_mtime_ns == written
        for fold in range(3):
            assert_same(tmp_path / f"out/fold-{fold}", run[0] / f"fold-{fold}")
        assert (tmp_path / "out/out_of_fold.jsonl").read_bytes() == (run[0] / "out_of_fold.jsonl").read_bytes()

    def test_a_run_killed_in_a_fold_goes_on(self, run, files, tmp_path):
        output = tmp_path / "out"
        shutil.copytree(run[0], output)
        shutil.rmtree(output / "fold-2")
        for path in ("out_of_fold.jsonl", "kfold.json", "fold-1/out_of_fold.jsonl", "fold-1/training_log.json"):
            (output / path).unlink()
        (output / "fold-1/model.safetensors").unlink()
        *_, last = sorted((output / "fold-1").glob("checkpoint-*"))
        shutil.rmtree(last)
        (output / "fold-1/.out_of_fold.jsonl.part").write_text("half a li")
        assert run_folds(recipe_on(files, output), 3, resume=True) == run[1]
        for fold in range(3):
            assert_same(output / f"fold-{fold}", run[0] / f"fold-{fold}")
        assert not list(output.rglob("*.part"))

    def test_a_run_killed_while_extracting_goes_on(self, run, files, tmp_path):
        output = tmp_path / "out"
        shutil.copytree(run[0], output)
        (output / "fold-0/out_of_fold.jsonl").unlink()
        assert run_folds(recipe_on(files, output), 3, resume=True, only=[0]) == run[1]

    @pytest.mark.parametrize(
        ("count", "options", "message"),
        [
            (3, {}, "fold-0 holds the model of an earlier run: pass --resume or a new --output"),
            (4, {"resume": True}, r"folds\.json: this run was started with --folds 3, not 4"),
            (3, {"resume": True, "seed": 1}, r"folds\.json: this run was started with --seed 42, not 1"),
            (3, {"only": [1, 3]}, "no fold 3: 3 folds have the numbers 0 to 2"),
        ],
    )
    def test_an_earlier_run_is_in_the_way(self, run, files, count, options, message):
        with pytest.raises(RecipeError, match=message):
            run_folds(recipe_on(files, run[0]), count, **options)

    def test_a_checkpoint_of_an_earlier_run_is_in_the_way(self, run, files, tmp_path):
        shutil.copytree(run[0] / "fold-0" / "checkpoint-4", tmp_path / "out" / "fold-0" / "checkpoint-4")
        with pytest.raises(RecipeError, match=r"fold-0 has checkpoint-4 of an earlier run"):
            run_folds(recipe_on(files, tmp_path / "out"), 3)

    @pytest.mark.parametrize("changed", [DATA[1:], [Example(DATA[0].text), *DATA[1:]]], ids=["texts", "labels"])
    def test_other_data(self, run, files, tmp_path, changed):
        recipe = recipe_on(files, run[0], train=write_rows(tmp_path / "other.jsonl", changed))
        with pytest.raises(RecipeError, match=r"other\.jsonl has changed since this run was started"):
            run_folds(recipe, 3, resume=True)


def test_scores_are_those_of_the_models_that_have_not_seen_a_text(files, tmp_path, trained_folder, trained_model):
    """A model that knows all texts by heart is hardly trained on, so that every fold finds what it holds out."""
    training = {**recipe_on(files, "").training, "learning_rate": 1e-7, "max_steps": 1, "ema_decay": 0, "bf16": True}
    recipe = recipe_on(
        files, tmp_path / "out", encoder=trained_folder, words=None, model={"max_length": 64}, training=training
    )
    report = run_folds(recipe, 2, ["--num_train_epochs", "1"])
    assert [entry["f1"] for entry in report["finished"]] == [1.0, 1.0]
    assert report["overall"]["correct"] == report["overall"]["gold"] > 10
    scorer = TripleScorer()
    for row, example in zip(out_of_fold(tmp_path / "out"), DATA, strict=True):
        assert all(0.5 < triple["score"] <= 1 for triple in row["triples"])
        assert builders.facts(row["triples"]) == builders.facts(example.triples)
        scorer.add(Example.from_dict(row).triples, example.triples)
    assert scorer.score().f1 == 1.0
    found = make_extractor(trained_model, builders.wordpiece_tokenizer())([DATA[2].text])
    assert builders.facts(next(found)) == builders.facts(DATA[2].triples)


def test_evaluation_on_dev_and_none_at_all(files, tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "SpoTrainer", Watched)
    for dev, strategy in ((str(files / "dev.jsonl"), "epoch"), (None, "no")):
        Watched.runs = []
        recipe = recipe_on(files, tmp_path / strategy, dev=dev)
        run_folds(recipe, 2, ["--max_steps", "1", "--eval_strategy", strategy], only=[0])
        ((_, evaluated, *_),) = Watched.runs
        assert evaluated == (None if dev is None else [example.text for example in tiny.TEXTS[:2]])


def test_stages(files, tmp_path):
    recipe = recipe_on(files, tmp_path / "out", stages=[{"max_steps": 1}, {"max_steps": 1}])
    run_folds(recipe, 2, only=[1])
    assert (tmp_path / "out/fold-1/stage-2/training_log.json").exists()
    assert_same(tmp_path / "out/fold-1", tmp_path / "out/fold-1/stage-2")


def test_a_lone_surrogate(files, tmp_path):
    rows = [*DATA, Example("雪国\ud800")]
    train = tmp_path / "train.jsonl"
    train.write_text("\n".join(json.dumps(example.to_dict()) for example in rows), encoding="utf-8")
    fold = Folds.deal(rows, 2).of(rows[-1].text)
    run_folds(recipe_on(files, tmp_path / "out", train=str(train)), 2, ["--max_steps", "1"], only=[fold])
    assert out_of_fold(tmp_path / "out")[-1]["text"] == "雪国\ud800"


def test_models_of_another_folder(tmp_path):
    with pytest.raises(ValueError, match=r"has no folds\.json; expected a folder that `hf-spo kfold` wrote"):
        fold_models(tmp_path)


def test_what_is_missing_is_named():
    with pytest.raises(RecipeError, match="output is missing"):
        run_folds(Recipe(encoder="some/name", train="train.jsonl"), 3)
