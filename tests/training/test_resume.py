"""A run that is killed and goes on ends with the weights of one that was not, bit by bit."""

import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from hf_spo.training import ExponentialMovingAverage
from tests.training import tiny


def assert_same(run, other):
    assert run.state.global_step == other.state.global_step
    assert run.ema.steps == other.ema.steps
    states = run.model.state_dict(), other.model.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(run.ema.average, other.ema.average, strict=True))
    raw = [entry["eval_raw_f1"] for entry in run.state.log_history if "eval_raw_f1" in entry]
    assert raw == [entry["eval_raw_f1"] for entry in other.state.log_history if "eval_raw_f1" in entry]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return tiny.train(str(tmp_path_factory.mktemp("uninterrupted")), resume=False)


@pytest.mark.slow
def test_killed_in_the_first_and_in_the_second_epoch(uninterrupted, tmp_path):
    for step in (4, 8):
        command = [sys.executable, tiny.__file__, "train", str(tmp_path), str(step)]
        assert subprocess.run(command, capture_output=True).returncode == -signal.SIGKILL
        assert sorted(path.name for path in tmp_path.glob("checkpoint-*"))[-1] == f"checkpoint-{step // 3 * 3}"
    resumed = tiny.train(str(tmp_path), resume=True)
    assert_same(resumed, uninterrupted)


@pytest.mark.parametrize("step", [3, 6, 12])
def test_from_any_checkpoint_of_any_folder(step, uninterrupted, tmp_path):
    checkpoint = f"{uninterrupted.args.output_dir}/checkpoint-{step}"
    run = tiny.trainer(tmp_path, dev=tiny.TEXTS[:3], **tiny.RESUMABLE)
    run.train(resume_from_checkpoint=checkpoint)
    assert_same(run, uninterrupted)


def test_from_the_end_of_an_epoch(tmp_path):
    settings = {"num_train_epochs": 3, "save_strategy": "epoch", "ema_decay": 0.9}
    whole = tiny.trainer(tmp_path / "whole", **settings)
    whole.train()
    resumed = tiny.trainer(tmp_path / "resumed", **settings)
    resumed.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-3"))
    assert_same(resumed, whole)


@pytest.mark.parametrize("step", [2, 5])
def test_with_packed_texts_and_partial_labels(step, tmp_path):
    texts = [
        replace(text, annotated_predicates=("主演",)) if at % 3 == 0 else text for at, text in enumerate(tiny.TEXTS)
    ]
    settings = {
        "train": texts,
        "context_packing": 0.4,
        "per_device_train_batch_size": 2,
        "num_train_epochs": 3,
        "save_strategy": "steps",
        "save_steps": step,
        "ema_decay": 0.9,
    }
    whole = tiny.trainer(tmp_path / "whole", **settings)
    whole.train()
    resumed = tiny.trainer(tmp_path / "resumed", **settings)
    resumed.train(resume_from_checkpoint=str(tmp_path / "whole" / f"checkpoint-{step}"))
    assert_same(resumed, whole)


def test_killed_while_writing_a_checkpoint(uninterrupted, tmp_path):
    """The newest checkpoint lacks what is written last; the one before it serves."""
    shutil.copytree(f"{uninterrupted.args.output_dir}/checkpoint-6", tmp_path / "checkpoint-6")
    shutil.copytree(f"{uninterrupted.args.output_dir}/checkpoint-9", tmp_path / "checkpoint-9")
    for name in ("trainer_state.json", "rng_state.pth", "scheduler.pt"):
        (tmp_path / "checkpoint-9" / name).unlink()
    assert_same(tiny.train(str(tmp_path), resume=True), uninterrupted)


def test_restoring_callbacks_leaves_ours_in_place(uninterrupted, tmp_path):
    run = tiny.trainer(tmp_path, dev=tiny.TEXTS[:3], restore_callback_states_from_checkpoint=True, **tiny.RESUMABLE)
    run.train(resume_from_checkpoint=f"{uninterrupted.args.output_dir}/checkpoint-6")
    assert_same(run, uninterrupted)


def test_every_checkpoint_holds_its_average(uninterrupted):
    for step in (3, 6, 9, 12, 15):
        average = ExponentialMovingAverage(tiny.model(), 0.9)
        average.load(f"{uninterrupted.args.output_dir}/checkpoint-{step}")
        assert average.steps == step


def test_nothing_to_go_on_from(tmp_path):
    with pytest.raises(ValueError, match="has no complete checkpoint to resume from"):
        tiny.trainer(tmp_path).train(resume_from_checkpoint=True)


def test_a_checkpoint_without_an_average(tmp_path):
    settings = {"max_steps": 4, "save_strategy": "steps", "save_steps": 2}
    tiny.trainer(tmp_path, ema_decay=0.0, **settings).train()
    with pytest.raises(FileNotFoundError, match="pass ema_decay=0"):
        tiny.trainer(tmp_path, **settings).train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
