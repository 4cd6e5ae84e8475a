"""Plots in two skins: on a page they take its colours and fonts, as files they have their own."""

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from functools import cache
from io import BytesIO, StringIO
from typing import Any

try:
    from matplotlib import rc_context
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import fontManager
except ImportError:
    raise ImportError("plots need matplotlib: pip install 'hf-spo[report]'") from None


@dataclass(frozen=True, slots=True)
class Skin:
    """Colours of a plot: of paper, of text, of what is fainter, and of what is plotted first, second and third."""

    paper: str
    ink: str
    faint: str
    first: str
    second: str
    third: str


FILE = Skin("#ffffff", "#1f2328", "#d1d9e0", "#0969da", "#bc4c00", "#1a7f37")
# Stand-ins that no plot uses otherwise: the page's style sheet knows the real colours, for light and dark.
_PAGE = Skin("none", "#010101", "#020202", "#030303", "#040404", "#050505")
_VARIABLES = ("--paper", "--ink", "--line", "--first", "--second", "--third")
# Families with Chinese characters, on one system or another.
_CHINESE = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN"),
    *("WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "PingFang SC", "Hiragino Sans GB"),
    *("Heiti SC", "Microsoft YaHei", "SimHei", "Arial Unicode MS"),
)
_DPI = 160

__all__ = ["FILE", "Figure", "Plot", "Skin", "one_plot"]


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot that is drawn when it is known for what. draw: makes the figure, in a skin."""

    name: str
    draw: Callable[[Skin], Figure]

    def for_page(self) -> str:
        """Return an SVG element: no header, no style for the whole page, names that no other plot has."""
        with _style(_PAGE):
            text = _svg(self.draw(_PAGE), self.name)
        text = re.sub(r"<(metadata|style)\b.*?</\1>", "", text[text.index("<svg") :], flags=re.DOTALL)
        text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{self.name}-", text)
        # Width and height are the page's affair.
        text = re.sub(r'(<svg\b[^>]*?) width="[^"]*" height="[^"]*"', r"\1", text, count=1)
        for colour, variable in zip(astuple(_PAGE), _VARIABLES, strict=True):
            text = text.replace(colour, f"var({variable})") if colour != _PAGE.paper else text
        return text

    def files(self) -> dict[str, bytes]:
        """Return the plot as files, by their names; without a PNG where no installed font has its characters."""
        with _style(FILE):
            figure = self.draw(FILE)
            content = {f"{self.name}.svg": _svg(figure, self.name).encode()}
            with warnings.catch_warnings():
                warnings.filterwarnings("error", _MISSING, UserWarning)
                try:
                    file = BytesIO()
                    figure.savefig(file, format="png", dpi=_DPI, metadata={"Software": None})
                    content[f"{self.name}.png"] = file.getvalue()
                except UserWarning:
                    pass
        return content


_MISSING = r"Glyph \d+ .*missing from"


@contextmanager
def _style(skin: Skin) -> Iterator[None]:
    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "font.family": _families(),
        "font.size": 10,
        "text.color": skin.ink,
        "figure.facecolor": skin.paper,
        "savefig.facecolor": skin.paper,
        "axes.facecolor": skin.paper,
        "axes.edgecolor": skin.faint,
        "axes.labelcolor": skin.ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.titlesize": 10,
        "grid.color": skin.faint,
        "grid.linewidth": 0.5,
        "xtick.color": skin.ink,
        "ytick.color": skin.ink,
        "legend.frameon": False,
    }
    with rc_context(style), warnings.catch_warnings():
        # Who looks at an SVG may well have a font that is not installed here.
        warnings.filterwarnings("ignore", _MISSING, UserWarning)
        yield


@cache
def _families() -> list[str]:
    installed = set(fontManager.get_font_names())
    return ["DejaVu Sans", *[family for family in _CHINESE if family in installed][:1]]


def one_plot(across: str, up: str, size: tuple[float, float] = (4.6, 3.4)) -> tuple[Figure, Axes]:
    """Return a figure of one plot, whose values go from 0 to 1. size: in inches."""
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=across, ylabel=up, ylim=(0, 1.04))
    return figure, axes


def _svg(figure: Figure, name: str) -> str:
    file = StringIO()
    with rc_context({"svg.hashsalt": name}):
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return file.getvalue()
