"""Draw triples: the text with its mentions marked, and arrows from subjects to objects."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from ..model.schema import Triple
from .html import fragment
from .html import page as html_page
from .marking import Marking, marking
from .svg import svg

WIDTH = 760
"""Default width of a picture in pixels."""

_NARROWEST = 160


def render(
    text: str,
    triples: Iterable[Triple | Mapping[str, Any]],
    style: Literal["html", "svg"] = "html",
    *,
    width: int = WIDTH,
) -> str:
    """Draw a text and its triples.

    Subjects are blue, objects amber, qualifiers violet. If subject and object are on different lines, a label above the
    object names the subject. Mentions without offsets are listed, not drawn. Colours follow the dark mode of the page.

    Args:
        text: text that the triples were extracted from.
        triples: [`Triple`]s, or dictionaries as the pipeline returns them.
        style: "html": an element for a page or a notebook, with a list of the triples below the picture; "svg": a
            standalone file.
        width: maximum width of the picture in pixels; HTML contains a second picture for narrow windows.

    Raises:
        TypeError: the text is not a string.
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
    """Yield the parts of an HTML page that draws texts with their triples; rows are read one by one.

    Raises:
        TypeError, ValueError: as in [`render`]; the message has the number of the row.
    """
    _check(width)
    yield from html_page(_marked(rows), width, title)


def _marked(rows: Iterable[tuple[str, Iterable[Triple | Mapping[str, Any]]]]) -> Iterator[Marking]:
    for number, (text, triples) in enumerate(rows, 1):
        try:
            yield marking(text, triples)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"text {number}: {error}") from None


def _check(width: int) -> None:
    if width < _NARROWEST:
        raise ValueError(f"width={width}: expected at least {_NARROWEST} pixels")
