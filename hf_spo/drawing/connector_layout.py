"""Assign connectors to lines of text, then place them in lanes with their legs apart and their labels legible."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from .marking import Edge, Marking, Part
from .text import shortened, text_width

LABEL, SCORE = 12.5, 11.0
"""Font sizes of labels and of scores in them, in pixels."""

_NAMES, _SOURCES, _SOURCE, _LONGEST = 3, 3, 9.0, 32.0
_PADDING, _GAP, _BESIDE = 5.0, 6.0, 5.0
_SPACING, _NARROWEST, _MARGIN, _SHORT = 13.0, 6.5, 5.0, 120.0


_Pair = tuple[int, int]


@dataclass(slots=True)
class Leg:
    """The end of a connector at a mark. x: pixels from the beginning of the line."""

    mark: int
    is_source: bool
    x: float = 0.0


@dataclass(slots=True)
class Connector:
    """An arc from a subject to objects on the same line, or a flag that names a subject on another line.

    colour: number of the predicate; None for a hint to another line. x: start of the label. lane: counted from the text
    upwards.
    """

    legs: Sequence[Leg]
    label: tuple[Part, ...]
    colour: int | None
    triples: tuple[int, ...]
    qualifier: bool = False
    lane: int = 0
    x: float = 0.0

    @property
    def width(self) -> float:
        """Width of the label."""
        return _label_width(self.label)

    @property
    def rail(self) -> tuple[float, float]:
        """Start and end of the horizontal line that joins the legs."""
        return min(leg.x for leg in self.legs), max(leg.x for leg in self.legs)

    @property
    def extent(self) -> tuple[float, float]:
        """Start and end of the connector in its lane, including the label."""
        low, high = self.rail
        return min(low, self.x), max(high, self.x + self.width)

    def parts(self) -> Iterable[tuple[Part, float, float]]:
        """Yield the parts of the label with their positions and widths."""
        x = self.x
        for part in self.label:
            width = part_width(part)
            yield part, x, width
            x += width + _GAP


def part_width(part: Part) -> float:
    """Return the width of a part of a label in pixels."""
    return text_width(part.text) * part_size(part) + (2 * _PADDING if part.kind == "source" else 0)


def part_size(part: Part) -> float:
    """Return the font size of a part of a label."""
    return LABEL if part.kind in ("name", "source") else SCORE


def _label_width(label: Sequence[Part]) -> float:
    return sum(part_width(part) for part in label) + _GAP * (len(label) - 1)


def fitted(label: Sequence[Part], width: float) -> tuple[Part, ...]:
    """Shorten a label to a width: drop sources first, then shorten names."""
    sources = [replace(part, text=shortened(part.text, _SOURCE)) for part in label if part.kind == "source"]
    rest = [part for part in label if part.kind != "source"]
    count = min(len(sources), _SOURCES)
    found = _with_sources(sources, count, rest)
    while _label_width(found) > width and count > 1:
        count -= 1
        found = _with_sources(sources, count, rest)
    limit = _LONGEST
    while _label_width(found) > width and limit > 1:
        limit /= 2
        found = [replace(part, text=shortened(part.text, limit)) for part in found]
    return tuple(found)


def _with_sources(sources: Sequence[Part], count: int, rest: Iterable[Part]) -> list[Part]:
    more = [Part(f"+{len(sources) - count}", "score")] if len(sources) > count else []
    return [*sources[:count], *more, *rest]


def arrange(connectors: Sequence[Connector], places: Mapping[int, tuple[float, float]], width: float) -> int:
    """Assign the connectors of a line to lanes and place their legs and labels; return the number of lanes.

    Args:
        connectors: connectors above the line.
        places: interval of each mark in which legs may end.
        width: width of the line.
    """
    for connector in connectors:
        connector.label = fitted(connector.label, width)
        for leg in connector.legs:
            leg.x = sum(places[leg.mark]) / 2
        _centre(connector, width)
    lanes: list[list[Connector]] = []
    for connector in sorted(connectors, key=_order):
        connector.lane = next((at for at, lane in enumerate(lanes) if _fits(connector, lane)), len(lanes))
        if connector.lane == len(lanes):
            lanes.append([])
        lanes[connector.lane].append(connector)
    _spread(connectors, places)
    for connector in connectors:
        _centre(connector, width)
    for number, lane in enumerate(lanes):
        above = [leg.x for higher in lanes[number + 1 :] for connector in higher for leg in connector.legs]
        for connector in lane:
            _settle(connector, [other for other in lane if other is not connector], above, width)
    return len(lanes)


def _order(connector: Connector) -> tuple[int, float, float]:
    """Return the order of connectors from the text upwards.

    Short arcs come first, then flags from the end of the line, so that their poles do not cross, then long arcs.
    """
    low, high = connector.rail
    if len(connector.legs) == 1:
        return 1, -low, 0.0
    return (0 if high - low < _SHORT else 2), high - low, low


def _fits(connector: Connector, lane: Iterable[Connector]) -> bool:
    return not any(_overlap(connector.extent, other.extent) for other in lane)


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] < other[1] + _GAP and other[0] < one[1] + _GAP


def _spread(connectors: Sequence[Connector], places: Mapping[int, tuple[float, float]]) -> None:
    """Place the legs on each mark side by side, in an order in which rails do not cross them."""
    found: dict[int, list[tuple[tuple[bool, int], Leg]]] = {}
    for connector in connectors:
        for leg in connector.legs:
            others = [other.x for other in connector.legs if other.is_source != leg.is_source]
            right = not others or sum(others) / len(others) > leg.x
            key = right, -connector.lane if right else connector.lane
            found.setdefault(leg.mark, []).append((key, leg))
    for mark, legs in found.items():
        _place([leg for _, leg in sorted(legs, key=lambda entry: entry[0])], *places[mark])


def _place(legs: Sequence[Leg], low: float, high: float) -> None:
    """Place legs side by side; if they do not fit, outgoing legs share one stem and incoming legs another."""
    room = max(high - low - _MARGIN, 0.0)
    if room < _NARROWEST * (len(legs) - 1):
        stems = [[leg for leg in legs if leg.is_source == leaving] for leaving in (True, False)]
    else:
        stems = [[leg] for leg in legs]
    stems = [stem for stem in stems if stem]
    step = min(_SPACING, room / max(len(stems) - 1, 1))
    first = (low + high - step * (len(stems) - 1)) / 2
    for number, stem in enumerate(stems):
        for leg in stem:
            leg.x = first + number * step


def _centre(connector: Connector, width: float) -> None:
    """Centre a label on its rail; place the label of a flag beside its pole."""
    low, high = connector.rail
    start = (low + high - connector.width) / 2
    if len(connector.legs) == 1:
        start = low + _BESIDE
        if start + connector.width > width and low - _BESIDE - connector.width >= 0:
            start = low - _BESIDE - connector.width
    connector.x = _within(start, 0.0, width - connector.width)


def _settle(connector: Connector, others: Sequence[Connector], legs: Sequence[float], width: float) -> None:
    """Move a label to the nearest position with the fewest legs through it."""
    if len(connector.legs) == 1:
        return
    low, high = connector.rail
    first, last = sorted((low, high - connector.width))
    first, last = max(first, 0.0), min(last, width - connector.width)
    start = connector.x

    def cost(x: float) -> float:
        crossings = sum(x - _BESIDE < leg < x + connector.width + _BESIDE for leg in legs)
        taken = min(low, x), max(high, x + connector.width)
        return 1000 * sum(_overlap(taken, other.extent) for other in others) + 100 * crossings + abs(x - start)

    beside = [place for leg in legs for place in (leg + _BESIDE, leg - _BESIDE - connector.width)]
    connector.x = min((start, *(_within(x, first, last) for x in beside if first <= last)), key=cost)


def _within(value: float, low: float, high: float) -> float:
    return max(low, min(value, high))


def connectors_by_line(found: Marking, homes: Sequence[int]) -> dict[int, list[Connector]]:
    """Return the connectors of each line.

    If subject and object are on the same line, an arc connects them. Otherwise a flag at the object names the subject,
    and a hint at the subject points up or down.

    Args:
        found: content of the drawing.
        homes: line of each mark.
    """
    above: dict[int, list[Connector]] = {}
    elsewhere: dict[tuple[int, str], list[Edge]] = {}
    for edge in found.edges:
        for (line, is_arc), pairs in _by_line(edge.triples, homes).items():
            legs = [Leg(target, False) for target in dict.fromkeys(target for _, target in pairs)]
            sources = list(dict.fromkeys(source for source, _ in pairs))
            numbers = tuple(number for pair in pairs for number in edge.triples[pair])
            label = found.label(numbers, edge.slot)
            if is_arc:
                legs += [Leg(source, True) for source in sources]
            else:
                label = (*(Part(found.name(source), "source") for source in sources), *label)
            colour = found.colours[found.triples[numbers[0]].predicate]
            above.setdefault(line, []).append(Connector(legs, label, colour, numbers, bool(edge.slot)))
            for source in sources:
                if homes[source] != line and not edge.slot:
                    elsewhere.setdefault((source, "↓" if line > homes[source] else "↑"), []).append(edge)
    for (source, arrow), edges in elsewhere.items():
        above.setdefault(homes[source], []).append(_hint(found, source, arrow, edges))
    return above


def _by_line(pairs: Iterable[_Pair], homes: Sequence[int]) -> dict[tuple[int, bool], list[_Pair]]:
    """Group pairs by the line of the object and by whether an arc can connect them."""
    found: dict[tuple[int, bool], list[_Pair]] = {}
    for source, target in pairs:
        is_arc = homes[source] == homes[target] and source != target
        found.setdefault((homes[target], is_arc), []).append((source, target))
    return found


def _hint(found: Marking, source: int, arrow: str, edges: Sequence[Edge]) -> Connector:
    numbers = tuple(
        number for edge in edges for pair, some in edge.triples.items() if pair[0] == source for number in some
    )
    names = list(dict.fromkeys(found.triples[number].predicate for number in numbers))
    shown = " · ".join([*names[:_NAMES], *(["…"] if len(names) > _NAMES else [])])
    return Connector([Leg(source, True)], (Part(f"{shown} {arrow}", "hint"),), None, numbers)
