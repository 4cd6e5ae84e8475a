"""CSV files that neo4j-admin imports into a new database."""

import csv
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from .elements import Node
from .knowledge import KnowledgeGraph
from .writer_options import WriterOptions

ENTITY = "Entity"
"""Label of every node, in addition to the one of its type."""

# Names contain no control characters.
_ARRAY = "\x1f"
_NODE_COLUMNS = ("id:ID", "name", "type", "aliases:string[]", "mentions:int", ":LABEL")
_EDGE_COLUMNS = (
    ":START_ID",
    ":END_ID",
    ":TYPE",
    "predicate",
    "documents:int",
    "count:int",
    "score:double",
    "mean_score:double",
    "qualifiers:string[]",
    "sources:string[]",
    "evidence:string[]",
)


def write_nodes(graph: KnowledgeGraph, file: IO[str], _: WriterOptions) -> None:
    """Write nodes.csv, with the header fields of neo4j-admin."""
    rows = ({"id": node.id, **node.properties(), ":LABEL": labels(node)} for node in graph.nodes)
    _write_table(file, _NODE_COLUMNS, rows)


def write_edges(graph: KnowledgeGraph, file: IO[str], _: WriterOptions) -> None:
    """Write relationships.csv."""
    rows = (
        {":START_ID": edge.subject.id, ":END_ID": edge.object.id, ":TYPE": edge.predicate, **edge.properties()}
        for edge in graph.edges
    )
    _write_table(file, _EDGE_COLUMNS, rows)


def next_step(folder: Path) -> str:
    """Return the command that imports the files of a folder into a new database."""
    nodes, relationships = (shlex.quote(str(folder / name)) for name in ("nodes.csv", "relationships.csv"))
    command = "neo4j-admin database import full --array-delimiter=U+001F"
    return f"import it with: {command} --nodes={nodes} --relationships={relationships} neo4j"


def labels(node: Node) -> list[str]:
    """Return the labels of a node: Entity, and its type unless that is empty."""
    return [ENTITY, node.type] if node.type else [ENTITY]


def _write_table(file: IO[str], columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    names = [column.split(":")[0] or column for column in columns]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        cells = (row.get(name) for name in names)
        writer.writerow(_ARRAY.join(cell) if isinstance(cell, list) else cell for cell in cells)
