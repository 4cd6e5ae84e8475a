"""A graph as a Cypher script, whose data is not in it but beside it, as JSON for its parameters.

Of the data only types and predicates stand in the script, as labels and types of relationships, which cannot be
parameters. A script can be run again: what is there already is brought up to date.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from ..model.fields import json_line
from .elements import Edge, Node
from .knowledge import KnowledgeGraph
from .neo4j_csv import ENTITY
from .properties import edge_properties, node_properties

# The values are filled in by the reader. No statement holds a line break behind a semicolon.
_HEADER = """\
// Run it with the driver for Python (pip install neo4j), here or with the paths put right:
//   import json
//   from neo4j import GraphDatabase
//   rows = json.load(open({parameters}, encoding="utf-8"))
//   with GraphDatabase.driver("neo4j://localhost", auth=("neo4j", "PASSWORD")) as driver:
//       for statement in open({script}, encoding="utf-8").read().split(";\\n")[:-1]:
//           driver.execute_query(statement, {{name: rows[name] for name in rows if f"${{name}} " in statement}})
CREATE CONSTRAINT hf_spo_entity_id IF NOT EXISTS FOR (n:Entity) REQUIRE n.id IS UNIQUE;
"""
_NODES = "UNWIND ${name} AS row MERGE (n:Entity {{id: row.id}}) SET n += row.properties{label};\n"
_EDGES = """\
UNWIND ${name} AS row MATCH (s:Entity {{id: row.subject}}) MATCH (o:Entity {{id: row.object}}) \
MERGE (s)-[r:{type}]->(o) SET r += row.properties;
"""


def parameters_path(script: Path) -> Path:
    """Return where a script's parameters go: beside it, graph.params.json of graph.cypher."""
    return script.with_suffix(".params.json")


def write_cypher(graph: KnowledgeGraph, script: IO[str], parameters: IO[str], path: Path) -> None:
    """Write a script and its parameters, an UNWIND statement for each type of nodes and for each predicate.

    Args:
        graph: to write.
        script, parameters: files to write to.
        path: under which the script will be found.
    """
    names = {"script": json.dumps(path.name), "parameters": json.dumps(parameters_path(path).name)}
    script.write(_HEADER.format(**names))
    by_type: dict[str, list[Node]] = {}
    for node in graph.nodes:
        by_type.setdefault(node.type, []).append(node)
    by_predicate: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        by_predicate.setdefault(edge.predicate, []).append(edge)
    comma = "{"
    for number, (type_, nodes) in enumerate(by_type.items(), 1):
        name = f"nodes_{number}"
        script.write(_NODES.format(name=name, label=f" SET n:{identifier(type_)}" if type_ not in ("", ENTITY) else ""))
        rows = ({"id": node.id, "properties": node_properties(node)} for node in nodes)
        _write_rows(parameters, comma, name, rows)
        comma = ","
    for number, (predicate, edges) in enumerate(by_predicate.items(), 1):
        name = f"facts_{number}"
        script.write(_EDGES.format(name=name, type=identifier(predicate)))
        _write_rows(parameters, comma, name, map(_edge_row, edges))
    parameters.write("\n}\n" if graph.edges else "{}\n")


def identifier(name: str) -> str:
    r"""Return a name between backticks, from which it cannot break out.

    Backticks are doubled. A backslash becomes ＼: some versions take \u0060 for a backtick before they parse.
    """
    return "`" + name.replace("\\", "＼").replace("`", "``") + "`"


def _edge_row(edge: Edge) -> dict[str, Any]:
    return {"subject": edge.subject.id, "object": edge.object.id, "properties": edge_properties(edge)}


def _write_rows(file: IO[str], before: str, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    file.write(f"{before}\n{json_line(name)}: [")
    for number, row in enumerate(rows):
        file.write(("," if number else "") + "\n" + json_line(row))
    file.write("\n]")
