"""Connectors as SVG: rails with rounded corners, legs, shared stems, and labels."""

from collections.abc import Iterator, Sequence

from .colours import LIGHT, SHORT
from .connector_layout import Connector, Leg, part_size
from .marking import OBJECT, QUALIFIER, SUBJECT, Marking, Part, describe
from .markup import Side, classes, length, markup, pixels
from .text_layout import LANE, Row

_CORNER, _ARROW, _DOT = 5.0, 6.5, 2.4
_STROKE = 'fill="none" stroke="currentColor" stroke-width="1.4"'

_Stem = tuple[int, bool, float]


def connectors(found: Marking, row: Row, at: Side) -> Iterator[str]:
    """Yield the connectors above a line of text; labels come last, so that no line crosses them."""
    stems: dict[_Stem, list[Connector]] = {}
    for connector in row.connectors:
        for leg in connector.legs:
            stems.setdefault(_stem(leg), []).append(connector)
    for stem, users in stems.items():
        yield _stem_lines(found, row, at, stem, users)
    for connector in row.connectors:
        yield _group(
            [connector], f'<path d="{"".join(_rail(row, connector, at, stems))}" {_STROKE}{_dashes(connector)}/>'
        )
    for connector in row.connectors:
        yield _group([connector], "".join(_label(found, row, connector, at)))


def _stem(leg: Leg) -> _Stem:
    return leg.mark, leg.is_source, leg.x


def _dashes(connector: Connector) -> str:
    return ' stroke-dasharray="4 2.5"' if connector.qualifier else ""


def _height(row: Row, connector: Connector) -> float:
    return row.rails - LANE * connector.lane


def _group(users: Sequence[Connector], content: str) -> str:
    kinds = {_colour(connector) for connector in users}
    names, colour = kinds.pop() if len(kinds) == 1 else ("hs-far", LIGHT.soft)
    numbers = [number for connector in users for number in connector.triples]
    return f'<g class="hs-h hs-d {names}{classes(numbers)}" color="{colour}">{content}</g>'


def _colour(connector: Connector) -> tuple[str, str]:
    if connector.colour is None:
        return "hs-far", LIGHT.soft
    if connector.qualifier:
        return f"hs-{SHORT[QUALIFIER]}l", LIGHT.strokes[QUALIFIER]
    number = connector.colour % len(LIGHT.predicates)
    return f"hs-c{number}", LIGHT.predicates[number]


def _stem_lines(found: Marking, row: Row, at: Side, stem: _Stem, users: Sequence[Connector]) -> str:
    """Return the line down to a mark, with a dot at a subject or an arrow at an object."""
    mark, is_source, x = stem
    end = row.top(found.marks[mark])
    start = min(_height(row, connector) + (_CORNER if len(connector.legs) > 1 else 0) for connector in users)
    if is_source:
        head = f'<circle cx="{at(x)}" cy="{pixels(end)}" r="{_DOT}" fill="currentColor"/>'
    else:
        end -= 1
        top = pixels(end - _ARROW)
        head = f'<path d="M{at(x)} {pixels(end)}L{at(x - 3.5)} {top}L{at(x + 3.5)} {top}z" fill="currentColor"/>'
        end -= _ARROW
    dashes = _dashes(users[0]) if all(connector.qualifier for connector in users) else ""
    return _group(users, f'<path d="M{at(x)} {pixels(start)}V{pixels(end)}" {_STROKE}{dashes}/>{head}')


def _rail(row: Row, connector: Connector, at: Side, stems: dict[_Stem, list[Connector]]) -> Iterator[str]:
    """Yield the path of a connector above its legs, extended under the label if that is longer."""
    y, (low, high) = _height(row, connector), connector.rail
    first, last = connector.extent
    if len(connector.legs) == 1:
        yield f"M{at(first)} {pixels(y)}L{at(last)} {pixels(y)}"
        return
    corner = min(_CORNER, (high - low) / 2)
    if first < low or high < last:
        corner = 0.0
    down = pixels(y + _CORNER)
    yield f"M{at(low)} {down}V{pixels(y + corner)}Q{at(low)} {pixels(y)} {at(low + corner)} {pixels(y)}"
    yield f"L{at(high - corner)} {pixels(y)}Q{at(high)} {pixels(y)} {at(high)} {pixels(y + corner)}V{down}"
    if not corner:
        yield f"M{at(first)} {pixels(y)}L{at(last)} {pixels(y)}"
    yield from (f"M{at(leg.x)} {pixels(y)}V{down}" for leg in connector.legs if low < leg.x < high)


def _label(found: Marking, row: Row, connector: Connector, at: Side) -> Iterator[str]:
    """Yield the label of a connector, and its triples as a tooltip."""
    triples = "\n".join(describe(found.triples[number]) for number in dict.fromkeys(connector.triples))
    yield f"<title>{markup(triples)}</title>"
    y = _height(row, connector) - 4
    for part, x, width in connector.parts():
        if part.kind == "source":
            yield _source(
                part, at(x, width), at(x + 5, width - 10), y, width, OBJECT if connector.qualifier else SUBJECT
            )
        else:
            is_name = part.kind != "score"
            names = "hs-halo" if is_name else "hs-halo hs-soft"
            yield (
                f'<text class="{names}" fill="{"currentColor" if is_name else LIGHT.soft}" stroke="{LIGHT.paper}" '
                f'stroke-width="4" stroke-linejoin="round" paint-order="stroke" x="{at(x, width)}" y="{pixels(y)}" '
                f'font-size="{part_size(part)}"{_weight(part)}{length(width)}>{markup(part.text)}</text>'
            )


def _weight(part: Part) -> str:
    return ' font-weight="600"' if part.kind == "name" else ""


def _source(part: Part, x: str, text_x: str, y: float, width: float, role: str) -> str:
    """Return the name of a subject on another line."""
    return (
        f'<rect class="hs-{SHORT[role]}" fill="{LIGHT.fills[role]}" x="{x}" y="{pixels(y - 12)}" '
        f'width="{pixels(width)}" height="15" rx="4"/><text class="hs-ink" fill="{LIGHT.ink}" x="{text_x}" '
        f'y="{pixels(y)}" font-size="{part_size(part)}"{length(width - 10)}>{markup(part.text)}</text>'
    )
