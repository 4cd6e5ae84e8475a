"""Cypher scripts and their parameters."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from hf_spo.graph import KnowledgeGraph
from hf_spo.graph.cypher import identifier, write_parameters, write_script
from hf_spo.graph.writer_options import WriterOptions
from tests.graph.graph_samples import FIRST_ROW, HOSTILE_ROW, SECOND_ROW, graph_of, triple


def written(graph: KnowledgeGraph, path: str = "graph.cypher") -> tuple[list[str], dict[str, Any]]:
    """The statements, split as the script itself advises, and the parameters."""
    script, parameters = io.StringIO(), io.StringIO()
    options = WriterOptions(path=Path(path))
    write_script(graph, script, options)
    write_parameters(graph, parameters, options)
    *statements, rest = script.getvalue().split(";\n")
    assert not rest
    return statements, json.loads(parameters.getvalue())


def test_statements_and_rows() -> None:
    statements, parameters = written(graph_of(FIRST_ROW, SECOND_ROW))
    assert "CREATE CONSTRAINT hf_spo_entity_id IF NOT EXISTS FOR (n:Entity) REQUIRE n.id IS UNIQUE" in statements[0]
    assert statements[1] == (
        "UNWIND $nodes_1 AS row MERGE (n:Entity {id: row.id}) SET n += row.properties SET n:`人物`"
    )
    assert statements[-1] == (
        "UNWIND $facts_3 AS row MATCH (s:Entity {id: row.subject}) MATCH (o:Entity {id: row.object}) "
        "MERGE (s)-[r:`配偶`]->(o) SET r += row.properties"
    )
    assert list(parameters) == ["nodes_1", "nodes_2", "nodes_3", "facts_1", "facts_2", "facts_3"]
    assert parameters["nodes_1"][0]["properties"]["name"] == "何雨晴"
    (award,) = parameters["facts_2"]
    assert (award["subject"], award["object"]) == ("人物:何雨晴", "奖项:最佳女主角")
    assert award["properties"]["score"] == 0.81


def test_each_statement_finds_its_own_rows() -> None:
    rows = {"triples": [triple((f"a{at}", f"t{at}"), f"p{at}", ("b", "t")) for at in range(12)]}
    statements, parameters = written(graph_of(rows))
    taken = [[name for name in parameters if f"${name} " in statement] for statement in statements]
    assert taken == [[], *([name] for name in parameters)]


def test_nodes_without_a_type_are_entities_alone() -> None:
    statements, _ = written(graph_of({"triples": [triple(("a", ""), "p", ("b", "Entity"))]}))
    assert [statement.endswith("SET n += row.properties") for statement in statements[1:3]] == [True, True]


@pytest.mark.parametrize(
    "name", ["`}) DETACH DELETE n //", "a`b", "``", "a\\u0060b", "\\", "a;b", "${x}", "*/ // /*", "$nodes_1 x"]
)
def test_names_cannot_break_out(name: str) -> None:
    statements, parameters = written(graph_of({"triples": [triple(("a", name), name, ("b", name))]}))
    assert len(statements) == 3
    for statement in statements[1:]:
        # All that is left without the identifier is ours.
        found = re.findall("`(?:[^`]|``)*`", statement)
        assert found == [identifier(name)]
        assert "DETACH" not in statement.replace(found[0], "")
        assert "\\" not in statement
    assert parameters["facts_1"][0]["properties"]["predicate"] == name
    assert parameters["nodes_1"][0]["properties"]["type"] == name


def test_hostile_names_are_data() -> None:
    graph = graph_of(HOSTILE_ROW)
    statements, parameters = written(graph)
    assert len(statements) == 3
    assert [row["id"] for row in parameters["nodes_1"]] == [node.id for node in graph.nodes]


def test_a_file_name_cannot_break_out_of_the_comment() -> None:
    statements, _ = written(graph_of(FIRST_ROW), 'a"\nMATCH (n) DETACH DELETE n;\n.cypher')
    *comment, constraint = statements[0].split("\n")
    assert all(line.startswith("//") for line in comment)
    assert constraint.startswith("CREATE CONSTRAINT")


def test_nothing() -> None:
    statements, parameters = written(KnowledgeGraph())
    assert (len(statements), parameters) == (1, {})
