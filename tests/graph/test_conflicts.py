"""What contradicts a schema."""

from dataclasses import replace
from typing import Any

import pytest

from hf_spo.graph import ConflictKind, find_conflicts
from hf_spo.graph.conflicts import count_conflicts
from hf_spo.model.relation_rules import RelationRules
from hf_spo.model.schema import Relation, Schema
from tests.graph.graph_samples import FIRST_ROW, SCHEMA, SECOND_ROW, graph_of, triple


def messages(rules: RelationRules, *triples: dict[str, Any], **others: RelationRules) -> dict[str, str]:
    """Conflicts with a schema of 作者, which has these rules, of its slot, and of 作品, by kind."""
    schema = Schema(
        [
            Relation("书", "作者", "人", rules=rules),
            Relation("书", "作者", "日", "onDate", others.get("slot", RelationRules())),
            Relation("人", "作品", "书"),
        ]
    )
    found = find_conflicts(graph_of({"triples": list(triples)}), schema)
    return {conflict.kind.value: conflict.message for conflict in found}


BOOK = triple(("《海边》", "书"), "作者", ("白露", "人"), 0.5)


def test_two_dates_of_birth() -> None:
    found = find_conflicts(graph_of(FIRST_ROW, SECOND_ROW, {**SECOND_ROW, "id": "news/36"}), SCHEMA)
    assert count_conflicts(found) == {"max_objects": 1, "symmetric": 1}
    assert found[0].message == (
        "何雨晴 (人物) has 2 objects of 出生日期, at most 1 expected: 1985年 (2 documents, 0.61), "
        "1984年5月3日 (1 document, 0.97)"
    )
    told = found[0].to_dict()
    assert told["kind"] == "max_objects"
    assert [fact["object"]["text"] for fact in told["facts"]] == ["1985年", "1984年5月3日"]
    assert told["facts"][1]["provenance"] == [
        {"document": "news/17", "subject": [0, 3], "object": [4, 13], "score": 0.97}
    ]
    assert found[1].message == "何雨晴 (人物) 配偶 周一鸣 (人物), but not 周一鸣 (人物) 配偶 何雨晴 (人物)"


def test_a_symmetric_pair_is_no_conflict() -> None:
    pair = [("何雨晴", "人物"), ("周一鸣", "人物")]
    rows = {"triples": [triple(pair[0], "配偶", pair[1]), triple(pair[1], "配偶", pair[0])]}
    assert not find_conflicts(graph_of(rows), SCHEMA)


def test_an_inverse_that_is_missing() -> None:
    rules = RelationRules(inverse="作品")
    assert messages(rules, BOOK) == {"inverse": "《海边》 (书) 作者 白露 (人), but not 白露 (人) 作品 《海边》 (书)"}
    assert not messages(rules, BOOK, triple(("白露", "人"), "作品", ("海边", "书")))


def test_patterns() -> None:
    rules = RelationRules(subject_pattern=".雪.", object_pattern="[a-z]+")
    assert messages(rules, BOOK) == {
        "subject_pattern": "作者: 《海边》 (书) does not match the subjects' pattern .雪.",
        "object_pattern": "作者: 白露 (人) does not match the objects' pattern [a-z]+",
    }


def test_one_form_that_fits_is_enough() -> None:
    rules = RelationRules(object_pattern="[a-z]+")
    assert not messages(rules, *[{**BOOK, "object": {"text": name, "type": "人"}} for name in ("ANNA", "anna")])


def test_enclosing_marks_do_not_keep_a_form_from_fitting() -> None:
    assert not messages(RelationRules(subject_pattern="[^《》]+"), BOOK)


@pytest.mark.parametrize(("date", "fits"), [("2010年", True), ("去过很多地方", False)])
def test_values_of_slots(date: str, fits: bool) -> None:
    of_date = SCHEMA[4].rules
    found = messages(RelationRules(), {**BOOK, "qualifiers": {"onDate": {"text": date, "type": "日"}}}, slot=of_date)
    assert found == ({} if fits else {"object_format": f"作者, onDate: {date} (日) is not a valid date"})


def test_what_the_schema_does_not_know() -> None:
    strange = {**BOOK, "qualifiers": {"inArea": {"text": "北京", "type": "地"}}}
    rows = [
        {"triples": [strange, triple(("海", "书"), "出版", ("局", "社")), triple(("雪", "书"), "出版", ("社", "社"))]}
    ]
    found = find_conflicts(graph_of(*rows), Schema([replace(SCHEMA[2]), Relation("书", "作者", "人")]))
    assert [(conflict.kind, len(conflict.edges)) for conflict in found] == [
        (ConflictKind.UNKNOWN_RELATION, 2),
        (ConflictKind.UNKNOWN_SLOT, 1),
    ]
    assert "(书, 出版, 社, @value) is not in the schema" in found[0].message
    assert "(书, 作者, 地, inArea) is not in the schema" in found[1].message


def test_types_that_do_not_tell_relations_apart() -> None:
    schema = Schema([Relation("机构", "成立日期", "Date"), Relation("企业", "成立日期", "Date")])
    (found,) = find_conflicts(graph_of({"triples": [triple(("星河", ""), "成立日期", ("1998年", ""))]}), schema)
    assert "fits 2 relations of the schema" in found.message


def test_a_name_without_a_type() -> None:
    schema = Schema([Relation("", "别名", "", rules=RelationRules(max_objects=1))])
    rows = {"triples": [triple(("a", ""), "别名", (name, "")) for name in ("b", "c")]}
    (found,) = find_conflicts(graph_of(rows), schema)
    assert found.message == "a has 2 objects of 别名, at most 1 expected: b (1 document), c (1 document)"
