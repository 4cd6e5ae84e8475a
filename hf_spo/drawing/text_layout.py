"""Lay out a drawing in pixels: break the text into lines and place marks, captions and connectors."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..model.schema import Span
from ..support.safe_text import printable_line
from .connector_layout import Connector, arrange, connectors_by_line
from .marking import Mark, Marking
from .text import is_right_to_left, is_wide, lines, text_width, widths

FONT, CAPTION = 17.0, 10.5
"""Font sizes of the text and of types in pixels."""

LANE, MARGIN = 20.0, 12.0
_ASCENT, _DESCENT = 0.9 * FONT, 0.24 * FONT
_ABOVE_TEXT, _BELOW_LINE, _CAPTION_ROW, _CAPTION_GAP = 9.0, 9.0, 12.5, 3.0
_PADDING, _LEVEL, _LEVELS = 2.0, 2.5, 4
_UNBROKEN = 0.4


@dataclass(frozen=True, slots=True)
class Run:
    """A part of the text within one line, with its width and the numbers of the triples that mention it."""

    text: str
    x: float
    width: float
    triples: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """The background of a mark, or of its part on one line. level: depth of the marks nested in it."""

    mark: Mark
    x: float
    y: float
    width: float
    height: float
    level: int


@dataclass(frozen=True, slots=True)
class Caption:
    """The types of a mark. bracket: start and end of the mark, if the caption is not directly below it."""

    text: str
    role: str
    x: float
    y: float
    width: float
    bracket: tuple[float, float] | None
    triples: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of text with its marks and connectors. baseline: y of the text. rails: y of the first lane's rail."""

    runs: Sequence[Run]
    boxes: Sequence[Box]
    captions: Sequence[Caption]
    connectors: Sequence[Connector]
    baseline: float
    rails: float

    def top(self, mark: Mark) -> float:
        """Return the y position of a mark's box."""
        return next(box.y for box in self.boxes if box.mark is mark)


@dataclass(frozen=True, slots=True)
class Picture:
    """The geometry of a drawing. In right-to-left text, x is measured from the right."""

    rows: Sequence[Row]
    width: float
    height: float
    right_to_left: bool


@dataclass(frozen=True, slots=True)
class _Line:
    span: Span
    places: Sequence[float]
    """x of each border between characters."""

    def part(self, span: Span) -> tuple[float, float] | None:
        """Return start and end of the part of a span on this line; None if there is none."""
        start, end = max(span.start, self.span.start), min(span.end, self.span.end)
        if start >= end:
            return None
        return self.places[start - self.span.start], self.places[end - self.span.start]


def layout(found: Marking, width: float) -> Picture:
    """Lay out a drawing no wider than `width` pixels."""
    room = width - 2 * MARGIN
    short = [
        mark.span
        for mark in found.marks
        if text_width(found.text[mark.span.start : mark.span.end]) * FONT < _UNBROKEN * room
    ]
    broken = [_line(found.text, span) for span in lines(found.text, room / FONT, short)]
    levels = _levels(found.marks)
    here: list[list[tuple[Mark, tuple[float, float]]]] = [[] for _ in broken]
    homes = []
    starts = [line.span.start for line in broken]
    for mark in found.marks:
        first, last = bisect_right(starts, mark.span.start) - 1, bisect_left(starts, mark.span.end)
        parts = {number: part for number in range(first, last) if (part := broken[number].part(mark.span))}
        for number, part in parts.items():
            here[number].append((mark, part))
        # The home line of a mark is the one with its largest part.
        homes.append(max(parts, key=lambda number: parts[number][1] - parts[number][0]))
    above = connectors_by_line(found, homes)
    rows, y = [], MARGIN
    for number, line in enumerate(broken):
        row, y = _row(found, line, here[number], above.get(number, []), levels, y, room)
        rows.append(row)
    widest = max((end for row in rows for end in _ends(row)), default=0.0)
    return Picture(rows, min(width, widest + 2 * MARGIN), y + MARGIN - _BELOW_LINE, is_right_to_left(found.text))


def _ends(row: Row) -> Iterator[float]:
    yield from (run.x + run.width for run in row.runs)
    yield from (caption.x + caption.width for caption in row.captions)
    yield from (connector.extent[1] for connector in row.connectors)


def _line(text: str, span: Span) -> _Line:
    places = [0.0]
    for size in widths(text[span.start : span.end]):
        places.append(places[-1] + size * FONT)
    return _Line(span, places)


def _levels(marks: Sequence[Mark]) -> dict[Span, int]:
    """Return the level of each mark: a mark that contains or overlaps shorter ones is drawn around them."""
    levels: dict[Span, int] = {}
    for mark in sorted(marks, key=lambda mark: (len(mark.span), mark.span)):
        within = [level for span, level in levels.items() if span.start < mark.span.end and mark.span.start < span.end]
        levels[mark.span] = min(max(within, default=-1) + 1, _LEVELS)
    return levels


def _row(
    found: Marking,
    line: _Line,
    here: Sequence[tuple[Mark, tuple[float, float]]],
    above: Sequence[Connector],
    levels: dict[Span, int],
    y: float,
    room: float,
) -> tuple[Row, float]:
    spans = [mark.span for mark, _ in here]
    places = {
        number: _free(line, found.marks[number].span, spans)
        for connector in above
        for number in (leg.mark for leg in connector.legs)
    }
    lanes = arrange(above, places, room)
    outermost = max((levels[span] for span in spans), default=0)
    rails = y + LANE * lanes - 3
    y += LANE * lanes + (_ABOVE_TEXT if lanes else 0) + (_pad(outermost) if here else 0)
    baseline = y + _ASCENT
    boxes = [_box(mark, part, baseline, levels[mark.span]) for mark, part in here]
    boxes.sort(key=lambda box: -box.level)
    below = baseline + _DESCENT + (_pad(outermost) if here else 0)
    captions = _captions(boxes, below)
    bottom = max((caption.y for caption in captions), default=below)
    row = Row(list(_runs(found.text, line, [mark for mark, _ in here])), boxes, captions, above, baseline, rails)
    return row, bottom + _BELOW_LINE


def _pad(level: int) -> float:
    return _PADDING + _LEVEL * level


def _box(mark: Mark, part: tuple[float, float], baseline: float, level: int) -> Box:
    beside, pad = 1.0 + 1.2 * level, _pad(level)
    top = baseline - _ASCENT - pad
    height = _ASCENT + _DESCENT + 2 * pad
    return Box(mark, part[0] - beside, top, part[1] - part[0] + 2 * beside, height, level)


def _free(line: _Line, span: Span, others: Iterable[Span]) -> tuple[float, float]:
    """Return the widest part of a mark that no shorter mark covers; the whole mark if that part is too narrow."""
    covering = [other for other in others if len(other) < len(span)]
    start, end = max(span.start, line.span.start), min(span.end, line.span.end)
    cuts = sorted({start, end, *(cut for other in covering for cut in (other.start, other.end) if start < cut < end)})
    free = [
        Span(low, high)
        for low, high in pairwise(cuts)
        if not any(_contains(other, Span(low, high)) for other in covering)
    ]
    parts = [part for piece in free if (part := line.part(piece)) and part[1] - part[0] >= FONT / 2]
    whole = line.part(span)
    assert whole is not None
    return max(parts, key=lambda part: part[1] - part[0], default=whole)


def _captions(boxes: Sequence[Box], below: float) -> list[Caption]:
    """Place types below their marks in as many rows as necessary; types in lower rows get a bracket."""
    found: list[Caption] = []
    taken: list[list[tuple[float, float]]] = [[]]
    for box in sorted(boxes, key=lambda box: (box.level, box.x)):
        if not box.mark.types:
            continue
        text = " / ".join(box.mark.types)
        width = text_width(text) * CAPTION
        x = max(box.x + (box.width - width) / 2, -MARGIN / 2)
        own, wide = (x, x + width), (min(x, box.x), max(x + width, box.x + box.width))
        row = 0
        while (box.level and not row) or any(_touch(other, wide if row else own) for other in taken[row]):
            row += 1
            if row == len(taken):
                taken.append([])
        taken[row].append(wide if row else own)
        bracket = (box.x + 1, box.x + box.width - 1) if row else None
        y = below + _CAPTION_ROW * (row + 0.85) + 2 * row
        found.append(Caption(text, box.mark.ranked_roles()[0], x, y, width, bracket, tuple(box.mark.triples)))
    return found


def _touch(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] < other[1] + _CAPTION_GAP and other[0] < one[1] + _CAPTION_GAP


def _runs(text: str, line: _Line, marks: Sequence[Mark]) -> Iterator[Run]:
    """Yield the parts of a line, split at marks and where wide characters, whose widths are exact, meet narrow ones."""
    start = line.span.start
    content = text[start : line.span.end].rstrip()
    cuts = {0, len(content)}
    cuts.update(min(cut - start, len(content)) for mark in marks for cut in (mark.span.start, mark.span.end))
    # Characters without width stay with the preceding letter.
    solid = [at for at in range(len(content)) if line.places[at + 1] > line.places[at]]
    cuts.update(at for before, at in pairwise(solid) if is_wide(content[before]) != is_wide(content[at]))
    for low, high in pairwise(sorted(cut for cut in cuts if cut >= 0)):
        piece = Span(start + low, start + high)
        triples = {number for mark in marks if _contains(mark.span, piece) for number in mark.triples}
        x = line.places[low]
        yield Run(printable_line(content[low:high]), x, line.places[high] - x, tuple(sorted(triples)))


def _contains(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end
