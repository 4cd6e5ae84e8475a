"""What a user of transformers tries first: it works, or it is refused by name with what to pass."""

import json

import pandas
import pytest
import torch
from datasets import Dataset, DatasetDict
from transformers import TrainingArguments, default_data_collator

from hf_spo.data.dataset import as_examples
from hf_spo.training import SpoTrainer, SpoTrainingArguments
from tests import builders
from tests.training import tiny

ROWS = [example.to_dict() for example in tiny.TEXTS]


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "train.jsonl"
    file.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path,
        str,
        lambda path: Dataset.from_list(ROWS),
        lambda path: pandas.DataFrame(ROWS),
        lambda path: pandas.read_json(path, lines=True),
        lambda path: iter(ROWS),
    ],
)
def test_data_that_are_read(make, path):
    assert as_examples(make(path)) == tiny.TEXTS


def arguments(tmp_path, **settings):
    return SpoTrainingArguments(str(tmp_path), use_cpu=True, disable_tqdm=True, training_curves=False, **settings)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"args": TrainingArguments("x", use_cpu=True)},
            TypeError,
            "args: expected SpoTrainingArguments, .* got T",
        ),
        ({"args": None}, TypeError, r"got None; pass hf_spo.training.SpoTrainingArguments\(output_dir=…\)"),
        ({"data_collator": default_data_collator}, TypeError, "data_collator: .*set subjects_per_example"),
        ({"compute_loss_func": print}, TypeError, "compute_loss_func: .* leave it out"),
        ({"preprocess_logits_for_metrics": print}, TypeError, "preprocess_logits_for_metrics: .* leave it out"),
        ({"model": "google-bert/bert-base-chinese"}, TypeError, "got the name 'google-bert/bert-base-chinese'; pass "),
        ({"processing_class": None}, TypeError, "processing_class: expected the fast tokenizer"),
        ({"model": None}, TypeError, "model: expected a SpoForTripleExtraction, got NoneType"),
        ({"train_dataset": DatasetDict({"train": Dataset.from_list(ROWS)})}, TypeError, "a DatasetDict with 'train': "),
        ({"train_dataset": [{"input_ids": [1, 2]}]}, TypeError, "row 0 is tokenised; expected text and triples"),
        ({"train_dataset": []}, ValueError, "train_dataset holds no text"),
    ],
)
def test_what_is_refused(changes, error, message, tmp_path):
    given = {
        "model": tiny.model(),
        "args": arguments(tmp_path),
        "train_dataset": tiny.TEXTS,
        "processing_class": builders.wordpiece_tokenizer(),
    }
    with pytest.raises(error, match=message):
        SpoTrainer(**{**given, **changes})


def test_a_model_without_pointers_is_refused(tmp_path):
    with pytest.raises(TypeError, match=r"got BertModel; pass SpoForTripleExtraction.from_encoder\(encoder, schema\)"):
        tiny.trainer(tmp_path, tiny.model().encoder)


@pytest.mark.parametrize("name", ["train", "dev"])
def test_a_token_without_an_embedding_is_said_before_training(tmp_path, name):
    model = builders.spo_model(builders.encoder_config(vocab_size=20))
    data = {"train": None, "dev": None, name: tiny.TEXTS}
    with pytest.raises(
        ValueError, match=r"data: the tokenizer gives token \d+, and the encoder has embeddings for 20 "
    ):
        tiny.trainer(tmp_path, model, **data)


def test_label_smoothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"label_smoothing_factor=0.1: borders have no classes to smooth"):
        arguments(tmp_path, label_smoothing_factor=0.1)


@pytest.mark.parametrize(
    "settings",
    [
        {"train_sampling_strategy": "sequential"},
        {"prediction_loss_only": True},
        {"batch_eval_metrics": True},
        {"include_for_metrics": ["inputs"]},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_options_without_an_effect_are_refused(tmp_path, settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"{name}=.*; leave it out"):
        arguments(tmp_path, **settings)


def test_an_optimizer_of_ones_own_is_used(tmp_path):
    run = SpoTrainer(
        tiny.model(),
        arguments(tmp_path),
        tiny.TEXTS,
        processing_class=builders.wordpiece_tokenizer(),
        optimizer_cls_and_kwargs=(torch.optim.SGD, {"momentum": 0.5}),
    )
    optimizer = run.create_optimizer()
    assert type(optimizer) is torch.optim.SGD
    assert {group["momentum"] for group in optimizer.param_groups} == {0.5}


def test_model_init(tmp_path):
    """Each training starts from a fresh model, as in a search, and reads in the windows of the training texts."""
    built = []

    def model_init():
        built.append(tiny.model())
        return built[-1]

    run = SpoTrainer(
        None,
        arguments(tmp_path, max_steps=1, save_strategy="no", report_to=[]),
        tiny.TEXTS,
        tiny.TEXTS,
        processing_class=builders.wordpiece_tokenizer(),
        model_init=model_init,
    )
    windows = set()
    for _ in range(2):
        run.train()
        assert run.model is built[-1]
        windows.add(run.model.config.window)
        assert "eval_f1" in run.evaluate()
    assert len(built) >= 3
    assert windows == {built[0].config.window} != {None}


def test_a_search_looks_for_the_highest_f1(tmp_path, monkeypatch):
    asked = {}
    monkeypatch.setattr("transformers.Trainer.hyperparameter_search", lambda self, **settings: asked.update(settings))
    tiny.trainer(tmp_path).hyperparameter_search(n_trials=3)
    assert (asked["direction"], asked["n_trials"]) == ("maximize", 3)
    assert asked["compute_objective"]({"eval_f1": 0.5, "eval_precision": 1.0}) == 0.5
