import pytest

from hf_spo import Example, Mention, Span, Triple
from hf_spo.data import example_from_row
from hf_spo.model.fields import FieldError
from tests import builders

TEXT = "《雪国》在北京的票房是三千万"


def row(**fields):
    triple = {
        "subject": {"text": "雪国", "start": 1, "end": 3, "type": "影视作品"},
        "predicate": "票房",
        "object": {"text": "三千万", "start": 11, "end": 14, "type": "Number"},
        "qualifiers": {"inArea": {"text": "北京", "start": 5, "end": 7, "type": "地点"}},
        **fields,
    }
    return {"text": TEXT, "triples": [{name: value for name, value in triple.items() if value is not None}]}


@pytest.mark.parametrize("example", builders.EXAMPLES, ids=lambda example: example.text)
def test_round_trip(example):
    assert example_from_row(example.to_dict()) == example


def test_a_scored_triple_round_trips():
    triple = Triple(Mention("雪国", Span(1, 3)), "票房", Mention("三千万"), score=0.5)
    example = Example(TEXT, (triple,))
    assert example_from_row(example.to_dict()) == example


def test_offsets_type_and_qualifiers_may_be_missing():
    bare = {"text": TEXT, "triples": [{"subject": {"text": "雪国"}, "predicate": "票房", "object": {"text": "三千万"}}]}
    (triple,) = example_from_row(bare).triples
    assert triple == Triple(Mention("雪国"), "票房", Mention("三千万"))


def test_offsets_are_code_points():
    text = "😀雪国的票房是三千万"
    mentions = {"subject": {"text": "雪国", "start": 1, "end": 3}, "object": {"text": "三千万"}}
    (triple,) = example_from_row({"text": text, "triples": [{**mentions, "predicate": "票房"}]}).triples
    assert triple.subject.span == Span(1, 3)


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"triples": []}, "text"),
        ({"text": TEXT, "triples": 3}, "triples"),
        ({"text": TEXT, "triples": ["雪国"]}, "triples[0]"),
        (row(subject=None), "triples[0].subject"),
        (row(subject="雪国"), "triples[0].subject"),
        (row(predicate=None), "triples[0].predicate"),
        (row(object={"start": 11, "end": 14}), "triples[0].object.text"),
        (row(object={"text": "三千万", "start": 11}), "triples[0].object.end"),
        (row(object={"text": "三千万", "start": "11", "end": "14"}), "triples[0].object.start"),
        (row(object={"text": "三千万", "start": True, "end": 14}), "triples[0].object.start"),
        (row(object={"text": "三千万", "type": 1}), "triples[0].object.type"),
        (row(subject={"text": "雪国", "start": 2, "end": 4}), "triples[0].subject"),
        (row(subject={"text": "雪国", "start": 3, "end": 1}), "triples[0].subject"),
        (row(subject={"text": "雪国", "start": -13, "end": -11}), "triples[0].subject"),
        (row(subject={"text": "雪国", "start": 1, "end": 99}), "triples[0].subject"),
        (row(qualifiers="北京"), "triples[0].qualifiers"),
        (row(qualifiers=["北京"]), "triples[0].qualifiers[0]"),
        (row(qualifiers=[{"text": "北京"}]), "triples[0].qualifiers[0].slot"),
        (row(qualifiers={"inArea": {"text": "北京", "start": 0, "end": 2}}), "triples[0].qualifiers.inArea"),
        (row(score="high"), "triples[0].score"),
    ],
)
def test_a_wrong_field_is_named(bad, field):
    with pytest.raises(FieldError) as caught:
        example_from_row(bad)
    assert caught.value.field == field


def test_offsets_that_do_not_match_say_what_is_there():
    with pytest.raises(FieldError, match=r"text\[2:4\] is '国》', not '雪国'"):
        example_from_row(row(subject={"text": "雪国", "start": 2, "end": 4}))
