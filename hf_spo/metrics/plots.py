"""Plots of the evaluation report."""

from collections.abc import Iterator, Sequence
from functools import partial

from ..support.safe_text import printable_line
from .breakdown import Group
from .figures import Figure, Plot, Skin, one_plot
from .reliability import Reliability, ThresholdPoint
from .report import Report

PLOT_NAMES = ("length", "reliability", "threshold", "relations")
"""Of all plots that a report may have."""

_RELATIONS = 40
_BAR, _FRAME = 0.24, 0.8


def plots(report: Report) -> Iterator[Plot]:
    """Yield all plots of a report; those of scores only if the triples have scores."""
    yield length_plot(report.breakdowns["length"])
    if report.reliability is not None:
        yield reliability_plot(report.reliability)
        yield threshold_plot(report.curve)
    if report.breakdowns["relations"]:
        yield relations_plot(report.breakdowns["relations"])


def reliability_plot(found: Reliability) -> Plot:
    """Plot the share of right triples over their mean score, bins of equal mass as points, of equal width as bars."""
    return Plot("reliability", partial(_reliability, found))


def length_plot(groups: Sequence[Group]) -> Plot:
    """Plot strict F1 by the length of the text, with the number of texts."""
    return Plot("length", partial(_length, groups))


def threshold_plot(curve: Sequence[ThresholdPoint]) -> Plot:
    """Plot precision, recall and F1 over the score that a triple has to have."""
    return Plot("threshold", partial(_threshold, curve))


def relations_plot(groups: Sequence[Group]) -> Plot:
    """Plot strict F1 by relation, of the first of them, with the number of gold triples."""
    return Plot("relations", partial(_relations, groups))


def _reliability(found: Reliability, skin: Skin) -> Figure:
    figure, axes = one_plot("score of a triple", "share that is right")
    for item in found.equal_width.bins:
        axes.bar(item.low, item.right, item.high - item.low, align="edge", color=skin.first, alpha=0.35, linewidth=0)
    axes.plot([0, 1], [0, 1], color=skin.ink, linewidth=1, linestyle=":", label="calibrated")
    mass = found.equal_mass.bins
    axes.plot([item.score for item in mass], [item.right for item in mass], "o-", color=skin.second, label="tenths")
    axes.set_xlim(0, 1)
    axes.legend(loc="upper left")
    return figure


def _length(groups: Sequence[Group], skin: Skin) -> Figure:
    figure, axes = one_plot("characters of the text", "F1")
    axes.grid(axis="x", visible=False)
    places = range(len(groups))
    axes.bar(places, [group.score.f1 for group in groups], color=skin.first)
    for place, group in zip(places, groups, strict=True):
        axes.text(place, group.score.f1 + 0.02, f"{group.texts:,}", ha="center", fontsize=8)
    axes.set_xticks(places, [group.name for group in groups], fontsize=8)
    return figure


def _threshold(curve: Sequence[ThresholdPoint], skin: Skin) -> Figure:
    figure, axes = one_plot("least score kept", "")
    thresholds = [point.threshold for point in curve]
    axes.plot(thresholds, [point.precision for point in curve], color=skin.first, label="precision")
    axes.plot(thresholds, [point.recall for point in curve], color=skin.second, label="recall")
    axes.plot(thresholds, [point.f1 for point in curve], color=skin.third, linestyle="--", label="F1")
    axes.set_xlim(0, 1)
    axes.legend(loc="best")
    return figure


def _relations(groups: Sequence[Group], skin: Skin) -> Figure:
    chosen = groups[:_RELATIONS]
    figure, axes = one_plot("", "", (6.4, _FRAME + _BAR * len(chosen)))
    axes.grid(axis="y", visible=False)
    places = range(len(chosen))
    axes.barh(places, [group.score.f1 for group in chosen], color=skin.first)
    for place, group in zip(places, chosen, strict=True):
        axes.text(group.score.f1 + 0.01, place, f"{group.score.gold:,}", va="center", fontsize=8)
    axes.set_yticks(places, [_plain(group.name) for group in chosen], fontsize=8)
    axes.set(xlim=(0, 1.08), ylim=(len(chosen) - 0.4, -0.6), xlabel="F1, and the number of gold triples")
    return figure


def _plain(name: str) -> str:
    """Return a name that is no formula to matplotlib and no trouble to fonts or XML."""
    return printable_line(name).replace("$", r"\$")
