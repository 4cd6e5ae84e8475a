"""Light and dark colours of drawings. Text has a contrast of at least 4.5 to its background."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .marking import OBJECT, QUALIFIER, SUBJECT

FONTS = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'PingFang SC', 'Hiragino Sans GB', "
    "'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif"
)


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours: background, text, secondary text, borders; fill and stroke of each role; predicates in turn."""

    paper: str
    ink: str
    soft: str
    line: str
    fills: Mapping[str, str]
    strokes: Mapping[str, str]
    predicates: Sequence[str]


LIGHT = Palette(
    paper="#ffffff",
    ink="#1f2328",
    soft="#59636e",
    line="#d1d9e0",
    fills={SUBJECT: "#d3e5ff", OBJECT: "#ffe8b0", QUALIFIER: "#eaddff"},
    strokes={SUBJECT: "#0756b3", OBJECT: "#8a5a00", QUALIFIER: "#7440c2"},
    predicates=("#0756b3", "#a63d00", "#1a7336", "#7440c2", "#ae1d63", "#0c6478", "#775400", "#56640a"),
)
DARK = Palette(
    paper="#0d1117",
    ink="#e6edf3",
    soft="#9aa4ae",
    line="#3d444d",
    fills={SUBJECT: "#133d70", OBJECT: "#563f00", QUALIFIER: "#3f2a6b"},
    strokes={SUBJECT: "#79b8ff", OBJECT: "#e3b341", QUALIFIER: "#cdaaff"},
    predicates=("#79b8ff", "#ffa565", "#5ed575", "#cdaaff", "#ff9bc8", "#5cd3e0", "#e3b341", "#b5c95a"),
)

SHORT = {SUBJECT: "s", OBJECT: "o", QUALIFIER: "q"}
"""Abbreviation of each role in class names."""


def styles(triples: int) -> str:
    """Return the style sheet of drawings with up to this many triples.

    Light colours are attributes of the elements; the style sheet adds the dark ones. Every rule applies within the
    class `hf-spo`, so that the rest of a page is unaffected.
    """
    return f"{BASE}{hover(range(triples))}"


def hover(triples: Iterable[int]) -> str:
    """Return the rules that highlight all parts of a triple when the pointer is over one of them."""
    return "".join(f".hf-spo:has(.hs-t{number}:hover) .hs-t{number}{{opacity:1}}" for number in triples)


def _colours(palette: Palette) -> str:
    rules = [
        f".hs-paper{{fill:{palette.paper}}}",
        f".hs-halo{{stroke:{palette.paper}}}",
        f".hs-ink{{fill:{palette.ink}}}",
        f".hs-soft{{fill:{palette.soft}}}",
        f".hs-far{{color:{palette.soft}}}",
        *(f".hs-{short}{{fill:{palette.fills[role]}}}" for role, short in SHORT.items()),
        *(f".hs-{short}l{{color:{palette.strokes[role]}}}" for role, short in SHORT.items()),
        *(f".hs-c{number}{{color:{colour}}}" for number, colour in enumerate(palette.predicates)),
    ]
    return "".join(f".hf-spo {rule}" for rule in rules)


BASE = (
    ".hf-spo .hs-d{transition:opacity .12s}"
    ".hf-spo:has(.hs-h:hover) .hs-d{opacity:.15}"
    f"@media (prefers-color-scheme:dark){{{_colours(DARK)}}}"
)
"""Style sheet of all drawings, without the rules for single triples."""
