"""A Cypher script for Ladybug, the property graph database in one process that goes on from Kuzu.

Its Cypher has tables: nodes are in the table Entity, with their type as a property, facts in the table Fact, with their
predicate. No name is part of a statement. The script can be run again: existing nodes and facts are updated.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from .cypher import script_header, write_rows
from .knowledge import KnowledgeGraph
from .writer_options import WriterOptions

_NODE = {"name": "STRING", "type": "STRING", "aliases": "STRING[]", "mentions": "INT64"}
_FACT = {
    "predicate": "STRING",
    "documents": "INT64",
    "count": "INT64",
    "score": "DOUBLE",
    "mean_score": "DOUBLE",
    "qualifiers": "STRING[]",
    "sources": "STRING[]",
    "evidence": "STRING[]",
}


def _columns(properties: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in properties.items())


def _updates(variable: str, properties: dict[str, str]) -> str:
    # A property that is null in all rows, or an empty list, has no type of its own.
    return ", ".join(f"{variable}.{name} = CAST(row.{name}, '{kind}')" for name, kind in properties.items())


# No statement contains a semicolon before a line break.
_HEADER = f"""\
// Run it from Python (pip install ladybug), here or with the paths put right:
//   import json
//   from pathlib import Path
//   import ladybug
//   rows = json.loads(Path({{parameters}}).read_text("utf-8"))
//   with ladybug.Database("graph.lbug") as database, ladybug.Connection(database) as connection:
//       for statement in Path({{script}}).read_text("utf-8").split(";\\n")[:-1]:
//           name = next((name for name in rows if f"${{{{name}}}} " in statement), "")
//           for at in range(0, len(rows.get(name, " ")), 10_000):  # 10,000 rows a transaction
//               connection.execute(statement, {{{{name: rows[name][at : at + 10_000]}}}} if name else {{{{}}}})
CREATE NODE TABLE IF NOT EXISTS Entity(id STRING PRIMARY KEY, {_columns(_NODE)});
CREATE REL TABLE IF NOT EXISTS Fact(FROM Entity TO Entity, {_columns(_FACT)});
"""
_STATEMENTS = {
    "nodes": f"UNWIND $nodes AS row MERGE (n:Entity {{id: row.id}}) SET {_updates('n', _NODE)};\n",
    "facts": (
        "UNWIND $facts AS row MATCH (s:Entity {id: row.subject}), (o:Entity {id: row.object}) "
        f"MERGE (s)-[r:Fact {{predicate: row.predicate}}]->(o) SET {_updates('r', _FACT)};\n"
    ),
}


def write_script(graph: KnowledgeGraph, file: IO[str], options: WriterOptions) -> None:
    """Write the script, which creates the tables and fills them."""
    file.write(script_header(_HEADER, options.path, _parameters_path(options.path)))
    file.writelines(_STATEMENTS[name] for name, _ in _rows(graph))


def write_parameters(graph: KnowledgeGraph, file: IO[str], _: WriterOptions) -> None:
    """Write the parameters of the script."""
    write_rows(_rows(graph), file)


def next_step(script: Path) -> str:
    """Return where the parameters are and how to run the script."""
    return f"{script} takes its data from {_parameters_path(script)}; its first lines say how to run it"


def _parameters_path(script: Path) -> Path:
    return script.with_suffix(".ladybug.json")


def _rows(graph: KnowledgeGraph) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    if not graph.edges:
        return
    yield "nodes", ({"id": node.id, **node.properties()} for node in graph.nodes)
    # Each row has all properties, as rows of a table have.
    facts = (dict.fromkeys(_FACT) | edge.properties() for edge in graph.edges)
    ends = ({"subject": edge.subject.id, "object": edge.object.id} for edge in graph.edges)
    yield "facts", (end | fact for end, fact in zip(ends, facts, strict=True))
