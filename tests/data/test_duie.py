import json

import pytest

from hf_spo import Triple
from hf_spo.data import example_from_duie, read_records
from hf_spo.model.fields import FieldError
from hf_spo.model.schema import Mention

pytestmark = pytest.mark.smoke

FILM = {
    "text": "《雪国》在北京的票房是三千万",
    "spo_list": [
        {
            "predicate": "票房",
            "subject": "雪国",
            "subject_type": "影视作品",
            "object": {"@value": "三千万", "inArea": "北京"},
            "object_type": {"@value": "Number", "inArea": "地点"},
        }
    ],
}
BOOK = {
    "text": "《河边的人》是陈立言的作品",
    "postag": [{"word": "《", "pos": "w"}],
    "spo_list": [
        {
            "predicate": "作者",
            "subject": "河边的人",
            "subject_type": "图书作品",
            "object": "陈立言",
            "object_type": "人物",
        }
    ],
}


def changed(**fields):
    """Return FILM with fields of its only triple changed; None removes one."""
    triple = {name: value for name, value in {**FILM["spo_list"][0], **fields}.items() if value is not None}
    return {**FILM, "spo_list": [triple]}


def test_version_1_has_string_objects_and_columns_that_do_not_matter():
    (triple,) = example_from_duie(BOOK).triples
    assert triple.subject == Mention("河边的人", None, "图书作品")
    assert (triple.predicate, triple.object) == ("作者", Mention("陈立言", None, "人物"))
    assert triple.qualifiers == {}


def test_version_2_has_slots():
    (triple,) = example_from_duie(FILM).triples
    assert triple.object == Mention("三千万", None, "Number")
    assert triple.qualifiers == {"inArea": Mention("北京", None, "地点")}


def test_an_absent_slot_may_be_null_or_empty():
    empty = {"@value": "三千万", "inArea": None, "onDate": ""}
    (triple,) = example_from_duie(changed(object=empty)).triples
    assert triple.qualifiers == {}


def test_a_text_may_have_no_triple():
    assert example_from_duie({"text": "今天天气很好", "spo_list": []}).triples == ()


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"spo_list": []}, "text"),
        ({"text": 5, "spo_list": []}, "text"),
        ({"text": "雪国"}, "spo_list"),
        ({"text": "雪国", "spo_list": {}}, "spo_list"),
        ({"text": "雪国", "spo_list": [FILM["spo_list"][0], "票房"]}, "spo_list[1]"),
        (changed(subject=None), "spo_list[0].subject"),
        (changed(subject_type=7), "spo_list[0].subject_type"),
        (changed(predicate=None), "spo_list[0].predicate"),
        (changed(object=None), "spo_list[0].object"),
        (changed(object=["三千万"]), "spo_list[0].object"),
        (changed(object={"inArea": "北京"}), "spo_list[0].object"),
        (changed(object={"@value": 3000}), "spo_list[0].object.@value"),
        (changed(object={"@value": "三千万", "inArea": {}}), "spo_list[0].object.inArea"),
        (changed(object_type={"@value": "Number"}), "spo_list[0].object_type"),
    ],
)
def test_a_wrong_field_is_named(row, field):
    with pytest.raises(FieldError) as caught:
        example_from_duie(row)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


@pytest.mark.parametrize(
    "entry",
    [["远山的灯", "导演", "林小川"], {"subject": "远山的灯", "predicate": "导演", "object": {"@value": "林小川"}}],
)
def test_entries_without_types(entry, tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps({"text": "《远山的灯》由林小川执导", "spo_list": [entry]}), encoding="utf-8")
    (record,) = read_records(path)
    assert record.triples == (Triple(Mention("远山的灯"), "导演", Mention("林小川")),)
