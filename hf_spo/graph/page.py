"""An interactive HTML page in one file that needs no network."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from markupsafe import Markup

from ..support.safe_text import render_page, script_json
from .conflicts import Conflict
from .elements import Edge, Evidence, Node, plain
from .knowledge import KnowledgeGraph
from .snippets import snippet
from .writer_options import PAGE_LIMIT, WriterOptions

_PARTS = Path(__file__).parent / "page_parts"
# cytoscape 3.35.0, and d3-force 3.0.1 with its three dependencies, minified, from the npm registry. Each file begins
# with its licence.
_LIBRARIES = ("vendor/cytoscape.min.js", "vendor/d3-force.min.js")
_DRAWING = "graph.js"
_SCRIPTS = ("data.js", "view.js", "facts.js", "filters.js")
_EVIDENCE = 5
_CONFLICTS = 500


def write_page(graph: KnowledgeGraph, file: IO[str], options: WriterOptions) -> None:
    """Write the page."""
    file.write(render(graph, options.title, options.conflicts, options.limit))


def render(graph: KnowledgeGraph, title: str, conflicts: Sequence[Conflict] = (), limit: int = PAGE_LIMIT) -> str:
    """Return the page.

    Args:
        graph: the graph; if it keeps texts, the page shows the sentences that state a fact.
        title: title of the page.
        conflicts: conflicts to mark and list.
        limit: number of facts to draw; those between the most connected nodes are chosen.
    """
    edges = most_connected(graph, limit)
    data = script_json(page_data(graph, edges, conflicts[:_CONFLICTS]))
    return render_page(
        _PARTS / "page.html.jinja",
        title=title,
        graph=graph,
        shown=len(edges),
        total=len(graph.edges),
        conflicts=conflicts[:_CONFLICTS],
        conflicts_total=len(conflicts),
        style=Markup(_part("page.css")),
        data=Markup(data),
        libraries=[Markup(_part(name)) for name in _LIBRARIES],
        script=Markup("\n".join(map(_part, (_DRAWING, *_SCRIPTS)))),
    )


def most_connected(graph: KnowledgeGraph, limit: int) -> list[Edge]:
    """Return up to `limit` facts between the nodes with most edges, in the order of the graph."""
    degrees = graph.degrees()
    # sorted() is stable: among nodes of equal degree, the earlier ones come first.
    rank = {node: place for place, node in enumerate(sorted(graph.nodes, key=lambda node: -degrees[node]))}
    ranked = sorted(graph.edges, key=lambda edge: max(rank[edge.subject], rank[edge.object]))[:limit]
    kept = set(ranked)
    return [edge for edge in graph.edges if edge in kept]


def drawing_scripts() -> list[str]:
    """Return the scripts that another page needs to draw a graph: the libraries, and the function `drawGraph`."""
    return [_part(name) for name in (*_LIBRARIES, _DRAWING)]


def page_data(graph: KnowledgeGraph, edges: Sequence[Edge], conflicts: Sequence[Conflict] = ()) -> dict[str, Any]:
    """Return the JSON form of facts that the scripts read; nodes, types and predicates are referred to by index."""
    nodes = list(dict.fromkeys(node for edge in edges for node in (edge.subject, edge.object)))
    types = _by_frequency(node.type for node in nodes)
    predicates = _by_frequency(edge.predicate for edge in edges)
    at = {edge: place for place, edge in enumerate(edges)}
    broken: dict[Edge, list[int]] = {}
    for number, conflict in enumerate(conflicts):
        for edge in conflict.edges:
            broken.setdefault(edge, []).append(number)
    places = {node: place for place, node in enumerate(nodes)}
    return {
        "types": list(types),
        "predicates": list(predicates),
        "nodes": [_node(node, types) for node in nodes],
        "edges": [
            {
                "s": places[edge.subject],
                "o": places[edge.object],
                "p": predicates[edge.predicate],
                "conflicts": broken.get(edge, []),
                **_support(edge, graph.texts or {}),
            }
            for edge in edges
        ],
        "conflicts": [[at[edge] for edge in conflict.edges if edge in at] for conflict in conflicts],
    }


def _part(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8")


def _by_frequency(names: Iterable[str]) -> dict[str, int]:
    return {name: place for place, (name, _) in enumerate(Counter(names).most_common())}


def _node(node: Node, types: Mapping[str, int]) -> dict[str, Any]:
    return {"label": node.label, "type": types[node.type], "aliases": node.aliases, "mentions": node.mentions}


def _support(edge: Edge, texts: Mapping[str, str]) -> dict[str, Any]:
    best = sorted(edge.evidence, key=lambda statement: -(statement.score or 0.0))[:_EVIDENCE]
    return {
        "score": _rounded(edge.best_score),
        "mean": _rounded(edge.mean_score),
        "documents": edge.documents,
        "count": edge.count,
        "qualifiers": [plain(qualifiers) for qualifiers in edge.qualifiers],
        "evidence": [_statement(edge, statement, texts) for statement in best],
    }


def _statement(edge: Edge, statement: Evidence, texts: Mapping[str, str]) -> dict[str, Any]:
    text = texts.get(statement.document)
    return {
        "document": statement.document,
        "score": _rounded(statement.score),
        "qualifiers": plain(statement.qualifiers),
        "pieces": [] if text is None else snippet(text, edge, statement),
    }


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)
