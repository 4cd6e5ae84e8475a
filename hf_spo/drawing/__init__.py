"""Pictures of triples: their text, with mentions marked and arrows from subjects to objects."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from ..model.schema import Triple
from .html import fragment
from .html import page as html_page
from .marks import Marking, marking
from .svg import svg

WIDTH = 760
"""Of a picture, in pixels."""

_NARROWEST = 160


def render(
    text: str,
    triples: Iterable[Triple | Mapping[str, Any]],
    style: Literal["html", "svg"] = "html",
    *,
    width: int = WIDTH,
) -> str:
    """Draw a text and its triples.

    Subjects are blue, objects amber, qualifiers violet. Where a subject is on another line than its object, a flag
    above the object names it. Mentions without offsets are listed, not drawn. Dark pages get dark colours.

    Args:
        text: what the triples are from.
        triples: [`Triple`]s, or dictionaries as the pipeline returns them.
        style: "html", an element for a page or a notebook, with a list of the triples below the picture; or "svg", a
            file of its own.
        width: of the picture, in pixels, at most; HTML has a second picture for narrow windows.

    Raises:
        TypeError: the text is no string.
        ValueError: a triple lacks a field, its offsets do not fit the text, or an argument is out of range.
    """
    if style not in ("html", "svg"):
        raise ValueError(f"style={style!r}: expected 'html' or 'svg'")
    _check(width)
    found = marking(text, triples)
    return fragment(found, width) if style == "html" else svg(found, width)


def page(
    rows: Iterable[tuple[str, Iterable[Triple | Mapping[str, Any]]]], *, title: str = "Triples", width: int = WIDTH
) -> Iterator[str]:
    """Yield a whole HTML page that draws texts with their triples, piece by piece, as they come.

    Raises:
        TypeError, ValueError: see [`render`]; of a row, the message gives its number.
    """
    _check(width)
    yield from html_page(_marked(rows), width, title)


def _marked(rows: Iterable[tuple[str, Iterable[Triple | Mapping[str, Any]]]]) -> Iterator[Marking]:
    for number, (text, triples) in enumerate(rows, 1):
        try:
            yield marking(text, triples)
        except (TypeError, ValueError) as error:
            raise type(error)(f"text {number}: {error}") from None


def _check(width: int) -> None:
    if width < _NARROWEST:
        raise ValueError(f"width={width}: expected at least {_NARROWEST} pixels")
