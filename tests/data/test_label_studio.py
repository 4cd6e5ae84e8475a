import json
from collections import Counter
from xml.etree import ElementTree

import pytest

from hf_spo.data.formats.base import ConversionReport, DataFormatError, Record
from hf_spo.data.formats.label_studio import FORMAT, labelling_config, write_predictions
from hf_spo.data.offsets import Unit
from hf_spo.model.schema import Mention, Relation, Schema, Span, Triple
from tests.builders import SCHEMA

TEXT = "😀 Anna Lind filmed\n Blue  Harbour"
ANNA, FILM = Mention("Anna Lind", Span(2, 11), "Person"), Mention("Blue  Harbour", Span(20, 33), "Film")


def region(name, start, end, words, *labels, **more):
    value = {"start": start, "end": end, "labels": list(labels)}
    if words is not None:
        value["text"] = words
    kind = {"type": "labels", "from_name": "label", "to_name": "text", "origin": "manual"}
    return {"id": name, **kind, "value": value, **more}


def relation(head, tail, *labels, direction="right"):
    return {"from_id": head, "to_id": tail, "type": "relation", "direction": direction, "labels": list(labels)}


REGIONS = [region("aX1", 2, 11, "Anna Lind", "Person"), region("bY2", 20, 33, "Blue  Harbour", "Film")]


def annotation(*items, **more):
    return {"id": 8, "result": [*REGIONS, *items], "was_cancelled": False, "ground_truth": False, **more}


def task(*items, **more):
    return {"id": 31, "data": {"text": TEXT}, "annotations": [annotation(*items)], "predictions": [], **more}


def read(tmp_path, *tasks, **settings):
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    report = ConversionReport(**settings)
    return list(FORMAT.read(path, report)), report


def predicates(record):
    return [(triple.subject.text, triple.predicate, triple.object.text) for triple in record.triples]


def test_regions_and_relations_are_triples(tmp_path):
    (record,), report = read(tmp_path, task(relation("bY2", "aX1", "director")))
    assert record == Record(TEXT, (Triple(FILM, "director", ANNA),), (), "31")
    assert not report.lost
    assert not report.corrected


@pytest.mark.parametrize(
    ("items", "expected", "lost"),
    [
        ([relation("aX1", "bY2", "by", direction="left")], [("Blue  Harbour", "by", "Anna Lind")], {}),
        (
            [relation("aX1", "bY2", "with", direction="bi")],
            [("Anna Lind", "with", "Blue  Harbour")],
            {"second directions of relations": 1},
        ),
        (
            [relation("aX1", "bY2", "made", "cut")],
            [("Anna Lind", "made", "Blue  Harbour"), ("Anna Lind", "cut", "Blue  Harbour")],
            {},
        ),
        ([relation("aX1", "bY2")], [], {"relations without a label": 1}),
        ([{"from_id": "aX1", "to_id": "bY2", "type": "relation"}], [], {"relations without a label": 1}),
        ([{"id": "q", "type": "choices", "value": {"choices": ["good"]}}], [], {"answers of type choices": 1}),
        ([{"id": "q", "type": "labels"}], [], {"answers of type labels": 1}),
        (
            [region("c", "/div[1]/text()[1]", "/div[1]/text()[1]", "Anna", "Person"), relation("c", "aX1", "is")],
            [],
            {"entities in HTML": 1, "relations of entities that were lost": 1},
        ),
        (
            [{"id": "aX1", "type": "choices", "value": {"choices": ["x"]}}, relation("aX1", "bY2", "made")],
            [("Anna Lind", "made", "Blue  Harbour")],
            {"answers of type choices": 1},
        ),
        (
            [region("d", 2, 6, "Anna", "Person", "Name", meta={"text": ["sure?"]}), relation("d", "bY2", "made")],
            [("Anna", "made", "Blue  Harbour")],
            {"notes on entities": 1, "further types of entities in relations": 1},
        ),
    ],
)
def test_what_relations_and_regions_may_be(items, expected, lost, tmp_path):
    (record,), report = read(tmp_path, task(*items))
    assert predicates(record) == expected
    assert report.lost == Counter(lost)


def test_several_labels_are_several_entities_and_none_is_one_without_a_type(tmp_path):
    (record,), _ = read(tmp_path, task(region("d", 2, 6, "Anna", "Person", "Name"), region(None, 7, 11, "Lind")))
    assert [(one.text, one.type) for one in record.entities[2:]] == [("Anna", "Person"), ("Anna", "Name"), ("Lind", "")]


@pytest.mark.parametrize(
    ("start", "end", "words", "corrected"),
    [
        (2, 11, None, None),
        (2, 11, "", None),
        (2, 11, "Anna Lind", None),
        (3, 12, "Anna Lind", Unit.UTF16),
        (12, 33, "filmed\\nBlue Harbour", None),
        (12, 33, "filmed Blue Harbour", None),
        (13, 34, "filmed\\n Blue Harbour", Unit.UTF16),
    ],
)
def test_offsets_may_be_those_of_javascript_and_words_those_of_a_browser(start, end, words, corrected, tmp_path):
    (record,), report = read(tmp_path, task(region("d", start, end, words, "X")))
    found = record.entities[-1]
    assert found.text in ("Anna Lind", "filmed\n Blue  Harbour")
    assert TEXT[found.span.start : found.span.end] == found.text
    assert report.corrected == Counter({f"offsets {corrected}": 1} if corrected else {})


def test_other_offsets_are_mended_on_demand_only(tmp_path):
    item = region("d", 2, 10, "Anna Lind", "X")
    with pytest.raises(DataFormatError, match="--mend-offsets"):
        read(tmp_path, task(item))
    (record,), report = read(tmp_path, task(item), correct_offsets=True)
    assert record.entities[-1].span == ANNA.span
    assert sum(report.corrected.values()) == 1


def test_the_latest_annotation_that_was_not_cancelled_counts(tmp_path):
    annotations = [
        annotation(relation("aX1", "bY2", "new"), updated_at="2024-03-02T00:00:00Z", created_at="2024-01-01T00:00:00Z"),
        annotation(relation("aX1", "bY2", "old"), updated_at="2024-03-01T23:59:59Z"),
        annotation(relation("aX1", "bY2", "no"), updated_at="2024-03-05T00:00:00Z", was_cancelled=True),
    ]
    (record,), report = read(tmp_path, {**task(), "annotations": annotations})
    assert [triple.predicate for triple in record.triples] == ["new"]
    assert report.lost == Counter({"cancelled annotations": 1, "annotations of a text besides its latest": 1})


@pytest.mark.parametrize("stamps", [(1609789589, 1609789590), (None, None), ("2024", "2024")])
def test_completions_of_old_versions_are_annotations(stamps, tmp_path):
    first, second = (
        {**annotation(relation("aX1", "bY2", name)), "created_at": stamp}
        for name, stamp in zip(("first", "second"), stamps, strict=True)
    )
    skipped = {**second, "skipped": True}
    (record,), _ = read(tmp_path, {"id": 1, "data": {"text": TEXT}, "completions": [first, second, skipped]})
    assert [triple.predicate for triple in record.triples] == ["second"]


def test_texts_that_nobody_has_annotated_are_no_texts_without_triples(tmp_path):
    cancelled = {**task(), "annotations": [annotation(was_cancelled=True)]}
    predicted = {"data": {"text": TEXT}, "predictions": [{"result": []}], "drafts": [{}], "annotations": []}
    empty = {"data": {"text": TEXT}, "annotations": [{"result": []}]}
    records, report = read(tmp_path, cancelled, predicted, empty)
    assert records == [Record(TEXT)]
    assert report.lost == Counter(
        {"texts that nobody has annotated": 2, "cancelled annotations": 1, "predictions": 1, "drafts": 1}
    )


def test_the_text_may_have_another_name_and_the_task_an_identifier_of_ours(tmp_path):
    (record,), report = read(tmp_path, task(data={"body": TEXT, "year": 1998}, meta={"id": "ours"}))
    assert (record.text, record.id) == (TEXT, "ours")
    assert report.lost == Counter({"further fields of rows": 1})
    assert read(tmp_path, task(meta={}))[0][0].id == "31"


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"id": 1}, 'data: expected an object with the field "text", got nothing'),
        ({"data": {}}, r'data: expected the field "text", or one string; it has \[\]'),
        ({"data": {"title": "a", "body": "b"}}, r"it has \['body', 'title'\]"),
        (task(annotations={}), "annotations: expected a list, got dict"),
        (task(annotations=[{"result": 5}]), r"annotations\[0\].result: expected a list, got int"),
        (task(relation("aX1", "bY2", 5)), r"result\[2\].labels\[0\]: expected a string, got int"),
        (task(region("d", 0, 99, None, "X")), r"result\[2\].value: offsets \[0:99\] are outside the text"),
        (task(region("d", None, 3, None, "X")), r"result\[2\].value.start: expected a whole number, got nothing"),
        (task(region("d", 0, 3, "Zoë", "X")), "there in any form"),
        (task(region("d", -3, 3, "Zoë", "X")), "not in order"),
    ],
)
def test_a_wrong_task_is_named_and_may_be_set_aside(wrong, problem, tmp_path):
    with pytest.raises(DataFormatError, match=problem):
        read(tmp_path, wrong)
    bad = []
    records, _ = read(tmp_path, wrong, task(), on_bad_line=bad.append)
    assert [record.id for record in records] == ["31"]
    assert len(bad) == 1


def test_json_min_is_refused_for_it_has_no_relations(tmp_path):
    row = {"id": 1, "text": TEXT, "label": [], "annotator": 1, "annotation_id": 4, "lead_time": 3.1}
    with pytest.raises(DataFormatError, match="JSON-MIN"):
        read(tmp_path, row)


def test_predictions_open_as_suggestions(tmp_path):
    path = tmp_path / "tasks.json"
    report = ConversionReport()
    triples = (Triple(FILM, "director", ANNA, {}, 0.5), Triple(FILM, "editor", ANNA, {}, 1.0))
    write_predictions([Record(TEXT, triples, (), "a"), Record("x")], path, report, "lite 1")
    first, second = json.loads(path.read_text(encoding="utf-8"))
    assert first["data"] == {"text": TEXT}
    assert first["meta"] == {"id": "a"}
    assert "annotations" not in first
    (prediction,) = first["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("lite 1", 0.0)
    film, anna, director, editor = prediction["result"]
    assert film == {
        "id": "e0",
        "from_name": "label",
        "to_name": "text",
        "type": "labels",
        "value": {"start": 20, "end": 33, "text": "Blue  Harbour", "labels": ["Film"]},
    }
    assert (anna["id"], editor["score"]) == ("e1", 1.0)
    assert director == {
        "from_id": "e0",
        "to_id": "e1",
        "type": "relation",
        "direction": "right",
        "labels": ["director"],
        "score": 0.5,
    }
    assert second["predictions"][0]["score"] == 1.0
    assert not report.lost


def test_the_configuration_has_every_type_and_relation():
    root = ElementTree.fromstring(labelling_config(SCHEMA))
    names = {kind: [one.get("value") for one in root.iter(kind)] for kind in ("Label", "Relation")}
    assert len(names["Label"]) == len(set(names["Label"])) == 12
    assert names["Relation"][-3:] == ["获奖", "获奖@inWork", "获奖@onDate"]
    (labels,), (text,) = root.iter("Labels"), root.iter("Text")
    assert labels.get("toName") == text.get("name") == "text"
    assert text.get("value") == "$text"


def test_names_are_escaped_in_the_configuration():
    root = ElementTree.fromstring(labelling_config(Schema([Relation("<\"&'>", "a\nb", "")])))
    assert [one.get("value") for one in root.iter("Label")] == ["<\"&'>", "_"]
    assert [one.get("value") for one in root.iter("Relation")] == ["a\nb"]
    with pytest.raises(ValueError, match="XML"):
        labelling_config(Schema([Relation("a", "b\x01", "c")]))


@pytest.mark.parametrize(
    "data",
    [
        {"id": "17", "url": "http://x", "Full_Text": TEXT},
        {"text": "a title", "Full_Text": TEXT},
        {"title": "Anna Lind", "Full_Text": TEXT},
        {"title": "Blue Harbour by Anna Lind", "Full_Text": TEXT},
    ],
)
def test_the_text_is_the_column_with_the_words_of_the_regions(data, tmp_path):
    (record,), _ = read(tmp_path, task(relation("bY2", "aX1", "director"), data=data))
    assert record == Record(TEXT, (Triple(FILM, "director", ANNA),), (), "31")


COLUMNS = {"id": "17", "url": "http://x", "Full_Text": TEXT}


@pytest.mark.parametrize("empty", [{"annotations": [{"result": []}]}, {"annotations": []}])
def test_tasks_without_regions_have_the_column_of_the_others(empty, tmp_path):
    first = {"data": {**COLUMNS, "text": "a headline", "Full_Text": "Nothing of note."}, **empty}
    *before, last = read(tmp_path, first, task(relation("bY2", "aX1", "director"), data=COLUMNS))[0]
    assert last.text == TEXT
    assert [one.text for one in before] == ["Nothing of note."] * bool(empty["annotations"])


def test_the_text_column_may_be_given(tmp_path):
    empty = {"data": COLUMNS, "annotations": [{"result": []}]}
    with pytest.raises(DataFormatError, match="convert --text-column names"):
        read(tmp_path, empty)
    assert read(tmp_path, empty, text_column="Full_Text")[0] == [Record(TEXT)]
    with pytest.raises(DataFormatError, match="no text in the column 'body'; its columns are"):
        read(tmp_path, empty, text_column="body")


def test_a_relation_of_a_deleted_region_is_lost_alone(tmp_path):
    (record,), report = read(tmp_path, task(relation("aX1", "gone", "made"), relation("bY2", "aX1", "director")))
    assert [one.predicate for one in record.triples] == ["director"]
    assert report.lost == Counter({"relations of regions that were deleted": 1})


def test_an_end_beyond_the_text(tmp_path):
    row = {"data": {"text": "by Anna Lind"}, "annotations": [{"result": [region("d", 3, 13, "Anna Lind", "X")]}]}
    with pytest.raises(DataFormatError, match="the end is too high by 1"):
        read(tmp_path, row)
    (record,), _ = read(tmp_path, row, correct_offsets=True)
    assert record.entities == (Mention("Anna Lind", Span(3, 12), "X"),)


def test_emoji_and_line_ends_of_two_characters(tmp_path):
    text = "😀\r\nBlue Harbour\r\nby Anna Lind"
    items = [region("a", 3, 15, "Blue Harbour", "F"), region("b", 19, 28, "Anna Lind", "P")]
    row = {"data": {"text": text}, "annotations": [{"result": [*items, relation("a", "b", "by")]}]}
    (record,), report = read(tmp_path, row)
    assert [(one.subject.text, one.object.text) for one in record.triples] == [("Blue Harbour", "Anna Lind")]
    assert report.corrected == Counter({f"offsets {Unit.UTF16}, {Unit.LF}": 1})
