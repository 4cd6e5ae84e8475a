"""The sentence that states a fact, cut out of its document, with the mentions marked."""

import re
from collections.abc import Iterator
from itertools import pairwise

from ..model.schema import Span
from ..support.safe_text import one_line
from .elements import Edge, Evidence, Node

SUBJECT, OBJECT = 1, 2
_SENTENCE_END = re.compile(r"[。！？!?；;\n]|\.(?=\s)")
_REACH = 80
_LONGEST = 400

Piece = tuple[str, int]
"""Some text, and what it belongs to: 0 nothing, SUBJECT, OBJECT or the sum of both."""


def snippet(text: str, edge: Edge, statement: Evidence) -> list[Piece]:
    """Cut out the sentence, or sentences, from the first mention to the last, at most some hundred characters.

    Without offsets, or if others than the edge's mentions stand there, it is the beginning of the text.
    """
    marks = [
        (span, role)
        for span, node, role in ((statement.subject, edge.subject, SUBJECT), (statement.object, edge.object, OBJECT))
        if span is not None and _stands(text, span, node)
    ]
    if len(marks) < 2:
        return [(_shortened(text), 0)]
    start, end = min(span.start for span, _ in marks), max(span.end for span, _ in marks)
    if end - start <= _LONGEST:
        return _cut(text, _before(text, start), _after(text, end), marks)
    first, last = (sorted(marks, key=lambda mark: mark[0])[place][0] for place in (0, -1))
    head = _cut(text, _before(text, first.start), min(first.end + _REACH, len(text)), marks)
    return [*head, (" … ", 0), *_cut(text, max(last.start - _REACH, 0), _after(text, last.end), marks)]


def _stands(text: str, span: Span, node: Node) -> bool:
    return one_line(text[span.start : span.end]) in node.forms


def _shortened(text: str) -> str:
    return text if len(text) <= 2 * _REACH else text[: 2 * _REACH] + "…"


def _before(text: str, start: int) -> int:
    """Return where the sentence before a place begins, or how far back one looks for it."""
    least = max(0, start - _REACH)
    ends = [found.end() for found in _SENTENCE_END.finditer(text, least, start)]
    return ends[-1] if ends else least


def _after(text: str, end: int) -> int:
    most = min(len(text), end + _REACH)
    found = _SENTENCE_END.search(text, end, most)
    return found.end() if found else most


def _cut(text: str, start: int, end: int, marks: list[tuple[Span, int]]) -> list[Piece]:
    """Split a part of a text at the borders of mentions."""
    borders = sorted({start, end, *(place for span, _ in marks for place in (span.start, span.end))})
    borders = [place for place in borders if start <= place <= end]
    return list(_pieces(text, borders, marks))


def _pieces(text: str, borders: list[int], marks: list[tuple[Span, int]]) -> Iterator[Piece]:
    for start, end in pairwise(borders):
        roles = sum(role for span, role in marks if span.start <= start and end <= span.end)
        yield text[start:end], roles
