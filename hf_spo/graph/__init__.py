"""Knowledge graphs: merge the triples of many documents, check them against a schema, and write them in many formats.

    graph = KnowledgeGraph.from_rows(read_rows("triples.jsonl"), min_score=0.5, texts=True)
    conflicts = find_conflicts(graph, Schema.from_file("schema.jsonl"))
    write_graph(graph, "graph.html", conflicts=conflicts)

rdflib and networkx are imported only by the formats that need them.
"""

from .conflicts import Conflict, ConflictKind, find_conflicts
from .elements import Edge, Evidence, Node
from .knowledge import KnowledgeGraph
from .names import normalised
from .triple_rows import Row, read_rows, row_of
from .writer_options import RdfSettings
from .writers import write_conflicts, write_graph

__all__ = [
    "Conflict",
    "ConflictKind",
    "Edge",
    "Evidence",
    "KnowledgeGraph",
    "Node",
    "RdfSettings",
    "Row",
    "find_conflicts",
    "normalised",
    "read_rows",
    "row_of",
    "write_conflicts",
    "write_graph",
]
