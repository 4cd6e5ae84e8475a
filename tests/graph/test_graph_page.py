"""The interactive page, as far as it can be told without a browser."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from hf_spo.graph import KnowledgeGraph, find_conflicts
from hf_spo.graph.page import _LIBRARIES, _part, most_connected, render
from tests.graph.graph_samples import FIRST_ROW, HOSTILE, HOSTILE_ROW, SCHEMA, SECOND_ROW, graph_of, triple


class Page(HTMLParser):
    """What a browser would make of a page: its elements, the contents of its scripts, and the text outside of them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._open.append(tag)
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        if self._open and tag == self._open[-1]:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open:
            self.scripts[-1] += data
        else:
            self.text += data

    @property
    def data(self) -> Any:
        return json.loads(self.scripts[1])


def page(*rows: dict[str, Any], title: str = "graph", **options: Any) -> Page:
    graph = graph_of(*rows, texts=True)
    return Page(render(graph, title, find_conflicts(graph, SCHEMA), **options))


def test_nodes_and_facts() -> None:
    data = page(FIRST_ROW, SECOND_ROW).data
    assert (data["types"], data["predicates"]) == (["人物", "Date", "奖项"], ["出生日期", "获奖", "配偶"])
    assert data["nodes"][0] == {"label": "何雨晴", "type": 0, "aliases": [], "mentions": 4}
    award = data["edges"][1]
    assert (award["s"], award["o"], award["p"]) == (0, 2, 1)
    assert (award["score"], award["documents"], award["count"]) == (0.81, 1, 1)
    (evidence,) = award["evidence"]
    assert evidence["document"] == "news/17"
    assert evidence["qualifiers"] == {"inWork": "海边", "onDate": "2010年"}
    assert ["何雨晴", 1] in evidence["pieces"]


def test_conflicts_are_marked_and_listed() -> None:
    made = page(FIRST_ROW, SECOND_ROW)
    assert [edge["conflicts"] for edge in made.data["edges"]] == [[0], [], [0], [1]]
    assert made.data["conflicts"] == [[0, 2], [3]]
    assert "2 conflicts with the schema" in made.text
    assert "何雨晴 (人物) has 2 objects of 出生日期, at most 1 expected" in made.text
    assert "from 2 documents" in made.text
    assert "extracted by tiny@abc" in made.text


def test_the_best_statements_come_first() -> None:
    fact = triple(("a", ""), "p", ("b", ""))
    (edge,) = page(*[{**fact, "score": score / 10} for score in range(8)], fact).data["edges"]
    assert [one["score"] for one in edge["evidence"]] == [0.7, 0.6, 0.5, 0.4, 0.3]
    assert (edge["count"], edge["score"], edge["evidence"][0]["pieces"]) == (9, 0.7, [])


def own_parts(html: str) -> str:
    """The page without the libraries."""
    for name in _LIBRARIES:
        html = html.replace(_part(name), "")
    return html


def test_the_page_needs_no_network_and_no_other_file() -> None:
    html = own_parts(render(graph_of(FIRST_ROW, SECOND_ROW, texts=True), "graph"))
    assert not re.findall(r"https?:|//\w|url\(|@import|\bimport\b|fetch\(|XMLHttpRequest|WebSocket", html)
    made = Page(html)
    assert not [tag for tag, _ in made.elements if tag in ("link", "img", "iframe", "object", "base", "a", "form")]
    assert not [attributes for _, attributes in made.elements if {"src", "href", "srcset"} & attributes.keys()]
    policy = dict(made.elements)["meta"]["content"] or ""
    assert policy.startswith("default-src 'none'; ")


def test_nothing_runs_that_is_not_in_the_scripts() -> None:
    script = own_parts(render(KnowledgeGraph(), "graph"))
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", script)


@pytest.mark.parametrize("title", [HOSTILE, "</title><script>alert(1)</script>"])
def test_hostile_names_stay_text(title: str) -> None:
    harmless = page({"triples": [triple(("a", "t"), "p", ("b", "t"))]})
    hostile = page(HOSTILE_ROW, title=title)
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in harmless.elements]
    assert hostile.scripts[2:] == harmless.scripts[2:]
    (edge,) = graph_of(HOSTILE_ROW).edges
    assert [node["label"] for node in hostile.data["nodes"]] == [edge.subject.label, edge.object.label]
    assert "<script>alert(1)</script>" in hostile.text
    assert not set(hostile.text) & set("\x00\x1b\ud800")


def test_scripts_cannot_end_themselves() -> None:
    html = render(graph_of(HOSTILE_ROW), "graph")
    assert html.lower().count("</script") == html.lower().count("<script") == 4
    assert html.count("<!--") == 0
    assert "\u2028" not in html


def test_the_most_connected_facts_are_drawn() -> None:
    hub = [triple(("hub", ""), "p", (f"leaf {at}", "")) for at in range(5)]
    ring = [triple((f"ring {at}", ""), "q", (f"ring {(at + 1) % 3}", "")) for at in range(3)]
    graph = graph_of({"triples": [*hub, triple(("hub", ""), "p", ("ring 0", "")), *ring]})
    kept = [(edge.subject.label, edge.object.label) for edge in most_connected(graph, 4)]
    assert kept == [("hub", "ring 0"), ("ring 0", "ring 1"), ("ring 1", "ring 2"), ("ring 2", "ring 0")]
    assert most_connected(graph, 100) == graph.edges
    made = Page(render(graph, "graph", limit=4))
    assert len(made.data["edges"]) == 4
    assert len(made.data["nodes"]) == 4
    assert "This page shows 4 of 9 facts, those between the most connected nodes." in made.text
    assert "9 nodes, 9 facts" in made.text


def test_conflicts_of_facts_that_are_not_drawn_are_still_listed() -> None:
    made = page(FIRST_ROW, SECOND_ROW, limit=1)
    assert made.data["conflicts"] == [[0], []]
    assert "何雨晴 (人物) 配偶 周一鸣 (人物), but not" in made.text


def test_of_many_conflicts_the_first_are_listed() -> None:
    made = page({"triples": [triple(("a", "人物"), "配偶", (f"b{at}", "人物")) for at in range(501)]})
    assert "501 conflicts" in made.text
    assert "The first 500 of them." in made.text
    assert len(made.data["conflicts"]) == 500


def test_an_empty_graph() -> None:
    made = Page(render(KnowledgeGraph(), "graph"))
    assert "There are no facts to show." in made.text
    assert made.data["nodes"] == made.data["edges"] == []


def test_the_same_graph_is_the_same_page() -> None:
    first, again = (render(graph_of(FIRST_ROW, HOSTILE_ROW, texts=True), "graph") for _ in range(2))
    assert first == again
