"""Plots of the evaluation report."""

from collections.abc import Iterator, Sequence
from functools import partial

from ..support.safe_text import printable_line
from .breakdown import Group
from .figures import Figure, Palette, Plot, one_plot
from .reliability import Reliability, ThresholdPoint
from .report import Report

PLOT_NAMES = ("length", "reliability", "threshold", "relations")
"""Names of all plots that a report may have."""

_RELATIONS = 40
_BAR, _FRAME = 0.24, 0.8


def plots(report: Report) -> Iterator[Plot]:
    """Yield the plots of a report; those of scores only if all predicted triples have scores."""
    yield Plot("length", partial(draw_length, report.breakdowns["length"]))
    if report.reliability is not None:
        yield Plot("reliability", partial(draw_reliability, report.reliability))
        yield Plot("threshold", partial(draw_threshold, report.curve))
    if report.breakdowns["relations"]:
        yield Plot("relations", partial(draw_relations, report.breakdowns["relations"]))


def draw_reliability(found: Reliability, colours: Palette) -> Figure:
    """Plot the share of right triples over their mean score: bins of equal mass as points, of equal width as bars."""
    figure, axes = one_plot("score of a triple", "share of right triples")
    for item in found.equal_width.bins:
        axes.bar(item.low, item.right, item.high - item.low, align="edge", color=colours.first, alpha=0.35, linewidth=0)
    axes.plot([0, 1], [0, 1], color=colours.ink, linewidth=1, linestyle=":", label="calibrated")
    mass = found.equal_mass.bins
    axes.plot([item.score for item in mass], [item.right for item in mass], "o-", color=colours.second, label="tenths")
    axes.set_xlim(0, 1)
    axes.legend(loc="upper left")
    return figure


def draw_length(groups: Sequence[Group], colours: Palette) -> Figure:
    """Plot strict F1 by length of the text, with the number of texts."""
    figure, axes = one_plot("characters of the text", "F1")
    axes.grid(axis="x", visible=False)
    places = range(len(groups))
    axes.bar(places, [group.score.f1 for group in groups], color=colours.first)
    for place, group in zip(places, groups, strict=True):
        axes.text(place, group.score.f1 + 0.02, f"{group.texts:,}", ha="center", fontsize=8)
    axes.set_xticks(places, [group.name for group in groups], fontsize=8)
    return figure


def draw_threshold(curve: Sequence[ThresholdPoint], colours: Palette) -> Figure:
    """Plot precision, recall and F1 over the score threshold."""
    figure, axes = one_plot("score threshold", "")
    thresholds = [point.threshold for point in curve]
    axes.plot(thresholds, [point.precision for point in curve], color=colours.first, label="precision")
    axes.plot(thresholds, [point.recall for point in curve], color=colours.second, label="recall")
    axes.plot(thresholds, [point.f1 for point in curve], color=colours.third, linestyle="--", label="F1")
    axes.set_xlim(0, 1)
    axes.legend(loc="best")
    return figure


def draw_relations(groups: Sequence[Group], colours: Palette) -> Figure:
    """Plot strict F1 of the first relations, with the number of gold triples."""
    chosen = groups[:_RELATIONS]
    figure, axes = one_plot("", "", (6.4, _FRAME + _BAR * len(chosen)))
    axes.grid(axis="y", visible=False)
    places = range(len(chosen))
    axes.barh(places, [group.score.f1 for group in chosen], color=colours.first)
    for place, group in zip(places, chosen, strict=True):
        axes.text(group.score.f1 + 0.01, place, f"{group.score.gold:,}", va="center", fontsize=8)
    axes.set_yticks(places, [_plain(group.name) for group in chosen], fontsize=8)
    axes.set(xlim=(0, 1.08), ylim=(len(chosen) - 0.4, -0.6), xlabel="F1, and the number of gold triples")
    return figure


def _plain(name: str) -> str:
    """Return a name without characters that matplotlib, fonts or XML treat specially."""
    return printable_line(name).replace("$", r"\$")
