"""Matplotlib figures as inline SVG, with the colours of the page, and as files, with fixed colours."""

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
class Palette:
    """Colours of a plot: background, text, grid lines, and the first three data series."""

    paper: str
    ink: str
    faint: str
    first: str
    second: str
    third: str


FILE = Palette("#ffffff", "#1f2328", "#d1d9e0", "#0969da", "#bc4c00", "#1a7f37")
# Placeholders, replaced by variables of the page's style sheet, which has light and dark colours.
_PAGE = Palette("none", "#010101", "#020202", "#030303", "#040404", "#050505")
_VARIABLES = ("--paper", "--ink", "--line", "--first", "--second", "--third")
# Font families with Chinese characters on common systems.
_CHINESE = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN"),
    *("WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "PingFang SC", "Hiragino Sans GB"),
    *("Heiti SC", "Microsoft YaHei", "SimHei", "Arial Unicode MS"),
)
_DPI = 160

__all__ = ["FILE", "Figure", "Palette", "Plot", "one_plot"]


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot that can be drawn for a page or as files.

    Args:
        name: of the files, and prefix of the ids on a page.
        draw: makes the figure in the given colours.
    """

    name: str
    draw: Callable[[Palette], Figure]

    def for_page(self) -> str:
        """Return an SVG element to put into HTML: without header and style element, with ids unique on the page."""
        with _style(_PAGE):
            text = _svg(self.draw(_PAGE), self.name)
        text = re.sub(r"<(metadata|style)\b.*?</\1>", "", text[text.index("<svg") :], flags=re.DOTALL)
        text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{self.name}-", text)
        # The page sets width and height.
        text = re.sub(r'(<svg\b[^>]*?) width="[^"]*" height="[^"]*"', r"\1", text, count=1)
        for colour, variable in zip(astuple(_PAGE), _VARIABLES, strict=True):
            text = text.replace(colour, f"var({variable})") if colour != _PAGE.paper else text
        return text

    def files(self) -> dict[str, bytes]:
        """Return an SVG and a PNG file by name; no PNG if no installed font has all characters."""
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
def _style(colours: Palette) -> Iterator[None]:
    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "font.family": _families(),
        **dict.fromkeys(("font.size", "axes.titlesize"), 10),
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), colours.ink),
        **dict.fromkeys(("figure.facecolor", "savefig.facecolor", "axes.facecolor"), colours.paper),
        **dict.fromkeys(("axes.edgecolor", "grid.color"), colours.faint),
        **dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False),
        **dict.fromkeys(("axes.grid", "axes.axisbelow"), True),
        "grid.linewidth": 0.5,
    }
    with rc_context(style), warnings.catch_warnings():
        # Viewers of an SVG may have a font that is not installed here.
        warnings.filterwarnings("ignore", _MISSING, UserWarning)
        yield


@cache
def _families() -> list[str]:
    installed = set(fontManager.get_font_names())
    return ["DejaVu Sans", *[family for family in _CHINESE if family in installed][:1]]


def one_plot(across: str, up: str, size: tuple[float, float] = (4.6, 3.4)) -> tuple[Figure, Axes]:
    """Return a figure with one plot of values from 0 to 1, and its axes. `size` is in inches."""
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=across, ylabel=up, ylim=(0, 1.04))
    return figure, axes


def _svg(figure: Figure, name: str) -> str:
    file = StringIO()
    with rc_context({"svg.hashsalt": name}):
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return file.getvalue()
