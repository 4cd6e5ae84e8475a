"""Curves of a run: what is read from its log, when they are drawn, and that they never stop a training run."""

import json
import logging
import sys
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from transformers import TrainerCallback

from hf_spo.metrics.figures import FILE
from hf_spo.training import curves as module
from hf_spo.training.curves import Curves, TrainingCurves, draw, write_curves
from tests.training import tiny

FILES = ["training_curves.png", "training_curves.svg"]
HISTORY = [
    {"loss": 0.7, "learning_rate": 1e-4, "grad_norm": 1.0, "epoch": 0.5, "step": 10},
    {"eval_f1": 0.2, "eval_precision": 0.3, "eval_recall": 0.1, "eval_subject_f1": 0.4, "eval_raw_f1": 0.1, "step": 10},
    {"loss": 0.01, "learning_rate": 0.0, "step": 20},
    {"eval_f1": 0.1, "eval_precision": 0.1, "eval_recall": 0.1, "eval_subject_f1": 0.3, "eval_raw_f1": 0.1, "step": 20},
    {"train_runtime": 3.0, "train_loss": 0.2, "step": 20},
    {"eval_f1": 0.2, "eval_precision": 0.3, "step": 20},
]


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file())


class TestReading:
    def test_points_by_metric(self):
        found = Curves.read([HISTORY])
        assert found.loss == [(10, 0.7), (20, 0.01)]
        assert found.rate == [(10, 1e-4), (20, 0.0)]
        assert found.evaluations["recall"] == [(10, 0.1), (20, 0.1)]
        assert found.starts == []

    def test_the_evaluation_of_the_finished_model_is_none_of_the_curve(self):
        assert Curves.read([HISTORY]).evaluations["f1"] == [(10, 0.2), (20, 0.1)]

    def test_the_best_evaluation(self):
        assert Curves.read([HISTORY]).best == [(10, "f1", 0.2)]
        assert Curves.read([HISTORY], "eval_f1", greater_is_better=False).best == [(20, "f1", 0.1)]
        assert Curves.read([HISTORY], "other").best == []

    def test_stages_stand_one_behind_the_other(self):
        found = Curves.read([HISTORY, HISTORY[:2]])
        assert found.starts == [20]
        assert found.loss == [(10, 0.7), (20, 0.01), (30, 0.7)]
        assert found.best == [(10, "f1", 0.2), (30, "f1", 0.2)]

    def test_what_is_no_number_is_passed_over(self):
        odd = [{"loss": float("nan"), "step": 1}, {"loss": "high", "step": 2}, {"loss": True}, {"eval_f1": None}]
        assert Curves.read([odd]) == Curves()

    def test_several_evaluation_sets(self):
        entry = {"eval_dev_f1": 0.1, "eval_dev_raw_f1": 0.2, "eval_all_f1": 0.3, "eval_dev_precision": 0.4, "step": 1}
        found = Curves.read([[entry]], "dev_f1")
        assert sorted(found.chosen(["f1", "precision"])) == ["all_f1", "dev_f1", "dev_precision"]
        assert sorted(found.chosen(["raw_f1"])) == ["dev_raw_f1"]
        assert found.best == [(1, "dev_f1", 0.1)]


class TestDrawing:
    def titles(self, *histories):
        return [axes.get_title("left") for axes in draw(Curves.read(histories), FILE).axes if axes.axison]

    def test_panels_of_what_is_logged(self):
        assert self.titles(HISTORY) == [
            "training loss",
            "evaluation",
            "evaluation: F1 of parts",
            "learning rate of the encoder",
        ]
        assert self.titles([{"loss": 0.5, "step": 1}]) == ["training loss"]
        assert self.titles([{"eval_f1": 0.5, "step": 1}], HISTORY[:1]) == [
            "training loss",
            "evaluation",
            "learning rate of the encoder",
        ]

    def test_the_best_is_marked_and_named(self):
        figure = draw(Curves.read([HISTORY]), FILE)
        assert figure.axes[1].get_title("right") == "best F1 0.200 at step 10"
        assert figure.axes[0].get_yscale() == "log"

    def test_many_points_are_smoothed(self):
        history = [{"loss": 1.0 + step % 2, "step": step} for step in range(100)]
        axes = draw(Curves.read([history]), FILE).axes[0]
        raw, smooth = (line.get_ydata() for line in axes.lines)
        assert max(smooth[10:]) - min(smooth[10:]) < max(raw) - min(raw)
        assert smooth[0] == raw[0]

    def test_written_as_svg_and_png(self, tmp_path):
        write_curves([HISTORY], tmp_path / "new")
        assert files(tmp_path / "new") == FILES
        ElementTree.parse(tmp_path / "new" / "training_curves.svg")
        assert (tmp_path / "new" / "training_curves.png").read_bytes().startswith(b"\x89PNG")

    @pytest.mark.parametrize("history", [[], [{"train_runtime": 1.0}], [{"eval_other": 1.0, "step": 3}]])
    def test_nothing_to_draw(self, tmp_path, history):
        write_curves([history], tmp_path)
        assert files(tmp_path) == []

    def test_what_goes_wrong_is_said_and_no_more(self, tmp_path, caplog):
        (tmp_path / "file").write_text("mine")
        write_curves([HISTORY], tmp_path / "file")
        assert "no training curves in" in caplog.text
        assert (tmp_path / "file").read_text() == "mine"


class TestTraining:
    def test_drawn_at_evaluations_and_at_the_end(self, tmp_path, monkeypatch):
        drawn = []
        monkeypatch.setattr(module, "write_curves", lambda histories, *rest: drawn.append((len(histories[0]), *rest)))
        run = tiny.trainer(
            tmp_path,
            dev=tiny.TEXTS[:2],
            max_steps=2,
            eval_strategy="steps",
            eval_steps=1,
            logging_steps=1,
            training_curves=True,
        )
        (callback,) = (one for one in run.callback_handler.callbacks if isinstance(one, TrainingCurves))
        run.train()
        first, last = drawn
        assert last[0] > first[0]
        assert last[1:] == (tmp_path, "f1", True)
        # Right after it, there is nothing new to draw; and never before training.
        run.evaluate()
        assert len(drawn) == 2
        callback._next = 0.0
        callback.on_evaluate(run.args, SimpleNamespace(is_world_process_zero=True, global_step=0), run.control)
        callback.on_evaluate(run.args, SimpleNamespace(is_world_process_zero=False, global_step=9), run.control)
        assert len(drawn) == 2

    def test_switched_off(self, tmp_path):
        run = tiny.trainer(tmp_path)
        assert not any(isinstance(one, TrainingCurves) for one in run.callback_handler.callbacks)
        assert isinstance(TrainingCurves(), TrainerCallback)

    def test_without_matplotlib_a_line_says_how_to_get_it(self, tmp_path, monkeypatch, caplog):
        for name in ("hf_spo.training.curves", "hf_spo.metrics.figures"):
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        with caplog.at_level(logging.INFO, "hf_spo"):
            tiny.trainer(tmp_path, max_steps=1, training_curves=True).train()
        (line,) = (record.message for record in caplog.records if "curves" in record.message)
        assert line == "no training curves: plots need matplotlib: pip install 'hf-spo[report]'"
        assert files(tmp_path) == []

    def test_a_resumed_run_goes_on_with_its_curve(self, tmp_path):
        settings = {"save_strategy": "steps", "save_steps": 1, "logging_steps": 1, "training_curves": True}
        tiny.trainer(tmp_path, max_steps=1, **settings).train()
        again = tiny.trainer(tmp_path, max_steps=3, **settings)
        again.train(resume_from_checkpoint=True)
        assert [step for step, _ in Curves.read([again.state.log_history]).loss] == [1, 2, 3]
        assert files(tmp_path) == FILES


def test_stages_of_a_recipe_are_drawn_together(tmp_path, monkeypatch):
    from hf_spo.training.plan import Plan
    from hf_spo.training.recipe import Recipe

    recipe = Recipe("encoder", "train", output=str(tmp_path), training={"use_cpu": True}, stages=({}, {}))
    plan = Plan.make(recipe)
    plan._draw_curves([HISTORY, HISTORY], tmp_path)
    assert files(tmp_path) == FILES
    monkeypatch.setitem(sys.modules, "hf_spo.training.curves", None)
    plan._draw_curves([HISTORY], tmp_path / "other")
    assert not (tmp_path / "other").exists()
    assert json.loads(json.dumps(HISTORY)) == HISTORY
