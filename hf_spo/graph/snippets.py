"""Cut the sentence that states a fact out of its document, with the mentions marked."""

from collections.abc import Iterator
from itertools import pairwise

from ..model.schema import Span
from ..model.sentences import sentence_ends
from ..support.safe_text import one_line
from .elements import Edge, Evidence, Node

SUBJECT, OBJECT = 1, 2
_REACH = 80
_LONGEST = 400

Piece = tuple[str, int]
"""A part of the text and its role: 0, SUBJECT, OBJECT, or the sum of both."""


def snippet(text: str, edge: Edge, statement: Evidence) -> list[Piece]:
    """Return the sentences from the first mention to the last, at most a few hundred characters.

    Without offsets, or if the offsets do not match the names of the nodes, return the beginning of the text.
    """
    marks = [
        (span, role)
        for span, node, role in ((statement.subject, edge.subject, SUBJECT), (statement.object, edge.object, OBJECT))
        if span is not None and _matches(text, span, node)
    ]
    if len(marks) < 2:
        return [(_shortened(text), 0)]
    start, end = min(span.start for span, _ in marks), max(span.end for span, _ in marks)
    if end - start <= _LONGEST:
        return _cut(text, _before(text, start), _after(text, end), marks)
    first, last = (sorted(marks, key=lambda mark: mark[0])[place][0] for place in (0, -1))
    head = _cut(text, _before(text, first.start), min(first.end + _REACH, len(text)), marks)
    return [*head, (" … ", 0), *_cut(text, max(last.start - _REACH, 0), _after(text, last.end), marks)]


def _matches(text: str, span: Span, node: Node) -> bool:
    return one_line(text[span.start : span.end]) in node.forms


def _shortened(text: str) -> str:
    return text if len(text) <= 2 * _REACH else text[: 2 * _REACH] + "…"


def _before(text: str, start: int) -> int:
    """Return the start of the sentence that contains a position, at most `_REACH` characters back."""
    least = max(0, start - _REACH)
    *_, last = least, *sentence_ends(text, least, start)
    return last


def _after(text: str, end: int) -> int:
    most = min(len(text), end + _REACH)
    return next(sentence_ends(text, end, most), most)


def _cut(text: str, start: int, end: int, marks: list[tuple[Span, int]]) -> list[Piece]:
    """Split a part of the text at the borders of the mentions."""
    borders = sorted({start, end, *(place for span, _ in marks for place in (span.start, span.end))})
    borders = [place for place in borders if start <= place <= end]
    return list(_pieces(text, borders, marks))


def _pieces(text: str, borders: list[int], marks: list[tuple[Span, int]]) -> Iterator[Piece]:
    for start, end in pairwise(borders):
        roles = sum(role for span, role in marks if span.start <= start and end <= span.end)
        yield text[start:end], roles
