"""Rows with documents and rows with triples, right and wrong."""

from typing import Any

import pytest

from hf_spo.graph import row_of
from hf_spo.model.schema import Span
from tests.graph.graph_samples import FIRST_ROW, SECOND, mention, triple

FACT = triple(("白露", "人物"), "职业", ("歌手", "Text"), 0.5)


def test_a_document() -> None:
    row = row_of(FIRST_ROW)
    assert (row.document, row.model) == ("news/17", "tiny@abc")
    assert row.text == FIRST_ROW["text"]
    assert [one.predicate for one in row.triples] == ["出生日期", "获奖"]
    assert row.triples[1].qualifiers["inWork"].text == "海边"
    assert row.triples[0].subject.span == Span(0, 3)


def test_a_triple() -> None:
    row = row_of({"id": 7, **FACT, "model": "tiny", "revision": None})
    assert (row.document, row.text, row.model) == ("7", None, "tiny")
    assert [(one.subject.text, one.score) for one in row.triples] == [("白露", 0.5)]


def test_what_may_be_missing() -> None:
    bare = {"subject": {"text": "白露"}, "predicate": "职业", "object": {"text": "歌手", "type": None}, "score": None}
    row = row_of({"triples": [{**bare, "qualifiers": None}]}, "file:1")
    assert row.document == "file:1"
    (found,) = row.triples
    assert (found.subject.span, found.subject.type, found.object.type, found.score) == (None, "", "", None)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"text": "白露"}, 'expected "triples", or "subject", "predicate" and "object"'),
        ({"text": "白露", "spo_list": []}, "convert it with `hf-spo convert`"),
        ({"text": 5, "triples": []}, "text: expected a string, got int"),
        ({"id": 1.5, "triples": []}, "id: expected a string or a whole number, got float"),
        ({"id": True, "triples": []}, "id: expected a string or a whole number, got bool"),
        ({"model": 5, "triples": []}, "model, revision: expected strings, got int"),
        ({"triples": None}, "triples: expected a list, got nothing"),
        ({"triples": ["白露"]}, "triples[0]: expected an object, got str"),
        ({"triples": [FACT, {**FACT, "subject": "白露"}]}, "triples[1].subject: expected a mention such as"),
        ({**FACT, "subject": {"text": "白露", "type": 3}}, "subject.type: expected a string, got int"),
        ({**FACT, "object": {"text": " \n"}}, "object.text: expected some text, got ' \\n'"),
        ({**FACT, "predicate": ""}, "predicate: expected some text, got ''"),
        ({**FACT, "score": "high"}, "score: expected a number, got 'high'"),
        ({**FACT, "score": True}, "score: expected a number, got True"),
        ({**FACT, "score": float("nan")}, "score: expected a number, got nan"),
        ({**FACT, "score": 10**400}, "score: expected a number, got 1000"),
        ({**FACT, "qualifiers": ["onDate"]}, "qualifiers: expected an object of mentions by slot, got list"),
        ({**FACT, "qualifiers": {"onDate": {}}}, "qualifiers.onDate.text: expected some text, got None"),
        ({**FACT, "qualifiers": {" ": {"text": "a"}}}, "qualifiers: expected some text, got ' '"),
        ({**FACT, "subject": {"text": "白露", "start": 2}}, "subject: expected whole numbers"),
        ({**FACT, "subject": {"text": "白露", "start": 2, "end": 1}}, "got 2 and 1"),
        ({**FACT, "subject": {"text": "白露", "start": True, "end": 2}}, "got True and 2"),
        (
            {"text": SECOND, "triples": [{**FACT, "subject": {**mention(SECOND, "演员", "人物"), "text": "白露"}}]},
            "triples[0].subject: text[0:2] is '演员', not '白露'; offsets are code points",
        ),
    ],
)
def test_what_is_wrong_is_named(row: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=r"expected|offsets") as caught:
        row_of(row)
    assert problem in str(caught.value)
