"""Rows that tests of graphs share."""

from typing import Any

from hf_spo.graph import KnowledgeGraph, row_of
from hf_spo.model.relation_rules import RelationRules
from hf_spo.model.schema import Relation, Schema
from hf_spo.model.value_formats import ObjectFormat

FIRST = "何雨晴，1984年5月3日出生于苏州。2010年，何雨晴凭《海边》拿下最佳女主角。"
SECOND = "演员何雨晴（1985年生）与周一鸣结婚多年。"

SCHEMA = Schema(
    [
        Relation("人物", "出生日期", "Date", rules=RelationRules(max_objects=1, object_format=ObjectFormat.DATE)),
        Relation("人物", "配偶", "人物", rules=RelationRules(symmetric=True)),
        Relation("人物", "获奖", "奖项"),
        Relation("人物", "获奖", "作品", "inWork"),
        Relation("人物", "获奖", "Date", "onDate", RelationRules(object_format=ObjectFormat.DATE)),
    ]
)

HOSTILE = (
    "</script><script>alert(1)</script>\"'`}) DETACH DELETE n // > . \\ ${x} ]]> <!-- \u2028 \x00\x1b\ud800 &amp; %2F :"
)


def mention(text: str, part: str, type_: str, nth: int = 0) -> dict[str, Any]:
    """The nth occurrence of a part of a text, in its JSON form."""
    start = -1
    for _ in range(nth + 1):
        start = text.index(part, start + 1)
    return {"text": part, "start": start, "end": start + len(part), "type": type_}


def triple(subject: Any, predicate: str, value: Any, score: float | None = None, **qualifiers: Any) -> dict[str, Any]:
    """A triple in its JSON form; a mention may be a name and a type."""
    subject, value = ({"text": one[0], "type": one[1]} if isinstance(one, tuple) else one for one in (subject, value))
    scored = {} if score is None else {"score": score}
    return {**scored, "subject": subject, "predicate": predicate, "object": value, "qualifiers": qualifiers}


FIRST_ROW = {
    "id": "news/17",
    "text": FIRST,
    "triples": [
        triple(mention(FIRST, "何雨晴", "人物"), "出生日期", mention(FIRST, "1984年5月3日", "Date"), 0.97),
        triple(
            mention(FIRST, "何雨晴", "人物", 1),
            "获奖",
            mention(FIRST, "最佳女主角", "奖项"),
            0.81,
            inWork=mention(FIRST, "海边", "作品"),
            onDate=mention(FIRST, "2010年", "Date"),
        ),
    ],
    "model": "tiny",
    "revision": "abc",
}
SECOND_ROW = {
    "id": "news/35",
    "text": SECOND,
    "triples": [
        triple(mention(SECOND, "何雨晴", "人物"), "出生日期", mention(SECOND, "1985年", "Date"), 0.61),
        triple(mention(SECOND, "何雨晴", "人物"), "配偶", mention(SECOND, "周一鸣", "人物"), 0.9),
    ],
}
HOSTILE_ROW = {"id": HOSTILE, "triples": [triple((HOSTILE, HOSTILE), HOSTILE, (HOSTILE[::-1], HOSTILE), 0.5)]}


def graph_of(*rows: dict[str, Any], **settings: Any) -> KnowledgeGraph:
    """A graph of rows in their JSON form; a row without id is called by its number."""
    return KnowledgeGraph.from_rows((row_of(row, f"row {at}") for at, row in enumerate(rows)), **settings)


def facts(graph: KnowledgeGraph) -> list[tuple[str, str, str]]:
    """The labels of a graph's edges."""
    return [(edge.subject.label, edge.predicate, edge.object.label) for edge in graph.edges]
