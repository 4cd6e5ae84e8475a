"""GraphML and GEXF, for Gephi, yEd, Cytoscape and similar programs.

The label of an edge is its predicate, its weight the number of documents. Lists are JSON.
"""

import re
from io import BytesIO
from typing import IO, Any

from ..model.fields import json_line
from .knowledge import KnowledgeGraph
from .writer_options import WriterOptions

try:
    import networkx
except ImportError:
    raise ImportError("writing GraphML and GEXF needs networkx: pip install 'hf-spo[graph]'") from None


def write_graphml(graph: KnowledgeGraph, file: IO[str], _: WriterOptions) -> None:
    """Write GraphML."""
    written = BytesIO()
    # The writer without lxml, so that the output does not depend on what is installed.
    networkx.write_graphml_xml(as_networkx(graph), written)
    file.write(written.getvalue().decode() + "\n")


def write_gexf(graph: KnowledgeGraph, file: IO[str], _: WriterOptions) -> None:
    """Write GEXF, without the date, so that the same graph gives the same file."""
    written = BytesIO()
    networkx.write_gexf(as_networkx(graph), written)
    file.write(re.sub(' lastmodifieddate="[^"]*"', "", written.getvalue().decode(), count=1) + "\n")


def as_networkx(graph: KnowledgeGraph) -> Any:
    """Convert a graph to a `networkx.MultiDiGraph`, with node ids as keys and flat values."""
    drawn = networkx.MultiDiGraph()
    for node in graph.nodes:
        # Both formats, or their readers, reserve "type".
        properties = {f"entity_{name}" if name == "type" else name: value for name, value in node.properties().items()}
        drawn.add_node(node.id, label=properties.pop("name"), **_flat(properties))
    for number, edge in enumerate(graph.edges):
        properties = _flat(edge.properties())
        weight = float(properties["documents"])
        drawn.add_edge(
            edge.subject.id, edge.object.id, f"e{number}", label=properties["predicate"], weight=weight, **properties
        )
    return drawn


def _flat(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: json_line(value) if isinstance(value, list) else value for name, value in properties.items()}
