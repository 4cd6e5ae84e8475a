"""A graph as GraphML or GEXF, for Gephi, yEd, Cytoscape and the like."""

import re
from io import BytesIO
from typing import IO, Any

from ..model.fields import json_line
from .knowledge import KnowledgeGraph
from .properties import edge_properties, node_properties
from .settings import GraphFormat

try:
    import networkx
except ImportError:
    raise ImportError("writing GraphML and GEXF needs networkx: pip install 'hf-spo[graph]'") from None


def write_xml(graph: KnowledgeGraph, file: IO[str], to: GraphFormat) -> None:
    """Write a graph, from memory.

    An edge's label is its predicate, its weight the number of documents; lists are JSON.
    """
    written = BytesIO()
    if to == GraphFormat.GRAPHML:
        # Not the writer with lxml, chosen where that is installed: a graph is the same file everywhere.
        networkx.write_graphml_xml(as_networkx(graph), written)
        file.write(written.getvalue().decode() + "\n")
    else:
        networkx.write_gexf(as_networkx(graph), written)
        # The day on which it is written is no part of a graph.
        file.write(re.sub(' lastmodifieddate="[^"]*"', "", written.getvalue().decode(), count=1) + "\n")


def as_networkx(graph: KnowledgeGraph) -> Any:
    """Return a graph as a `networkx.MultiDiGraph`, with nodes by their id and values that files can hold."""
    drawn = networkx.MultiDiGraph()
    for node in graph.nodes:
        # Both formats, or the readers of one of them, have a use of their own for "type".
        properties = {
            f"entity_{name}" if name == "type" else name: value for name, value in node_properties(node).items()
        }
        drawn.add_node(node.id, label=properties.pop("name"), **_flat(properties))
    for number, edge in enumerate(graph.edges):
        properties = _flat(edge_properties(edge))
        weight = float(properties["documents"])
        drawn.add_edge(
            edge.subject.id, edge.object.id, f"e{number}", label=properties["predicate"], weight=weight, **properties
        )
    return drawn


def _flat(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: json_line(value) if isinstance(value, list) else value for name, value in properties.items()}
