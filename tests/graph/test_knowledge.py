"""Merging triples into nodes and edges."""

import json

import pytest

from hf_spo.graph import KnowledgeGraph, Row
from hf_spo.model.schema import Mention, Span, Triple
from tests.graph.graph_samples import FIRST_ROW, HOSTILE_ROW, SECOND_ROW, facts, graph_of, triple

pytestmark = pytest.mark.smoke

STAR = ("《雪国》", "影视作品")


def test_equal_names_of_a_type_are_a_node() -> None:
    graph = graph_of(
        {"triples": [triple(("雪国", "影视作品"), "主演", ("周一鸣", "人物"))]},
        {"triples": [triple(STAR, "主演", ("周 一鸣", "人物")), triple(STAR, "导演", ("周一鸣", "人物"))]},
        {"triples": [triple(("雪国", "图书作品"), "作者", ("周一鸣", "人物"))]},
    )
    assert [(node.id, node.label, node.aliases, node.mentions) for node in graph.nodes] == [
        ("影视作品:雪国", "《雪国》", ["雪国"], 3),
        ("人物:周一鸣", "周一鸣", [], 3),
        ("人物:周 一鸣", "周 一鸣", [], 1),
        ("图书作品:雪国", "雪国", [], 1),
    ]
    assert len(graph.edges) == 4
    assert list(graph.degrees().values()) == [3, 3, 1, 1]


def test_labels_do_not_depend_on_the_order() -> None:
    rows = [{"triples": [triple((name, ""), "p", ("b", ""))]} for name in ("AB", "ab", "Ab")]
    assert {graph_of(*order).nodes[0].label for order in (rows, rows[::-1])} == {"AB"}
    assert graph_of(*rows, rows[1]).nodes[0].aliases == ["AB", "Ab"]


def test_evidence() -> None:
    graph = graph_of(FIRST_ROW, SECOND_ROW, FIRST_ROW)
    assert facts(graph) == [
        ("何雨晴", "出生日期", "1984年5月3日"),
        ("何雨晴", "获奖", "最佳女主角"),
        ("何雨晴", "出生日期", "1985年"),
        ("何雨晴", "配偶", "周一鸣"),
    ]
    assert (graph.documents, graph.models) == (2, ["tiny@abc"])
    award = graph.edges[1]
    assert (award.count, award.documents) == (2, 1)
    ((qualifiers, count),) = award.qualifiers.items()
    assert ({slot: node.label for slot, node in qualifiers}, count) == ({"inWork": "海边", "onDate": "2010年"}, 2)
    assert award.evidence[0].to_dict() == {
        "document": "news/17",
        "subject": [25, 28],
        "object": [35, 40],
        "score": 0.81,
        "qualifiers": {"inWork": "海边", "onDate": "2010年"},
    }
    assert "海边" not in {node.label for node in graph.nodes}


def test_scores() -> None:
    rows = [{"triples": [triple(("a", ""), "p", ("b", ""), score)]} for score in (0.5, None, 1, 0.3)]
    (edge,) = graph_of(*rows).edges
    assert (edge.count, edge.best_score, edge.mean_score) == (4, 1.0, pytest.approx(0.6))
    (edge,) = graph_of(rows[1]).edges
    assert (edge.best_score, edge.mean_score) == (None, None)
    assert edge.to_dict().keys() == {"subject", "predicate", "object", "documents", "count", "provenance"}


def test_low_scores_are_left_out() -> None:
    graph = graph_of(FIRST_ROW, SECOND_ROW, min_score=0.81)
    assert [edge.best_score for edge in graph.edges] == [0.97, 0.81, 0.9]
    assert graph.low_statements == 1
    assert graph_of({"triples": [triple(("a", ""), "p", ("b", ""))]}, min_score=0.9).edges


@pytest.mark.parametrize("provenance", [True, False])
def test_facts_of_few_documents_are_left_out(provenance: bool) -> None:
    fact, other = triple(("a", ""), "p", ("b", "")), triple(("a", ""), "p", ("c", ""))
    graph = graph_of({"triples": [fact, other, other]}, {"triples": [fact]}, min_documents=2, provenance=provenance)
    assert facts(graph) == [("a", "p", "b")]
    assert [node.label for node in graph.nodes] == ["a", "b"]
    assert graph.rare_edges == 1
    assert graph.documents == 2


def test_documents_that_come_again() -> None:
    fact = triple(("a", ""), "p", ("b", ""))
    rows = [{"id": name, **fact} for name in ("1", "1", "2", "1")]
    graph = graph_of(*rows)
    assert (graph.documents, graph.edges[0].documents) == (2, 2)
    # Nothing is kept by which one of them could be recognised.
    graph = graph_of(*rows, provenance=False)
    assert (graph.documents, graph.edges[0].documents, graph.edges[0].evidence) == (3, 3, [])


def test_texts_are_kept_on_demand() -> None:
    assert graph_of(FIRST_ROW).texts is None
    empty = {"id": "empty", "text": "nothing", "triples": []}
    graph = graph_of(FIRST_ROW, empty, {**HOSTILE_ROW, "text": "a\x00\rb"}, texts=True)
    assert list((graph.texts or {}).values()) == [FIRST_ROW["text"], "a\ufffd\nb"]


def test_hostile_names_become_writable() -> None:
    graph = graph_of(HOSTILE_ROW)
    written = json.dumps(graph.edges[0].to_dict(), ensure_ascii=False)
    assert written.encode()
    assert "DETACH DELETE" in written
    assert "\\u0000" not in written


def test_rows_from_elsewhere_than_a_file() -> None:
    row = Row(" a\nb ", (Triple(Mention("x\n y", Span(0, 4)), "p\tq", Mention("z"), {"s\n": Mention("v")}),))
    graph = KnowledgeGraph()
    graph.add(row)
    assert facts(graph) == [("x y", "p q", "z")]
    assert graph.edges[0].evidence[0].to_dict() == {"document": "a b", "subject": [0, 4], "qualifiers": {"s": "v"}}


def test_an_edge_by_its_names() -> None:
    graph = graph_of(SECOND_ROW)
    edge = graph.edges[1]
    assert graph.edge(edge.subject, "配偶", edge.object) is edge
    assert graph.edge(edge.object, "配偶", edge.subject) is None


def test_an_edge_back_to_its_node_counts_twice() -> None:
    graph = graph_of({"triples": [triple(("a", ""), "p", ("A", ""))]})
    assert list(graph.degrees().values()) == [2]
