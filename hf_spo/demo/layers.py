"""Where the nodes of a small graph go: columns from left to right, so that no name lies on another."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Name = Any
"""Whatever a node is called; can be hashed."""

Pair = tuple[Name, Name]
"""From and to."""


@dataclass(slots=True)
class Place:
    """Of a node: its column, the rows that it and those hung on it take, and where edges from the left arrive."""

    column: int
    top: float = 0.0
    rows: float = 1.0
    ports: list[Pair] = field(default_factory=list)
    children: list[Name] = field(default_factory=list)

    @property
    def middle(self) -> float:
        """The row, in fractions, that the node is centred on."""
        return self.top + self.rows / 2


def arrange(pairs: Iterable[Pair]) -> tuple[dict[Name, Place], dict[Pair, Pair]]:
    """Place the nodes of a graph.

    A node is right of all that lead to it, but for those pairs that would close a circle, which are turned round.
    Edges of a node to itself have no place.

    Returns:
        the nodes' places, and each pair as it is drawn from left to right.
    """
    given = [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]
    turned = _without_circles(given)
    drawn = list(dict.fromkeys(turned.values()))
    places = {name: Place(column) for name, column in _columns(drawn).items()}
    for pair in drawn:
        places[pair[1]].ports.append(pair)
    for pair in drawn:
        source, target = pair
        hung = places[target].ports
        # Of those that lead to it from the column before, the first has it among its own.
        if pair == next(one for one in hung if places[one[0]].column == places[target].column - 1):
            places[source].children.append(target)
    top = 0.0
    for name, place in places.items():
        if place.column == 0:
            top += _hang(places, name, top)
    for place in places.values():
        place.ports.sort(key=lambda pair: places[pair[0]].middle)
    return places, turned


def _without_circles(pairs: Sequence[Pair]) -> dict[Pair, Pair]:
    """Return each pair, turned round if it leads back to where it can be reached from."""
    ahead: dict[Name, list[Name]] = {}
    for source, target in pairs:
        ahead.setdefault(source, []).append(target)
    targets = {target for _, target in pairs}
    begun: set[Name] = set()
    back: set[Pair] = set()
    for root in [*(name for name in ahead if name not in targets), *ahead]:
        if root in begun:
            continue
        begun.add(root)
        path, rest = [root], [iter(ahead[root])]
        while path:
            following = next(rest[-1], None)
            if following is None:
                path.pop()
                rest.pop()
            elif following in path:
                back.add((path[-1], following))
            elif following not in begun:
                begun.add(following)
                path.append(following)
                rest.append(iter(ahead.get(following, ())))
    return {pair: pair[::-1] if pair in back else pair for pair in pairs}


def _columns(pairs: Sequence[Pair]) -> Mapping[Name, int]:
    """Return the length of the longest way to each node; there are no circles."""
    found = dict.fromkeys((name for pair in pairs for name in pair), 0)
    for _ in found:
        for source, target in pairs:
            found[target] = max(found[target], found[source] + 1)
    return found


def _hang(places: Mapping[Name, Place], name: Name, top: float) -> float:
    """Give a node and those hung on it a band of rows; return how many it has."""
    place = places[name]
    place.top = top
    below = 0.0
    for child in place.children:
        below += _hang(places, child, top + below)
    own = float(max(1, len(place.ports)))
    place.rows = max(own, below)
    if own > below:
        for child in place.children:
            _shift(places, child, (own - below) / 2)
    return place.rows


def _shift(places: Mapping[Name, Place], name: Name, by: float) -> None:
    places[name].top += by
    for child in places[name].children:
        _shift(places, child, by)
