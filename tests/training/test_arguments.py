import pytest
import torch
from transformers import HfArgumentParser, TrainingArguments

from hf_spo.training import SpoTrainingArguments
from hf_spo.training import arguments as module


def build(tmp_path, **settings):
    return SpoTrainingArguments(str(tmp_path), use_cpu=True, **settings)


def test_they_are_training_arguments(tmp_path):
    arguments = build(tmp_path)
    assert isinstance(arguments, TrainingArguments)
    assert not arguments.remove_unused_columns
    assert arguments.report_to == []
    restored = SpoTrainingArguments(**{**arguments.to_dict(), "use_cpu": True})
    assert restored.to_dict() == arguments.to_dict()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ema_decay": 1.0}, "ema_decay=1.0: expected at least 0"),
        ({"ema_decay": -0.1}, "ema_decay=-0.1"),
        ({"entity_swap_probability": 1.5}, "entity_swap_probability=1.5: expected a probability from 0"),
        ({"entity_swap_probability": -0.1}, "entity_swap_probability=-0.1: expected a probability from 0"),
        ({"r_drop_alpha": -1.0}, "r_drop_alpha=-1.0: expected at least 0"),
        ({"missing_label_threshold": 0.0}, "missing_label_threshold=0.0: expected more than 0 and at most 1"),
        ({"missing_label_threshold": 1.5}, "missing_label_threshold=1.5"),
        ({"subjects_per_example": 0}, "subjects_per_example=0: expected a whole number of at least 1"),
        ({"pad_to_multiple_of": 0}, "pad_to_multiple_of=0"),
        ({"subject_sampling": "random"}, "subject_sampling='random': expected reference or true"),
        ({"occurrence_policy": "last"}, "occurrence_policy='last': expected first or nearest or all"),
        ({"metric_for_best_model": "eval_loss"}, "computes no loss; expected f1"),
    ],
)
def test_wrong_values(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        build(tmp_path, **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"load_best_model_at_end": True, "eval_strategy": "epoch", "save_strategy": "epoch"},
        {"save_strategy": "best", "eval_strategy": "epoch"},
    ],
)
def test_the_best_model_is_that_of_the_best_f1(tmp_path, settings):
    arguments = build(tmp_path, **settings)
    assert (arguments.metric_for_best_model, arguments.greater_is_better) == ("f1", True)
    arguments = build(tmp_path, metric_for_best_model="recall", **settings)
    assert (arguments.metric_for_best_model, arguments.greater_is_better) == ("recall", True)


@pytest.mark.parametrize("probability", [0, 0.5, 1])
def test_every_probability_of_a_swap_is_taken(tmp_path, probability):
    assert build(tmp_path, entity_swap_probability=probability).entity_swap_probability == probability


def test_no_metric_without_a_best_model(tmp_path):
    assert build(tmp_path).metric_for_best_model is None


def test_bf16_without_an_accelerator_means_the_cpu(tmp_path, monkeypatch):
    monkeypatch.setattr(module.torch.accelerator, "is_available", lambda: False)
    assert SpoTrainingArguments(str(tmp_path), bf16=True).use_cpu


@pytest.mark.parametrize("fast", [True, False])
def test_bf16_only_where_the_hardware_computes_it(tmp_path, monkeypatch, caplog, fast):
    monkeypatch.setattr(module, "auto_dtype", lambda device: torch.bfloat16 if fast else torch.float32)
    assert build(tmp_path, bf16=True).bf16 == fast
    assert (
        "bf16: this CPU has no instructions (AMX, AVX512-BF16) for bfloat16; the training is in" in caplog.text
    ) != fast


def test_tensorboard_is_optional(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "is_tensorboard_available", lambda: False)
    with pytest.raises(ImportError, match=r"pip install 'hf-spo\[tensorboard\]'"):
        build(tmp_path, report_to="tensorboard")


def test_a_command_line_has_them(tmp_path):
    words = ["--output_dir", str(tmp_path), "--use_cpu", "--ema-decay", "0.5", "--evaluate_raw", "false"]
    (arguments,) = HfArgumentParser(SpoTrainingArguments).parse_args_into_dataclasses(words)
    assert (arguments.ema_decay, arguments.evaluate_raw) == (0.5, False)


def test_a_negative_patience(tmp_path):
    with pytest.raises(ValueError, match="early_stopping_patience=-1"):
        build(tmp_path, early_stopping_patience=-1)
