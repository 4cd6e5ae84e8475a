from collections import Counter

import pytest

from hf_spo.data.formats.annotation import Annotation, Link, from_annotation, label, relation_labels, to_annotation
from hf_spo.data.formats.base import ConversionReport, Record
from hf_spo.data.formats.placing import trimmed
from hf_spo.model.schema import Mention, Relation, Schema, Span, Triple
from tests.builders import SCHEMA, mention

TEXT = "《雪国》在北京和上海的票房是三千万"
FILM, PLACE, OTHER, VALUE = (
    mention(TEXT, "雪国", "影视作品"),
    mention(TEXT, "北京", "地点"),
    mention(TEXT, "上海", "地点"),
    mention(TEXT, "三千万", "Number"),
)


def read(entities, *links):
    report = ConversionReport()
    return from_annotation(TEXT, Annotation(entities, [Link(*link) for link in links]), report, "7"), report.lost


def test_a_qualifier_is_a_relation_from_the_object():
    triple = Triple(FILM, "票房", VALUE, {"inArea": PLACE})
    annotation = to_annotation(Record(TEXT, (triple,)), ConversionReport())
    assert list(annotation.entities) == [FILM, VALUE, PLACE]
    assert list(annotation.links) == [Link(0, "票房", 1), Link(1, "票房@inArea", 2)]
    assert read(annotation.entities, (0, "票房", 1), (1, "票房@inArea", 2))[0].triples == (triple,)


def test_such_a_name_elsewhere_is_a_predicate():
    record, lost = read([FILM, VALUE, PLACE], (0, "票房@inArea", 2), (1, "@inArea", 2), (1, "票房@", 2))
    assert [triple.predicate for triple in record.triples] == ["票房@inArea", "@inArea", "票房@"]
    assert not lost


def test_a_qualifier_belongs_to_every_triple_of_its_object_and_predicate():
    entities = [FILM, PLACE, VALUE, OTHER]
    record, _ = read(entities, (0, "票房", 2), (1, "票房", 2), (1, "产量", 2), (2, "票房@inArea", 3))
    assert [dict(triple.qualifiers) for triple in record.triples] == [{"inArea": OTHER}, {"inArea": OTHER}, {}]


def test_one_slot_has_one_value_and_no_qualifiers_of_its_own():
    record, lost = read(
        [FILM, VALUE, PLACE, OTHER],
        (0, "票房", 1),
        (1, "票房@inArea", 2),
        (1, "票房@inArea", 3),
        (2, "票房@inArea@x", 3),
    )
    assert record.triples == (Triple(FILM, "票房", VALUE, {"inArea": PLACE}),)
    assert lost == Counter({"further values of a qualifier": 1, "qualifiers of qualifiers": 1})


def test_entities_in_no_relation_are_kept_once():
    record, lost = read([FILM, VALUE, FILM, PLACE, PLACE], (0, "票房", 1))
    assert record == Record(TEXT, (Triple(FILM, "票房", VALUE),), (PLACE,), "7")
    assert lost == Counter({"entities marked twice": 2})


def test_triples_that_differ_in_qualifiers_have_objects_of_their_own():
    triples = [Triple(FILM, "票房", VALUE, {"inArea": place}) for place in (PLACE, OTHER)]
    report = ConversionReport()
    annotation = to_annotation(Record(TEXT, tuple(triples)), report)
    assert list(annotation.entities).count(VALUE) == 2
    assert from_annotation(TEXT, annotation, report).triples == tuple(triples)
    assert not report.lost


def test_without_twins_such_qualifiers_are_lost_and_counted():
    triples = [Triple(FILM, "票房", VALUE, {"inArea": place}) for place in (PLACE, OTHER)]
    report = ConversionReport()
    annotation = to_annotation(Record(TEXT, (*triples, Triple(FILM, "在", PLACE, {"x": OTHER}))), report, twins=False)
    assert from_annotation(TEXT, annotation, report).triples == (
        Triple(FILM, "票房", VALUE),
        Triple(FILM, "在", PLACE, {"x": OTHER}),
    )
    assert report.lost == Counter({"qualifiers of an object that triples share": 2, "repetitions of triples": 1})


def test_what_cannot_be_marked_is_counted():
    empty = Mention("", Span(1, 1), "x")
    triples = (Triple(FILM, "票房", empty), Triple(FILM, "票房", VALUE, {}, 0.5), Triple(FILM, "票房", VALUE))
    report = ConversionReport()
    annotation = to_annotation(Record(TEXT, triples, (empty, PLACE)), report)
    assert list(annotation.entities) == [FILM, VALUE, PLACE]
    assert report.lost == Counter(
        {"triples with an empty mention": 1, "empty entities": 1, "scores of triples": 1, "repetitions of triples": 1}
    )


def test_scores_stay_where_there_is_a_place_for_them():
    report = ConversionReport()
    annotation = to_annotation(Record(TEXT, (Triple(FILM, "票房", VALUE, {}, 0.5),)), report, scores=True)
    assert annotation.links[0].score == 0.5
    assert from_annotation(TEXT, annotation, report).triples[0].score == 0.5
    assert not report.lost


@pytest.mark.parametrize(
    ("triples", "count"),
    [
        ((Triple(FILM, "票房", VALUE), Triple(VALUE, "票房@inArea", PLACE)), 2),
        ((Triple(FILM, "票房", VALUE, {"in@Area": PLACE}),), 1),
        ((Triple(FILM, "_", VALUE),), 1),
        ((Triple(Mention("雪国", Span(1, 3), "_"), "票房", VALUE),), 1),
    ],
)
def test_names_that_read_as_something_else_are_counted(triples, count):
    report = ConversionReport()
    to_annotation(Record(TEXT, triples), report)
    assert report.lost == Counter({'triples that will read as others, for an "@" or "_" in their names': count})


def test_what_has_no_name_is_shown_as_something():
    assert label("") == "_"
    triple = Triple(Mention("雪国", Span(1, 3)), "", VALUE)
    report = ConversionReport()
    annotation = to_annotation(Record(TEXT, (triple,)), report)
    assert annotation.links[0].name == "_"
    shown = [Mention(one.text, one.span, label(one.type)) for one in annotation.entities]
    assert from_annotation(TEXT, Annotation(shown, annotation.links), report).triples == (triple,)
    assert not report.lost


def test_the_relations_of_a_schema_are_named_as_those_of_a_text():
    assert relation_labels(SCHEMA)[-3:] == ["获奖", "获奖@inWork", "获奖@onDate"]
    assert relation_labels(SCHEMA).count("成立日期") == 1
    assert relation_labels(Schema([Relation("a", "", "b"), Relation("a", "", "c", "when")])) == ["_", "_@when"]


def test_mentions_lose_the_white_space_at_their_ends():
    text = " a b\n "
    whole, blank, right = Mention(text, Span(0, 6)), Mention("\n ", Span(4, 6)), Mention("a", Span(1, 2))
    report = ConversionReport()
    found = trimmed(Record(text, (Triple(whole, "p", right, {"s": blank}),), (whole,)), report)
    assert found.triples[0].subject == found.entities[0] == Mention("a b", Span(1, 4))
    assert found.triples[0].object == right
    assert found.triples[0].qualifiers["s"].text == ""
    assert report.corrected == Counter({"white space at the ends of mentions": 3})
