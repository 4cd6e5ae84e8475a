"""Graphs as GraphML and GEXF, read back by networkx."""

import io
import json
import re
from typing import Any

import networkx
import pytest

from hf_spo.graph import KnowledgeGraph
from hf_spo.graph.writer_options import WriterOptions
from hf_spo.graph.writers import find_writer
from tests.graph.graph_samples import FIRST_ROW, HOSTILE_ROW, SECOND_ROW, graph_of, triple

READERS = {"graphml": networkx.read_graphml, "gexf": networkx.read_gexf}
EVERY_FORMAT = pytest.mark.parametrize("to", list(READERS))


def written(graph: KnowledgeGraph, to: str) -> str:
    file = io.StringIO()
    find_writer(to).write_to_stream(graph, file, WriterOptions())
    return file.getvalue()


def read(graph: KnowledgeGraph, to: str) -> Any:
    return READERS[to](io.BytesIO(written(graph, to).encode()))


@EVERY_FORMAT
def test_nodes_and_edges(to: str) -> None:
    found = read(graph_of(FIRST_ROW, SECOND_ROW), to)
    person = found.nodes["人物:何雨晴"]
    assert (person["label"], person["entity_type"], person["mentions"], person["aliases"]) == (
        "何雨晴",
        "人物",
        4,
        "[]",
    )
    (award,) = (
        found.get_edge_data("人物:何雨晴", "奖项:最佳女主角").values()
        if found.is_multigraph()
        else [found.get_edge_data("人物:何雨晴", "奖项:最佳女主角")]
    )
    assert (award["label"], award["predicate"], award["documents"], award["count"]) == ("获奖", "获奖", 1, 1)
    assert (award["score"], award["mean_score"], award["weight"]) == (0.81, 0.81, 1.0)
    assert [json.loads(one) for one in json.loads(award["qualifiers"])] == [{"inWork": "海边", "onDate": "2010年"}]
    (evidence,) = json.loads(award["evidence"])
    assert json.loads(evidence)["document"] == "news/17"
    assert json.loads(award["sources"]) == ["news/17"]


@EVERY_FORMAT
def test_several_facts_of_one_pair(to: str) -> None:
    facts = [triple(("晚风", "歌曲"), predicate, ("白露", "人物")) for predicate in ("歌手", "作词", "作曲")]
    found = read(graph_of({"triples": facts}), to)
    assert sorted(found.get_edge_data("歌曲:晚风", "人物:白露")) == ["e0", "e1", "e2"]
    assert {edge["label"] for *_, edge in found.edges(data=True)} == {"歌手", "作词", "作曲"}
    assert all("score" not in edge for *_, edge in found.edges(data=True))


@EVERY_FORMAT
def test_hostile_names(to: str) -> None:
    graph = graph_of(HOSTILE_ROW)
    found = read(graph, to)
    assert set(found.nodes) == {node.id for node in graph.nodes}
    assert {node["label"] for _, node in found.nodes(data=True)} == {node.label for node in graph.nodes}
    assert not re.search("[\x00-\x08\x0b-\x1f]", written(graph, to))


@EVERY_FORMAT
def test_the_same_graph_is_the_same_file(to: str) -> None:
    first, again = (written(graph_of(FIRST_ROW, SECOND_ROW), to) for _ in range(2))
    assert first == again
    assert "lastmodified" not in first
    assert "何雨晴" in first


@EVERY_FORMAT
def test_nothing(to: str) -> None:
    assert not read(KnowledgeGraph(), to)
