"""A Cypher script, and a JSON file with its parameters.

The script itself contains only types and predicates, since labels and relationship types cannot be parameters. It can
be run again: existing nodes and relationships are updated.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from ..model.fields import json_line
from .elements import Edge, Node
from .knowledge import KnowledgeGraph
from .neo4j_csv import ENTITY
from .writer_options import WriterOptions

# Users fill in address and password. No statement contains a semicolon before a line break.
_HEADER = """\
// Run it with the driver for Python (pip install neo4j), here or with the paths put right:
//   import json
//   from pathlib import Path
//   from neo4j import GraphDatabase
//   rows = json.loads(Path({parameters}).read_text("utf-8"))
//   with GraphDatabase.driver("neo4j://localhost", auth=("neo4j", "PASSWORD")) as driver:
//       for statement in Path({script}).read_text("utf-8").split(";\\n")[:-1]:
//           name = next((name for name in rows if f"${{name}} " in statement), "")
//           for at in range(0, len(rows.get(name, " ")), 10_000):  # 10,000 rows a transaction
//               driver.execute_query(statement, {{name: rows[name][at : at + 10_000]}} if name else {{}})
CREATE CONSTRAINT hf_spo_entity_id IF NOT EXISTS FOR (n:Entity) REQUIRE n.id IS UNIQUE;
"""
_NODES = "UNWIND ${name} AS row MERGE (n:Entity {{id: row.id}}) SET n += row.properties{label};\n"
_EDGES = """\
UNWIND ${name} AS row MATCH (s:Entity {{id: row.subject}}) MATCH (o:Entity {{id: row.object}}) \
MERGE (s)-[r:{type}]->(o) SET r += row.properties;
"""


def write_script(graph: KnowledgeGraph, file: IO[str], options: WriterOptions) -> None:
    """Write the script: one UNWIND statement for each node type and one for each predicate."""
    file.write(script_header(_HEADER, options.path, _parameters_path(options.path)))
    file.writelines(statement for _, statement, _ in _statements(graph))


def script_header(header: str, script: Path, parameters: Path) -> str:
    """Return a header with the names of a script and of its parameters; no name can break out of the comment."""
    return header.format(script=json.dumps(script.name), parameters=json.dumps(parameters.name))


def write_parameters(graph: KnowledgeGraph, file: IO[str], _: WriterOptions) -> None:
    """Write the parameters of the script."""
    write_rows(((name, rows) for name, _statement, rows in _statements(graph)), file)


def write_rows(parameters: Iterable[tuple[str, Iterable[dict[str, Any]]]], file: IO[str]) -> None:
    """Write parameters with their rows as a JSON object, one row a line."""
    begun = False
    for name, rows in parameters:
        file.write(f"{',' if begun else '{'}\n{json_line(name)}: [")
        for number, row in enumerate(rows):
            file.write(("," if number else "") + "\n" + json_line(row))
        file.write("\n]")
        begun = True
    file.write("\n}\n" if begun else "{}\n")


def next_step(script: Path) -> str:
    """Return where the parameters are and how to run the script."""
    return f"{script} takes its data from {_parameters_path(script)}; its first lines say how to run it"


def _parameters_path(script: Path) -> Path:
    return script.with_suffix(".params.json")


def _statements(graph: KnowledgeGraph) -> Iterator[tuple[str, str, Iterator[dict[str, Any]]]]:
    """Yield each statement: the name of its parameter, its text, and its rows."""
    by_type: dict[str, list[Node]] = {}
    for node in graph.nodes:
        by_type.setdefault(node.type, []).append(node)
    by_predicate: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        by_predicate.setdefault(edge.predicate, []).append(edge)
    for number, (type_, nodes) in enumerate(by_type.items(), 1):
        name, label = f"nodes_{number}", f" SET n:{identifier(type_)}" if type_ not in ("", ENTITY) else ""
        node_rows = ({"id": node.id, "properties": node.properties()} for node in nodes)
        yield name, _NODES.format(name=name, label=label), node_rows
    for number, (predicate, edges) in enumerate(by_predicate.items(), 1):
        name = f"facts_{number}"
        yield name, _EDGES.format(name=name, type=identifier(predicate)), map(_edge_row, edges)


def identifier(name: str) -> str:
    r"""Quote a name with backticks.

    Backticks are doubled. A backslash becomes ＼, since some versions replace \u0060 by a backtick before they parse.
    """
    return "`" + name.replace("\\", "＼").replace("`", "``") + "`"


def _edge_row(edge: Edge) -> dict[str, Any]:
    return {"subject": edge.subject.id, "object": edge.object.id, "properties": edge.properties()}
