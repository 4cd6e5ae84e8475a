"""CSV files for neo4j-admin."""

import csv
import json
from pathlib import Path

from hf_spo.graph import KnowledgeGraph
from hf_spo.graph.neo4j_csv import next_step
from hf_spo.graph.writers import write_graph
from tests.graph.graph_samples import FIRST_ROW, HOSTILE_ROW, SECOND_ROW, graph_of, triple


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tables(graph: KnowledgeGraph, folder: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    write_graph(graph, folder, "neo4j-csv")
    return read(folder / "nodes.csv"), read(folder / "relationships.csv")


def test_nodes_and_relationships(tmp_path: Path) -> None:
    nodes, relationships = tables(graph_of(FIRST_ROW, SECOND_ROW), tmp_path)
    assert nodes[0] == {
        "id:ID": "人物:何雨晴",
        "name": "何雨晴",
        "type": "人物",
        "aliases:string[]": "",
        "mentions:int": "4",
        ":LABEL": "Entity\x1f人物",
    }
    award = relationships[1]
    assert (award[":START_ID"], award[":TYPE"], award[":END_ID"]) == ("人物:何雨晴", "获奖", "奖项:最佳女主角")
    assert (award["score:double"], award["documents:int"], award["count:int"]) == ("0.81", "1", "1")
    assert json.loads(award["qualifiers:string[]"]) == {"inWork": "海边", "onDate": "2010年"}
    assert json.loads(award["evidence:string[]"])["subject"] == [25, 28]
    assert award["sources:string[]"] == "news/17"
    ids = {node["id:ID"] for node in nodes}
    assert all({edge[":START_ID"], edge[":END_ID"]} <= ids for edge in relationships)


def test_lists_and_what_is_not_known(tmp_path: Path) -> None:
    facts = [triple((name, ""), "p", ("b;c", "")) for name in ("A", "a", "Ａ", "Ａ")]
    nodes, (edge,) = tables(graph_of({"id": "1", "triples": facts}, {"id": "2", "triples": facts}), tmp_path)
    assert nodes[0]["aliases:string[]"].split("\x1f") == ["A", "a"]
    assert nodes[0][":LABEL"] == "Entity"
    assert edge["sources:string[]"].split("\x1f") == ["1", "2"]
    assert len(edge["evidence:string[]"].split("\x1f")) == 8
    assert (edge["score:double"], edge["mean_score:double"]) == ("", "")


def test_hostile_names(tmp_path: Path) -> None:
    graph = graph_of(HOSTILE_ROW)
    nodes, relationships = tables(graph, tmp_path)
    assert [node["id:ID"] for node in nodes] == [node.id for node in graph.nodes]
    assert relationships[0][":TYPE"] == graph.edges[0].predicate
    # A line is a row, so that --multiline-fields is not needed.
    lines = (tmp_path / "nodes.csv").read_text(encoding="utf-8").split("\n")
    assert len(lines) == 1 + len(nodes) + 1


def test_the_command_takes_any_folder() -> None:
    command = next_step(Path("my files"))
    assert command.startswith("import it with: neo4j-admin database import full --array-delimiter=U+001F ")
    assert "--nodes='my files/nodes.csv' --relationships='my files/relationships.csv' neo4j" in command
