"""A small graph as SVG: the triples of one text, in the colours of its drawing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..drawing.colours import DARK, FONTS, LIGHT, Palette
from ..drawing.marks import OBJECT, SUBJECT
from ..drawing.markup import length, markup, pixels
from ..drawing.text import shortened, text_width
from ..graph import KnowledgeGraph, row_of
from ..graph.elements import Edge, Node, plain
from ..graph.page import most_connected
from .layers import Pair, Place, arrange

MOST = 60
"""Facts that are drawn."""

_NAME, _SMALL = 14.0, 11.0
_ROW, _BOX, _MARGIN, _PADDING = 48.0, 38.0, 12.0, 12.0
_BEND, _HEAD = 46.0, 7.0
_LONGEST_NAME, _LONGEST_LABEL = 13.0, 15.0


@dataclass(frozen=True, slots=True)
class _Line:
    """What is written on the line between two nodes, and in which colour."""

    label: str
    detail: str
    title: str
    colour: int

    @property
    def width(self) -> float:
        return max(text_width(self.label) * (_NAME - 1), text_width(self.detail) * _SMALL)


def graph_picture(text: str, triples: Sequence[Mapping[str, Any]]) -> tuple[str, int, int]:
    """Draw triples as a graph; names of one type that mean the same are one node.

    Args:
        text: what they are from.
        triples: in the JSON form of [`Triple.to_dict`].

    Returns:
        HTML with its own style sheet, the number of facts drawn, and of all.
    """
    graph = KnowledgeGraph()
    graph.add(row_of({"text": text, "triples": list(triples)}))
    edges = most_connected(graph, MOST)
    colours = {name: number for number, name in enumerate(dict.fromkeys(triple["predicate"] for triple in triples))}
    between: dict[Pair, list[Edge]] = {}
    for edge in edges:
        # A node that leads to itself is drawn twice, since it cannot be right of itself.
        target = (edge.object, 1) if edge.subject is edge.object else (edge.object, 0)
        between.setdefault(((edge.subject, 0), target), []).append(edge)
    lines = {pair: _line(some, colours) for pair, some in between.items()}
    places, turned = arrange(lines)
    picture = "".join(_svg(places, lines, turned)) if lines else ""
    return f'<div class="hf-spo-graph"><style>{_STYLE}</style>{picture}</div>', len(edges), len(graph.edges)


def _line(edges: Sequence[Edge], colours: Mapping[str, int]) -> _Line:
    names = " · ".join(edge.predicate for edge in edges)
    details = [
        f"{slot}: {name}" for edge in edges for statement in edge.qualifiers for slot, name in plain(statement).items()
    ]
    title = "\n".join(f"{edge.subject.label} — {edge.predicate} → {edge.object.label}" for edge in edges)
    return _Line(
        shortened(names, _LONGEST_LABEL),
        shortened(", ".join(dict.fromkeys(details)), _LONGEST_LABEL * 1.2),
        "\n".join([title, *details]),
        colours.get(edges[0].predicate, 0) % len(LIGHT.predicates),
    )


def _svg(places: Mapping[Any, Place], lines: Mapping[Pair, _Line], turned: Mapping[Pair, Pair]) -> Iterator[str]:
    sides, width = _columns(places, lines, turned)
    height = max(place.top + place.rows for place in places.values()) * _ROW + 2 * _MARGIN
    yield (
        f'<svg viewBox="0 0 {pixels(width)} {pixels(height)}" role="img" '
        f'style="width:{pixels(width)}px;min-width:{pixels(min(width, 0.8 * width))}px" font-family="{markup(FONTS)}">'
    )
    for pair, line in lines.items():
        yield _curve(places, sides, turned[pair], line, back=turned[pair] != pair)
    subjects = {source for source, _ in lines}
    for (node, _), place in places.items():
        yield _box(node, sides[place.column][0], _y(place.middle), is_subject=(node, 0) in subjects)
    yield "</svg>"


def _columns(
    places: Mapping[Any, Place], lines: Mapping[Pair, _Line], turned: Mapping[Pair, Pair]
) -> tuple[list[tuple[float, float]], float]:
    """Return where each column begins, and where its boxes' right side is at most; and the width of all."""
    count = 1 + max(place.column for place in places.values())
    boxes, labels = [0.0] * count, [0.0] * count
    for (node, _), place in places.items():
        boxes[place.column] = max(boxes[place.column], _width(node))
    for pair, line in lines.items():
        column = places[turned[pair][1]].column
        labels[column] = max(labels[column], line.width)
    sides, x = [], _MARGIN
    for column in range(count):
        x += _BEND + labels[column] + 3 * _HEAD if column else 0.0
        sides.append((x, x + boxes[column]))
        x += boxes[column]
    return sides, x + _MARGIN


def _curve(
    places: Mapping[Any, Place], sides: Sequence[tuple[float, float]], drawn: Pair, line: _Line, *, back: bool
) -> str:
    """Draw an edge: it bends behind its source, and is level under its label."""
    source, target = (places[name] for name in drawn)
    nth = target.ports.index(drawn)
    start = sides[source.column][0] + _width(drawn[0][0])
    from_y, to_y = _y(source.middle), _y(target.middle + nth - (len(target.ports) - 1) / 2)
    end = sides[target.column][0]
    bend = sides[target.column - 1][1]
    tip = start if back else end
    inward = _HEAD if back else -_HEAD
    at = from_y if back else _y(target.middle)
    label_x, label_y = pixels(end - 1.7 * _HEAD), to_y
    # Several that arrive at one box meet at its side.
    hook = f"L{pixels(end - _HEAD)} {pixels(to_y)}L{pixels(end)} {pixels(_y(target.middle))}"
    path = (
        f"M{pixels(start)} {pixels(from_y)}H{pixels(bend)}"
        f"C{pixels(bend + _BEND / 2)} {pixels(from_y)} {pixels(bend + _BEND / 2)} {pixels(to_y)} "
        f"{pixels(bend + _BEND)} {pixels(to_y)}{hook}"
    )
    head = f"M{pixels(tip)} {pixels(at)}l{pixels(inward)} -4.5v9z"
    return (
        f'<g class="g-c{line.colour}"><title>{markup(line.title)}</title>'
        f'<path d="{path}" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="{head}" fill="currentColor"/>'
        f'<text x="{label_x}" y="{pixels(label_y - 5)}" font-size="{_NAME - 1}" text-anchor="end" fill="currentColor" '
        f'font-weight="600">{markup(line.label)}</text>'
        f'<text class="g-soft" x="{label_x}" y="{pixels(label_y + 14)}" font-size="{_SMALL}" text-anchor="end">'
        f"{markup(line.detail)}</text></g>"
    )


def _box(node: Node, x: float, middle: float, *, is_subject: bool) -> str:
    width, y = _width(node), middle - _BOX / 2
    name, kind = _name(node), _kind(node)
    first = middle - 2 if kind else middle + 5
    return (
        f'<g class="g-{"s" if is_subject else "o"}"><title>{markup(node.label)}</title>'
        f'<rect x="{pixels(x)}" y="{pixels(y)}" width="{pixels(width)}" height="{_BOX}" rx="9"/>'
        f'<text class="g-ink" x="{pixels(x + _PADDING)}" y="{pixels(first)}" font-size="{_NAME}"'
        f"{length(text_width(name) * _NAME)}>{markup(name)}</text>"
        f'<text class="g-kind" x="{pixels(x + _PADDING)}" y="{pixels(middle + 12.5)}" font-size="{_SMALL - 0.5}">'
        f"{markup(kind)}</text></g>"
    )


def _y(row: float) -> float:
    return _MARGIN + row * _ROW


def _name(node: Node) -> str:
    return shortened(node.label, _LONGEST_NAME)


def _kind(node: Node) -> str:
    return shortened(node.type, _LONGEST_NAME)


def _width(node: Node) -> float:
    return max(text_width(_name(node)) * _NAME, text_width(_kind(node)) * _SMALL) + 2 * _PADDING


def _rules(palette: Palette, within: str = "") -> Iterable[str]:
    page = f"{within} .hf-spo-graph".strip()
    yield f"{page} .g-ink{{fill:{palette.ink}}}{page} .g-soft{{fill:{palette.soft}}}"
    for role, short in ((SUBJECT, "s"), (OBJECT, "o")):
        yield f"{page} .g-{short} rect{{fill:{palette.fills[role]};stroke:{palette.strokes[role]}}}"
        yield f"{page} .g-{short} .g-kind{{fill:{palette.strokes[role]}}}"
    yield from (f"{page} .g-c{number}{{color:{colour}}}" for number, colour in enumerate(palette.predicates))


# Gradio's dark pages have the class, whatever the reader's system says.
_STYLE = (
    ".hf-spo-graph{overflow-x:auto}"
    ".hf-spo-graph svg{display:block;max-width:100%;height:auto;margin:0 auto}"
    f"{''.join(_rules(LIGHT))}{''.join(_rules(DARK, '.dark'))}"
)
