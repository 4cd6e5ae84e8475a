"""Which line of a text shows what of the triples: arcs within a line, flags where the other end is elsewhere."""

from collections.abc import Iterable, Sequence

from .lanes import Connector, Leg
from .marks import Edge, Marking, Part

_NAMES = 3

_Pair = tuple[int, int]


def shared_out(found: Marking, homes: Sequence[int]) -> dict[int, list[Connector]]:
    """Return the connectors of each line.

    An arc goes from subject to object on their line. On different ones, a flag at the object names the subject, and
    a hint at the subject says on which side of the line to look for more.

    Args:
        found: what is drawn.
        homes: the line of each mark.
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
    """Return pairs by the line of the object, and by whether an arc can connect them."""
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
