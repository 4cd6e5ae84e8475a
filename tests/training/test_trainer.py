import copy
import gc
import json
import logging
from collections import Counter
from dataclasses import replace
from functools import partial

import pytest
import torch
from datasets import Dataset
from transformers import AutoTokenizer, EarlyStoppingCallback, Trainer, TrainerCallback, pipeline

from hf_spo import (
    AutoModelForTripleExtraction,
    DgcnnConfig,
    Example,
    Mention,
    SpoForTripleExtraction,
    Triple,
    TripleExtractor,
    TripleStore,
)
from hf_spo.metrics import TripleScorer
from hf_spo.model.decoding_settings import DecodingSettings, Thresholds
from hf_spo.model.features import Features
from hf_spo.model.modeling_spo import TorchBackend
from hf_spo.model.words import WordVocabulary
from hf_spo.training import ExponentialMovingAverage, SpoTrainer
from tests import builders
from tests.training import tiny

PARTS = ("precision", "recall", "f1")


def f1(extracted, gold):
    scorer = TripleScorer()
    for predicted, example in zip(extracted, gold, strict=True):
        scorer.add(predicted, example.triples)
    return scorer.score().f1


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that learns its sentences, evaluated and saved after each epoch."""
    run = tiny.trainer(
        tmp_path_factory.mktemp("run"),
        tiny.model(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, hidden_size=64, intermediate_size=128),
        dev=tiny.TEXTS,
        num_train_epochs=16,
        per_device_train_batch_size=2,
        subjects_per_example=4,
        subject_sampling="true",
        learning_rate=2e-3,
        head_learning_rate=4e-3,
        ema_decay=0.8,
        eval_strategy="epoch",
        save_strategy="epoch",
        load_best_model_at_end=True,
    )
    run.train()
    run.save_model()
    return run


def best_checkpoint(run):
    return run.state.best_model_checkpoint


def history(run, name):
    return [entry[name] for entry in run.state.log_history if name in entry]


def test_it_learns(trained):
    assert history(trained, "eval_f1")[0] < 0.5 < history(trained, "eval_f1")[-1]


def test_the_best_checkpoint_is_that_of_the_best_average(trained):
    figures = history(trained, "eval_f1")
    assert trained.state.best_metric == max(figures)
    steps = [entry["step"] for entry in trained.state.log_history if "eval_f1" in entry]
    assert trained.state.best_global_step == steps[figures.index(max(figures))]
    assert len(history(trained, "eval_raw_f1")) == len(figures)
    assert history(trained, "eval_raw_f1") != figures


def test_the_model_holds_the_average_of_the_best_checkpoint(trained):
    average = ExponentialMovingAverage(tiny.model(hidden_size=64, intermediate_size=128), 0.8)
    average.load(best_checkpoint(trained))
    assert average.steps == trained.state.best_global_step
    weights = dict(trained.model.named_parameters())
    for name, expected in zip(average.names, average.average, strict=True):
        assert torch.equal(weights[name], expected), name


def test_a_separate_run_of_pipeline_and_extractor_gives_the_same_figures(trained):
    folder = trained.args.output_dir
    extract = pipeline("triple-extraction", model=folder, device="cpu")
    dictionaries = extract([example.text for example in tiny.TEXTS])
    found = [[Triple.from_dict(triple) for triple in triples] for triples in dictionaries]
    assert f1(found, tiny.TEXTS) == trained.state.best_metric == trained.evaluate()["eval_f1"]

    model = AutoModelForTripleExtraction.from_pretrained(folder).eval()
    extractor = TripleExtractor(
        TorchBackend(model), AutoTokenizer.from_pretrained(folder), model.config.schema, max_length=64
    )
    assert f1(extractor([example.text for example in tiny.TEXTS], 1), tiny.TEXTS) == trained.state.best_metric


def test_a_model_trained_in_float32_is_float32(trained):
    model = SpoForTripleExtraction.from_pretrained(trained.args.output_dir)
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert model.config.dtype == torch.float32


def test_the_window_holds_the_triples_of_the_training_texts(trained, tmp_path):
    reach = trained.train_dataset.reaches().of(trained.model.config.window)
    assert (reach.triples, reach.lost) == (16, 0)
    assert trained.model.config.window < max(trained.train_dataset.lengths)
    again = tiny.trainer(tmp_path, trained.model, train=[tiny.TEXTS[-1]])
    assert again.model.config.window == trained.model.config.window


def test_a_window_that_holds_too_little_is_widened(tmp_path, caplog):
    model = tiny.model()
    model.config.window = 8
    tiny.trainer(tmp_path, model)
    assert model.config.window > 12
    assert "the model's window is widened from 8 to" in caplog.text


def test_evaluation_counts_what_no_window_holds(tmp_path, caplog):
    """Training texts set the window; an evaluation text has its triple farther apart."""
    lead = builders.example("《海边》上映了" + "。今天天气很好" * 6 + "。主演是何雨晴", ("海边", "主演", "何雨晴"))
    run = tiny.trainer(tmp_path, dev=[lead])
    run.evaluate()
    window = run.model.config.window
    assert f"of 1 gold triples 1 are out of reach: no window of {window} tokens holds them" in caplog.text


def test_the_best_step_of_raw_weights_is_kept_beside_the_average(trained):
    raw = SpoForTripleExtraction.from_pretrained(best_checkpoint(trained)).state_dict()
    final = trained.model.state_dict()
    assert any(not torch.equal(raw[name], final[name]) for name in raw)


def test_stages_are_scored_beside_the_triples(trained):
    metrics = trained.evaluate()
    assert metrics["eval_subject_f1"] > 0.9
    assert metrics["eval_object_f1"] > 0.9
    for kind in ("", "raw_"):
        for stage in ("subject", "object"):
            assert len(history(trained, f"eval_{kind}{stage}_f1")) == len(history(trained, f"eval_{kind}f1"))
    assert trained.predict(tiny.TEXTS[:3]).metrics["test_subject_f1"] == 1.0


def test_an_evaluation_encodes_each_text_once(tmp_path, trained, monkeypatch):
    encoded = []
    encode = SpoForTripleExtraction.encode

    def record(self, input_ids, *args, **inputs):
        encoded.append(len(input_ids))
        return encode(self, input_ids, *args, **inputs)

    monkeypatch.setattr(SpoForTripleExtraction, "encode", record)
    tiny.trainer(tmp_path, trained.model, dev=tiny.TEXTS).evaluate()
    assert sum(encoded) == len(tiny.TEXTS)


def warnings_of(caplog):
    # By level: a command that ran in this process may have asked for more than warnings.
    records = [record for record in caplog.records if record.levelno >= logging.WARNING]
    return [record.message for record in records if record.name == "hf_spo.training.trainer"]


def test_an_f1_of_0_is_explained(tmp_path, caplog):
    run = tiny.trainer(tmp_path, dev=tiny.TEXTS, max_steps=2, eval_strategy="steps", eval_steps=2, logging_steps=1)
    run.train()
    lines = warnings_of(caplog)
    assert lines[0].startswith("F1 is 0: no subject found: the highest probability of a border is 0.")
    assert "2 of 2 steps" in lines[1]
    assert all(len(line) < 200 for line in lines)


def test_an_f1_of_0_is_explained_for_each_evaluation_set(tmp_path, trained, caplog):
    sets = {"films": tiny.TEXTS[:3], "nothing": [Example("今天天气很好")]}
    metrics = tiny.trainer(tmp_path, trained.model, dev=sets).evaluate()
    assert metrics["eval_films_subject_f1"] == metrics["eval_films_object_f1"] == 1.0
    assert [line for line in warnings_of(caplog) if "F1 is 0" in line] == [
        "F1 is 0: none of the 1 texts is labelled with a triple; check these data"
    ]


def test_weights_that_are_no_numbers(tmp_path, caplog):
    start = tiny.model()
    torch.nn.init.constant_(start.subject_head.bias, float("nan"))
    assert tiny.trainer(tmp_path, start, dev=tiny.TEXTS).evaluate()["eval_f1"] == 0.0
    assert "NaN" in warnings_of(caplog)[-2]


def test_a_good_evaluation_says_nothing(tmp_path, trained, caplog):
    run = tiny.trainer(tmp_path, trained.model, dev=tiny.TEXTS)
    run.evaluate()
    run.predict([Example("今天天气很好")])
    assert not [line for line in warnings_of(caplog) if "F1" in line]


def test_predict(trained):
    output = trained.predict(tiny.TEXTS[:3])
    assert output.label_ids == [list(example.triples) for example in tiny.TEXTS[:3]]
    assert {type(triple) for triples in output.predictions for triple in triples} == {Triple}
    assert output.metrics["test_f1"] == f1(output.predictions, tiny.TEXTS[:3])


def test_predict_takes_texts_of_relations_that_the_model_does_not_know(trained):
    foreign = Example("雪国", (Triple(Mention("雪国"), "语言", Mention("雪")),))
    assert trained.predict([foreign]).metrics["test_recall"] == 0.0


def test_no_evaluation_set(trained, tmp_path):
    with pytest.raises(ValueError, match="evaluation needs eval_dataset"):
        tiny.trainer(tmp_path, trained.model).evaluate()


def test_an_empty_evaluation_set(trained):
    assert trained.evaluate([])["eval_f1"] == 0.0


def test_several_evaluation_sets(tmp_path, trained):
    sets = {"films": tiny.TEXTS[:3], "rest": [example.to_dict() for example in tiny.TEXTS[3:]]}
    run = tiny.trainer(tmp_path, trained.model, dev=sets)
    metrics = run.evaluate()
    for name, data in sets.items():
        alone = run.evaluate(data)
        assert [metrics[f"eval_{name}_{part}"] for part in PARTS] == [alone[f"eval_{part}"] for part in PARTS]
    assert run.evaluate({"other": tiny.TEXTS[:3]})["eval_other_f1"] == metrics["eval_films_f1"]


def test_several_evaluation_sets_choose_the_best_by_one(tmp_path):
    settings = {
        "dev": {"a": tiny.TEXTS[:2], "b": tiny.TEXTS[2:4]},
        "load_best_model_at_end": True,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "num_train_epochs": 1,
    }
    with pytest.raises(ValueError, match=r"metric_for_best_model='f1': there are several .* expected a_f1 or b_f1"):
        tiny.trainer(tmp_path, **settings)
    run = tiny.trainer(tmp_path, metric_for_best_model="b_f1", **settings)
    run.train()
    assert run.state.best_metric == history(run, "eval_b_f1")[0]


def test_rows_of_datasets_are_taken(tmp_path):
    rows = [
        {
            "text": example.text,
            "spo_list": [
                {
                    "predicate": triple.predicate,
                    "subject": triple.subject.text,
                    "subject_type": triple.subject.type,
                    "object": triple.object.text,
                    "object_type": triple.object.type,
                }
                for triple in example.triples
            ],
        }
        for example in tiny.TEXTS[:5]
    ]
    run = tiny.trainer(tmp_path, train=Dataset.from_list(rows), dev=Dataset.from_list(rows), max_steps=1)
    run.train()
    assert run.train_dataset.report.share == 1.0
    assert run.evaluate()["eval_f1"] == 0.0


def test_texts_without_triples(tmp_path):
    run = tiny.trainer(tmp_path, train=[Example("今天天气很好"), Example("雪国"), Example("")], num_train_epochs=2)
    assert 0 < run.train().training_loss < 10


def test_own_metrics(tmp_path, trained):
    def count(prediction):
        return {"texts": len(prediction.predictions), "gold": sum(map(len, prediction.label_ids))}

    metrics = tiny.trainer(tmp_path, trained.model, dev=tiny.TEXTS, compute_metrics=count).evaluate()
    assert (metrics["eval_texts"], metrics["eval_gold"]) == (10, 16)
    assert metrics["eval_f1"] == trained.state.best_metric


def test_evaluation_keeps_no_tensors(tmp_path, trained):
    run = tiny.trainer(tmp_path, trained.model, dev=tiny.TEXTS, per_device_eval_batch_size=2)
    run.evaluate()

    def tensors():
        gc.collect()
        return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())

    before = tensors()
    output = run.predict(tiny.TEXTS)
    assert tensors() == before
    assert len(output.predictions) == len(tiny.TEXTS)


def test_evaluation_does_not_touch_training(tmp_path):
    """Neither the raw weights, nor their average, nor the random numbers of dropout."""
    final = []
    for settings in ({}, {"eval_strategy": "steps", "eval_steps": 1}):
        run = tiny.trainer(tmp_path, dev=tiny.TEXTS, max_steps=6, ema_decay=0.5, **settings)
        run.train()
        final.append([*run.model.parameters(), *run.ema.average])
    assert len(history(run, "eval_f1")) == 6
    assert all(torch.equal(quiet, evaluated) for quiet, evaluated in zip(*final, strict=True))


def test_without_an_average(tmp_path):
    run = tiny.trainer(
        tmp_path, dev=tiny.TEXTS, ema_decay=0.0, max_steps=2, eval_strategy="steps", save_strategy="steps", save_steps=2
    )
    run.train()
    assert run.ema is None
    assert not history(run, "eval_raw_f1")
    assert not (tmp_path / "checkpoint-2" / ExponentialMovingAverage.FILE).exists()


def test_raw_weights_are_evaluated_on_request_only(tmp_path):
    run = tiny.trainer(tmp_path, dev=tiny.TEXTS, evaluate_raw=False, num_train_epochs=1, eval_strategy="epoch")
    run.train()
    assert len(history(run, "eval_f1")) == 1
    assert not history(run, "eval_raw_f1")


def groups(run):
    """Return learning rate and decay of every weight, by name."""
    names = {id(weight): name for name, weight in run.model.named_parameters()}
    return {
        names[id(weight)]: (group["lr"], group["weight_decay"])
        for group in run.create_optimizer().param_groups
        for weight in group["params"]
    }


def test_learning_rates_and_weight_decay(tmp_path):
    run = tiny.trainer(tmp_path, learning_rate=1e-4, head_learning_rate=3e-3, weight_decay=0.1)
    found = groups(run)
    assert found.keys() == dict(run.model.named_parameters()).keys()
    for name, (rate, decay) in found.items():
        assert rate == (1e-4 if name.startswith("encoder.") else 3e-3), name
        scale = "LayerNorm" in name or name == "conditioning.weight"
        assert decay == (0.0 if name.endswith("bias") or scale else 0.1), name


def test_the_heads_learn_five_times_as_fast_unless_told(tmp_path):
    found = groups(tiny.trainer(tmp_path, learning_rate=1e-4))
    assert found["subject_head.weight"][0] == pytest.approx(5e-4)
    assert groups(tiny.trainer(tmp_path, head_learning_rate=0.0))["subject_head.weight"][0] == 0.0


def test_without_signals_training_is_that_of_transformers(tmp_path, monkeypatch):
    final = []
    for _ in range(2):
        run = tiny.trainer(tmp_path, max_steps=6, ema_decay=0.5, bf16=True)
        run.train()
        final.append([*run.model.parameters(), *run.ema.average])
        monkeypatch.setattr(SpoTrainer, "compute_loss", Trainer.compute_loss)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*final, strict=True))


SIGNALS = {
    "r_drop_alpha": 1.0,
    "missing_label_threshold": 0.01,
}


@pytest.fixture
def encoded(monkeypatch):
    """Count how often sentences are encoded."""
    calls = []
    encode = SpoForTripleExtraction.encode

    def record(self, *args, **inputs):
        calls.append(1)
        return encode(self, *args, **inputs)

    monkeypatch.setattr(SpoForTripleExtraction, "encode", record)
    return calls


@pytest.mark.parametrize("accumulation", [1, 3])
@pytest.mark.parametrize(
    ("name", "passes"), [(None, 1), *zip(SIGNALS, (2, 1), strict=True)], ids=lambda value: str(value)
)
def test_what_a_signal_costs_and_changes(tmp_path, encoded, name, passes, accumulation):
    """Passes through the encoder for each batch; steps, and what they lead to."""
    calls: list[int] = []
    settings = {"max_steps": 3, "per_device_train_batch_size": 2, "gradient_accumulation_steps": accumulation}
    runs = []
    for signals in ({}, {} if name is None else {name: SIGNALS[name]}):
        start = tiny.model()
        torch.nn.init.ones_(start.subject_head.bias)  # it takes a lot for subjects
        runs.append(tiny.trainer(tmp_path, start, **settings, **signals))
        runs[-1].train()
        assert runs[-1].state.global_step == 3
        calls.append(len(encoded))
    assert calls[1] - calls[0] == passes * calls[0] > 0
    plain, run = runs
    weights = list(zip(run.model.parameters(), plain.model.parameters(), strict=True))
    assert all(torch.isfinite(ours).all() for ours, _ in weights)
    assert all(torch.equal(ours, theirs) for ours, theirs in weights) == (name is None)


def test_all_signals_together_learn(tmp_path):
    run = tiny.trainer(
        tmp_path,
        tiny.model(hidden_size=64, intermediate_size=128),
        dev=tiny.TEXTS,
        **{**SIGNALS, "missing_label_threshold": 0.9, "entity_swap_probability": 0.1},
        bf16=True,
        num_train_epochs=24,
        subjects_per_example=4,
        subject_sampling="true",
        learning_rate=2e-3,
        head_learning_rate=4e-3,
        ema_decay=0.8,
    )
    run.train()
    assert run.evaluate()["eval_f1"] > 0.5


def test_signals_that_a_model_does_not_allow(tmp_path):
    still = tiny.model(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    with pytest.raises(ValueError, match=r"r_drop_alpha=1\.0 compares passes with different dropout"):
        tiny.trainer(tmp_path, still, r_drop_alpha=1.0)


class Watch(TrainerCallback):
    """Remembers how many steps were taken."""

    def __init__(self):
        self.steps = 0

    def on_step_end(self, args, state, control, **kwargs):
        self.steps += 1


@pytest.mark.parametrize(("batch", "accumulation", "steps"), [(4, 1, 3), (2, 2, 3), (1, 4, 3), (4, 2, 2)])
def test_batches_of_an_epoch(tmp_path, monkeypatch, batch, accumulation, steps):
    """Every text once an epoch, in the sampler's batches, whatever is accumulated."""
    seen = []
    forward = SpoForTripleExtraction.forward

    def record(self, input_ids, **inputs):
        seen.append(
            [tuple(row[mask == 1].tolist()) for row, mask in zip(input_ids, inputs["attention_mask"], strict=True)]
        )
        return forward(self, input_ids, **inputs)

    monkeypatch.setattr(SpoForTripleExtraction, "forward", record)
    watch = Watch()
    run = tiny.trainer(
        tmp_path,
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=accumulation,
        num_train_epochs=2,
        callbacks=[watch],
    )
    run.train()
    assert watch.steps == 2 * steps
    known = {tuple(encoding.input_ids): index for index, encoding in enumerate(run.train_dataset.encodings)}
    batches = [[known[ids] for ids in rows] for rows in seen]
    half = len(batches) // 2
    for epoch, part in enumerate((batches[:half], batches[half:])):
        run._sampler.set_epoch(epoch)
        assert [index for rows in part for index in rows] == list(run._sampler)
        assert Counter(index for rows in part for index in rows) == Counter(range(len(tiny.TEXTS)))
    assert batches[:half] != batches[half:]


def test_other_subjects_are_drawn_in_every_epoch(tmp_path, monkeypatch):
    drawn = []
    forward = SpoForTripleExtraction.forward

    def record(self, input_ids, subject_spans=None, **inputs):
        drawn.append(subject_spans.tolist())
        return forward(self, input_ids, subject_spans=subject_spans, **inputs)

    monkeypatch.setattr(SpoForTripleExtraction, "forward", record)
    run = tiny.trainer(tmp_path, train=tiny.TEXTS[:3], num_train_epochs=4, subjects_per_example=4)
    run.train()
    assert len({json.dumps(spans) for spans in drawn}) == 4


def test_bf16_on_the_cpu(tmp_path):
    settings = {"dev": tiny.TEXTS, "max_steps": 3, "eval_strategy": "steps", "eval_steps": 3}
    run = tiny.trainer(tmp_path, bf16=True, **settings)
    run.train()
    assert {weight.dtype for weight in run.model.parameters()} == {torch.float32}
    full = tiny.trainer(tmp_path, **settings)
    full.train()
    difference = run.state.log_history[-1]["train_loss"] - full.state.log_history[-1]["train_loss"]
    assert 0 < abs(difference) < 0.05


def test_evaluation_of_bf16_runs_both_passes_in_bf16(tmp_path, monkeypatch, trained):
    dtypes = []
    object_logits = SpoForTripleExtraction.object_logits

    def record(self, *args):
        logits, gates = object_logits(self, *args)
        dtypes.append(logits.dtype)
        return logits, gates

    monkeypatch.setattr(SpoForTripleExtraction, "object_logits", record)
    tiny.trainer(tmp_path, trained.model, dev=tiny.TEXTS, bf16=True).evaluate()
    assert set(dtypes) == {torch.bfloat16}


def test_one_process_uses_one_gpu(tmp_path, caplog, monkeypatch):
    """DataParallel would split sentences but not the subjects that refer to them."""
    arguments = tiny.trainer(tmp_path).args
    arguments._n_gpu = 2
    with caplog.at_level(logging.WARNING):
        run = SpoTrainer(tiny.model(), arguments, tiny.TEXTS, processing_class=builders.wordpiece_tokenizer())
    assert run.args.n_gpu == 1
    assert "torchrun --nproc_per_node 2" in caplog.text


def test_alignment_and_long_texts_are_logged(tmp_path, caplog):
    model = builders.spo_model(max_length=16)
    with caplog.at_level(logging.INFO):
        tiny.trainer(tmp_path, model)
    assert "training data: 10 texts, 6 of 16 gold triples aligned (37.50%); 10 out of reach" in caplog.text
    assert "training data: 5 texts of more than 16 tokens are read in windows" in caplog.text
    assert "of 16 gold triples 10 are out of reach of windows of 16 tokens" in caplog.text


def test_a_relation_that_is_not_in_the_schema(tmp_path):
    foreign = Example("雪国", (Triple(Mention("雪国"), "语言", Mention("雪")),))
    with pytest.raises(ValueError, match=r"the text beginning '雪国': .*语言"):
        tiny.trainer(tmp_path, train=[foreign])


def test_early_stopping(tmp_path):
    run = tiny.trainer(
        tmp_path,
        dev=tiny.TEXTS,
        eval_strategy="epoch",
        save_strategy="epoch",
        load_best_model_at_end=True,
        num_train_epochs=5,
        learning_rate=1e-9,
        callbacks=[EarlyStoppingCallback(2)],
    )
    run.train()
    assert run.state.epoch == 3.0


@pytest.mark.parametrize(("knows", "epochs"), [(True, 3), (False, 4)], ids=["no better", "nothing right yet"])
def test_early_stopping_counts_from_the_first_right_triple(tmp_path, trained_model, knows, epochs):
    run = tiny.trainer(
        tmp_path,
        copy.deepcopy(trained_model) if knows else None,
        dev=tiny.TEXTS,
        eval_strategy="epoch",
        save_strategy="epoch",
        load_best_model_at_end=True,
        num_train_epochs=4,
        early_stopping_patience=2,
        learning_rate=1e-12,
    )
    run.train()
    assert run.state.epoch == epochs


class TestTuning:
    @pytest.fixture
    def run(self, tmp_path, trained_model):
        start = copy.deepcopy(trained_model)
        start.config.decode_by(DecodingSettings(Thresholds(0.999, 0.999, 0.999, 0.999)))
        return partial(tiny.trainer, tmp_path, start, max_steps=1, learning_rate=1e-12, tune_thresholds=True)

    def test_the_thresholds_suit_the_evaluation_texts(self, run, tmp_path, caplog):
        caplog.set_level(logging.INFO, "hf_spo")
        trainer = run(dev=tiny.TEXTS)
        before = trainer.evaluate()
        assert "eval_cross_validated_f1" not in before
        trainer.train()
        metrics = trainer.evaluate()
        assert before["eval_f1"] < 0.5 < metrics["eval_f1"] == trainer.tuning.after.f1
        assert metrics["eval_cross_validated_f1"] == trainer.tuning.expected.f1
        assert "eval_cross_validated_f1" not in trainer.evaluate(tiny.TEXTS[:3])
        assert "tuning thresholds on 10 evaluation texts" in caplog.messages
        assert any(f"tuned thresholds ({trainer.tuning.choice}): F1" in message for message in caplog.messages)
        trainer.save_model()
        saved = SpoForTripleExtraction.from_pretrained(tmp_path)
        assert saved.config.decoding == trainer.tuning.settings

    def test_of_several_sets_the_one_that_the_metric_names(self, run):
        trainer = run(dev={"one": tiny.TEXTS[:1], "all": tiny.TEXTS}, metric_for_best_model="all_f1")
        trainer.train()
        metrics = trainer.evaluate()
        assert "eval_all_cross_validated_f1" in metrics
        assert "eval_one_cross_validated_f1" not in metrics

    @pytest.mark.parametrize("dev", [None, tiny.TEXTS[:9]], ids=["none", "too few"])
    def test_without_enough_texts_the_thresholds_stay(self, run, dev):
        trainer = run(dev=dev)
        trainer.train()
        assert trainer.tuning is None
        assert trainer.model.config.decoding.thresholds.subject_start == 0.999


def test_epochs_by_the_number_of_texts(tmp_path):
    assert tiny.trainer(tmp_path).args.num_train_epochs == 100
    assert tiny.trainer(tmp_path, num_train_epochs=2).args.num_train_epochs == 2


def test_a_model_that_reads_known_triples_needs_a_store(tmp_path):
    start = builders.spo_model(prior=True)
    with pytest.raises(ValueError, match=r"no known triples: model\.features\.prior = TripleStore\.from_examples"):
        tiny.trainer(tmp_path, start)
    start.features.prior = TripleStore.from_examples(tiny.TEXTS, builders.SCHEMA)
    tiny.trainer(tmp_path, start)


def test_words_and_triples_are_for_training_and_evaluation_alike(tmp_path):
    tokenizer = builders.wordpiece_tokenizer()
    config = DgcnnConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        dilations=[1, 2],
        word_vocab_size=4,
        word_embedding_size=3,
        segmenter="characters",
    )
    start = builders.spo_model(config, conditioning="recurrent", prior=True)
    start.features = Features(
        WordVocabulary("白露雪", "characters"), TripleStore.from_examples(tiny.TEXTS, builders.SCHEMA)
    )
    run = tiny.trainer(tmp_path, start, dev=tiny.TEXTS[:3], max_steps=2, entity_swap_probability=0.5)
    run.train()
    assert run.train_dataset.swap.probability == 0.5
    assert run.eval_dataset.swap is None
    assert "eval_f1" in run.evaluate()


@pytest.mark.parametrize("kind", ["bert", "dgcnn"])
def test_padding_stays_within_the_encoders_positions(tmp_path, kind):
    """Batches are padded to multiples of 8 here; a model may have positions for 20 tokens."""
    size = len(builders.wordpiece_tokenizer())
    config = DgcnnConfig(vocab_size=size, hidden_size=16, dilations=[1], max_position_embeddings=20)
    if kind == "bert":
        config = builders.encoder_config(vocab_size=size)
        config.max_position_embeddings = 20
    run = tiny.trainer(tmp_path, builders.spo_model(config, max_length=20), max_steps=2)
    assert max(run.train_dataset.lengths) == 20
    run.train()


@pytest.mark.parametrize("workers", [0, 1])
def test_texts_are_packed_anew_in_each_epoch(tmp_path, monkeypatch, workers):
    run = tiny.trainer(
        tmp_path, context_packing=0.4, per_device_train_batch_size=2, num_train_epochs=3, dataloader_num_workers=workers
    )
    seen = []
    compute = type(run).compute_loss

    def record(self, model, inputs, *args, **kwargs):
        seen.append((self.state.global_step, int(inputs["attention_mask"].sum()), len(inputs["subject_rows"])))
        return compute(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(type(run), "compute_loss", record)
    run.train()
    sequences = len(run.train_dataset)
    assert sequences < len(tiny.TEXTS)
    steps = -(-sequences // 2)
    assert run.state.global_step == 3 * steps == len(seen)
    epochs = [seen[at : at + steps] for at in range(0, 3 * steps, steps)]
    assert [sum(drawn for _, _, drawn in epoch) for epoch in epochs] == [len(tiny.TEXTS)] * 3
    assert len({tuple(tokens for _, tokens, _ in epoch) for epoch in epochs}) > 1


def test_partial_labels_are_trained_with(tmp_path, caplog):
    partial = [replace(example, annotated_predicates=("主演",)) for example in tiny.TEXTS[:3]]
    with caplog.at_level("INFO", "hf_spo"):
        run = tiny.trainer(tmp_path, train=[*partial, *tiny.TEXTS[3:]], max_steps=2)
    assert "labels of 3 of 10 texts are partial: 3 texts for 1 predicates" in caplog.text
    run.train()
    assert all(torch.isfinite(weight).all() for weight in run.model.parameters())


def test_without_evaluation_there_is_no_early_stopping(tmp_path):
    run = tiny.trainer(tmp_path, dev=tiny.TEXTS, load_best_model_at_end=True, max_steps=1)
    run.train()
    assert run.state.global_step == 1
