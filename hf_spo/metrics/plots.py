"""Plots of the evaluation report, as SVG that stands in an HTML page and takes its colours and fonts from there."""

import re
from collections.abc import Sequence
from io import StringIO
from typing import Any

from .breakdown import Group
from .reliability import Reliability, ThresholdPoint

try:
    from matplotlib import rc_context
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError:
    raise ImportError("the report's plots need matplotlib: pip install 'hf-spo[report]'") from None

# Stand-ins that no plot uses otherwise: the page's style sheet knows the real colours, for light and dark.
_INK, _FAINT, _FIRST, _SECOND, _THIRD = "#010101", "#020202", "#030303", "#040404", "#050505"
_VARIABLES = {_INK: "--ink", _FAINT: "--line", _FIRST: "--first", _SECOND: "--second", _THIRD: "--third"}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _FAINT,
    "grid.linewidth": 0.5,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
}


def reliability_plot(found: Reliability) -> str:
    """Draw the share of right triples over their mean score, bins of equal mass as points, of equal width as bars."""
    with rc_context(_STYLE):
        figure, axes = _axes("score of a triple", "share that is right")
        for item in found.equal_width.bins:
            axes.bar(item.low, item.right, item.high - item.low, align="edge", color=_FIRST, alpha=0.35, linewidth=0)
        axes.plot([0, 1], [0, 1], color=_INK, linewidth=1, linestyle=":", label="calibrated")
        mass = found.equal_mass.bins
        axes.plot([item.score for item in mass], [item.right for item in mass], "o-", color=_SECOND, label="tenths")
        axes.set_xlim(0, 1)
        axes.legend(loc="upper left")
        return _svg(figure, "reliability")


def length_plot(groups: Sequence[Group]) -> str:
    """Draw strict F1 by the length of the text, with the number of texts."""
    with rc_context(_STYLE):
        figure, axes = _axes("characters of the text", "F1")
        axes.grid(axis="x", visible=False)
        places = range(len(groups))
        axes.bar(places, [group.score.f1 for group in groups], color=_FIRST)
        for place, group in zip(places, groups, strict=True):
            axes.text(place, group.score.f1 + 0.02, f"{group.texts:,}", ha="center", fontsize=8, color=_INK)
        axes.set_xticks(places, [group.name for group in groups], fontsize=8)
        return _svg(figure, "length")


def threshold_plot(curve: Sequence[ThresholdPoint]) -> str:
    """Draw precision, recall and F1 over the score that a triple has to have."""
    with rc_context(_STYLE):
        figure, axes = _axes("least score kept", "")
        thresholds = [point.threshold for point in curve]
        axes.plot(thresholds, [point.precision for point in curve], color=_FIRST, label="precision")
        axes.plot(thresholds, [point.recall for point in curve], color=_SECOND, label="recall")
        axes.plot(thresholds, [point.f1 for point in curve], color=_THIRD, linestyle="--", label="F1")
        axes.set_xlim(0, 1)
        axes.legend(loc="best")
        return _svg(figure, "threshold")


def _axes(across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.6, 3.4), layout="constrained", facecolor="none")
    axes = figure.subplots()
    axes.set_facecolor("none")
    axes.set(xlabel=across, ylabel=up, ylim=(0, 1.04))
    return figure, axes


def _svg(figure: Figure, name: str) -> str:
    """Return a figure as an SVG element: no header, no style for the whole page, names that no other plot has."""
    file = StringIO()
    with rc_context({"svg.hashsalt": name}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=nothing, transparent=True)
    text = file.getvalue()
    text = re.sub(r"<(metadata|style)\b.*?</\1>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    # Width and height are the page's affair.
    text = re.sub(r'(<svg\b[^>]*?) width="[^"]*" height="[^"]*"', r"\1", text, count=1)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    return text
