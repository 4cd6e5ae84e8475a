"""Training curves: loss, scores and learning rate of a run, drawn into its output folder during training."""

import logging
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ..metrics.figures import Figure, Palette, Plot
from ..support.files import whole_path

logger = logging.getLogger(__name__)

NAME = "training_curves"
_SCORES = ("f1", "precision", "recall")
_PARTS = ("subject_f1", "object_f1", "raw_f1")
_SMOOTHED = 60
_PANEL = (4.8, 3.2)

Points = list[tuple[float, float]]
History = Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class Curves:
    """Logged values of a run by optimizer step, over all stages.

    Args:
        loss, rate: training loss and learning rate of the encoder.
        evaluations: points of each metric.
        starts: first step of each stage after the first.
        best: step, metric and value of the best evaluation of each stage.
    """

    loss: Points = field(default_factory=list)
    rate: Points = field(default_factory=list)
    evaluations: dict[str, Points] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)
    best: list[tuple[float, str, float]] = field(default_factory=list)

    @classmethod
    def read(cls, histories: Iterable[History], metric: str = "f1", greater_is_better: bool = True) -> "Curves":
        """Read the log histories of the stages of a run.

        Args:
            histories: the `log_history` of each stage. If a step has several values of a metric, the first counts: the
                final evaluation repeats that of the last step.
            metric: by which the best evaluation is chosen.
            greater_is_better: whether the best value is the greatest.
        """
        found = cls()
        offset = 0.0
        for number, history in enumerate(histories):
            if number:
                found.starts.append(offset)
            offset = found._add(history, offset, metric.removeprefix("eval_"), greater_is_better)
        return found

    def _add(self, history: History, offset: float, metric: str, greater_is_better: bool) -> float:
        last = offset
        seen: set[tuple[str, float]] = set()
        known = len(self.evaluations.get(metric, []))
        for entry in history:
            step = offset + entry.get("step", 0)
            last = max(last, step)
            for name, value in entry.items():
                if not _is_number(value) or (name, step) in seen:
                    continue
                seen.add((name, step))
                if name == "loss":
                    self.loss.append((step, value))
                elif name == "learning_rate":
                    self.rate.append((step, value))
                elif name.startswith("eval_"):
                    self.evaluations.setdefault(name.removeprefix("eval_"), []).append((step, value))
        candidates = self.evaluations.get(metric, [])[known:]
        if candidates:
            sign = 1 if greater_is_better else -1
            step, value = max(candidates, key=lambda point: sign * point[1])
            self.best.append((step, metric, value))
        return last

    def chosen(self, names: Sequence[str]) -> dict[str, Points]:
        """Return the metrics with these names, of each evaluation set."""
        return {
            known: points
            for name in names
            for known, points in self.evaluations.items()
            if known == name or (known.endswith(f"_{name}") and not _is_other(known, name))
        }


def _is_other(known: str, name: str) -> bool:
    """Return whether the name is a longer metric, such as `raw_f1`, which also ends in `f1`."""
    return any(known == part or known.endswith(f"_{part}") for part in _PARTS if part != name and part.endswith(name))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def write_curves(
    histories: Iterable[History], folder: Path, metric: str = "f1", greater_is_better: bool = True
) -> None:
    """Write `training_curves.svg` and `.png` of the stages of a run, see [`Curves.read`].

    A failure is logged, since it should not end a training run.
    """
    try:
        curves = Curves.read(histories, metric, greater_is_better)
        if not (curves.loss or curves.evaluations):
            return
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in Plot(NAME, partial(draw, curves)).files().items():
            with whole_path(folder / name) as part:
                part.write_bytes(content)
    except Exception as error:
        logger.warning("no training curves in %s: %s: %s", folder, type(error).__name__, error)


class TrainingCurves(TrainerCallback):
    """Draws the curves into the output folder, at evaluations and at the end, in the main process.

    Args:
        pause: least number of seconds between two drawings, each of which takes about a second.
    """

    def __init__(self, pause: float = 30.0) -> None:
        self.pause = pause
        self._next = 0.0

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Draw the curves as far as they go, unless that has just been done."""
        if time.monotonic() >= self._next:
            self._draw(args, state)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Draw the whole curves."""
        self._draw(args, state)

    def _draw(self, args: TrainingArguments, state: TrainerState) -> None:
        if state.is_world_process_zero and state.global_step and args.output_dir:
            metric, greater = args.metric_for_best_model or "f1", args.greater_is_better is not False
            write_curves([state.log_history], Path(args.output_dir), metric, greater)
            self._next = time.monotonic() + self.pause


def draw(curves: Curves, colours: Palette) -> Figure:
    """Draw loss, scores, scores of parts and learning rate, as far as they are logged."""
    panels: dict[str, dict[str, Points]] = {
        "training loss": {"loss": curves.loss} if curves.loss else {},
        "evaluation": curves.chosen(_SCORES),
        "evaluation: F1 of parts": curves.chosen(_PARTS),
        "learning rate of the encoder": {"rate": curves.rate} if curves.rate else {},
    }
    drawn = {title: lines for title, lines in panels.items() if lines}
    columns = min(2, len(drawn))
    rows = -(-len(drawn) // columns)
    figure = Figure(figsize=(_PANEL[0] * columns, _PANEL[1] * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(drawn) :]:
        axes.set_axis_off()
    for axes, (title, lines) in zip(grid.flat, drawn.items(), strict=False):
        axes.set_title(title, loc="left")
        axes.set_xlabel("optimizer step")
        if title == "training loss":
            _loss(axes, curves.loss, colours)
        else:
            _lines(axes, lines, colours)
        for start in curves.starts:
            axes.axvline(start, color=colours.ink, linewidth=0.8)
        for step, _, _ in curves.best:
            axes.axvline(step, color=colours.ink, linewidth=0.8, linestyle=":")
        _best(axes, lines, curves, colours)
    return figure


def _loss(axes: Any, points: Points, colours: Palette) -> None:
    steps, values = zip(*points, strict=True)
    smooth = len(points) >= _SMOOTHED
    axes.plot(steps, values, color=colours.first, linewidth=0.8 if smooth else 1.5, alpha=0.35 if smooth else 1)
    if smooth:
        span = len(points) // 20
        # The moving average over the last values, at the beginning over the values so far.
        sums = np.convolve(values, np.ones(span))[: len(values)]
        axes.plot(steps, sums / np.arange(1, len(values) + 1).clip(max=span), color=colours.first, linewidth=1.5)
    if min(values) > 0 and max(values) / min(values) > 20:
        axes.set_yscale("log")


def _lines(axes: Any, lines: Mapping[str, Points], colours: Palette) -> None:
    series = (colours.first, colours.second, colours.third, colours.ink)
    styles = ("-", "--", "-.", ":")
    for number, (name, points) in enumerate(lines.items()):
        steps, values = zip(*points, strict=True)
        axes.plot(
            steps,
            values,
            styles[number // len(series) % len(styles)],
            color=series[number % len(series)],
            marker="o" if len(points) < 40 else None,
            markersize=3,
            label=_label(name),
        )
    if "rate" in lines:
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    else:
        axes.legend(loc="best", fontsize=8)


def _label(name: str) -> str:
    return name.replace("_", " ").replace("f1", "F1")


def _best(axes: Any, lines: Mapping[str, Points], curves: Curves, colours: Palette) -> None:
    found = [(step, metric, value) for step, metric, value in curves.best if metric in lines]
    for step, _, value in found:
        axes.plot([step], [value], "*", color=colours.ink, markersize=10, zorder=3)
    if found:
        step, metric, value = found[-1]
        axes.set_title(f"best {_label(metric)} {value:.3f} at step {step:,.0f}", loc="right", fontsize=8)
