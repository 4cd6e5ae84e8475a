import json
from collections import Counter

import pytest

from hf_spo.data.conversion import convert
from hf_spo.data.formats.base import ConversionReport, DataFormatError, Record
from hf_spo.data.formats.doccano import FORMAT, write_predictions
from hf_spo.data.formats.registry import detect
from hf_spo.model.schema import Mention, Span, Triple

TEXT = "白露在2010年唱了《晚风》"
SINGER, SONG = Mention("白露", Span(0, 2), "人物"), Mention("晚风", Span(11, 13), "歌曲")
RELATIONS = {
    "id": 12,
    "text": TEXT,
    "entities": [
        {"id": 71, "label": "人物", "start_offset": 0, "end_offset": 2},
        {"id": 72, "label": "歌曲", "start_offset": 11, "end_offset": 13},
    ],
    "relations": [{"id": 5, "from_id": 72, "to_id": 71, "type": "歌手"}],
    "Comments": [],
}


def read(tmp_path, *rows, **settings):
    path = tmp_path / "export.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    report = ConversionReport(**settings)
    return list(FORMAT.read(path, report)), report


def changed(name, **fields):
    """Return the row with fields of the first entity or relation changed; None takes one out."""
    first = {key: value for key, value in {**RELATIONS[name][0], **fields}.items() if value is not None}
    return {**RELATIONS, name: [first, *RELATIONS[name][1:]]}


def test_relations_are_triples(tmp_path):
    (record,), report = read(tmp_path, RELATIONS)
    assert record == Record(TEXT, (Triple(SONG, "歌手", SINGER),), (), "12")
    assert not report.lost


@pytest.mark.parametrize(
    ("row", "lost"),
    [
        ({"id": 12, "text": TEXT, "label": [[0, 2, "人物"], [11, 13, "歌曲"]]}, {}),
        ({"id": 12, "data": TEXT, "labels": [[0, 2, "人物"], [11, 13, "歌曲"]]}, {}),
        ({"id": 12, "text": TEXT, "entities": [[0, 2, "人物"], [11, 13, "歌曲"]], "cats": []}, {}),
        ({**RELATIONS, "relations": []}, {}),
        ({name: value for name, value in RELATIONS.items() if name != "relations"}, {}),
        ({**RELATIONS, "relations": None, "comments": ["why?", "so"]}, {"comments": 2}),
        ({**RELATIONS, "relations": [], "meta": {"source": "x"}, "url": ""}, {"further fields of rows": 1}),
        ({**RELATIONS, "relations": [], "cats": ["pos"], "label": ["neg"]}, {"categories of texts": 2}),
    ],
)
def test_other_exports_have_entities(row, lost, tmp_path):
    (record,), report = read(tmp_path, row)
    assert record == Record(TEXT, (), (SINGER, SONG), "12")
    assert report.lost == Counter(lost)


def test_labels_by_number_keep_their_numbers(tmp_path):
    row = {"text": TEXT, "annotations": [{"label": 4, "start_offset": 0, "end_offset": 2, "user": 1}]}
    (record,), report = read(tmp_path, row)
    assert record == Record(TEXT, (), (Mention("白露", Span(0, 2), "4"),))
    assert report.lost == Counter({"names of labels, of which the file has the numbers": 1})


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"id": 1, "entities": []}, "text: expected a string"),
        ({"text": TEXT}, "entities: expected a list of entities, got nothing"),
        ({**RELATIONS, "entities": {}}, "entities: expected a list, got dict"),
        ({**RELATIONS, "entities": [7]}, r"entities\[0\]: expected an object or a list of start, end and label"),
        ({**RELATIONS, "relations": [7]}, r"relations\[0\]: expected an object, got int"),
        (changed("entities", start_offset=None), r"entities\[0\].start_offset: expected a whole number, got nothing"),
        (changed("entities", start_offset=True), r"entities\[0\].start_offset: expected a whole number, got bool"),
        (changed("entities", end_offset=99), r"entities\[0\]: offsets \[0:99\] are outside the text"),
        (changed("entities", end_offset=0), r"offsets \[0:0\]"),
        (changed("entities", label=None), r"entities\[0\].label: expected a string"),
        (changed("entities", id=72), r"entities\[1\].id: 72 is the identifier of something else"),
        (changed("entities", id=[1]), r"entities\[0\].id: expected a string or a whole number"),
        (changed("relations", from_id=5), r"relations\[0\].from_id: expected the identifier of an entity, got 5"),
        (changed("relations", to_id=None), r"relations\[0\].to_id: expected the identifier of an entity, got None"),
        (changed("relations", to_id=[1]), r"relations\[0\].to_id: expected the identifier of an entity"),
        (changed("relations", type=None), r"relations\[0\].type: expected a string"),
        ({**RELATIONS, "id": {}}, "id: expected a string or a whole number"),
    ],
)
def test_a_wrong_row_is_named_and_may_be_set_aside(row, problem, tmp_path):
    with pytest.raises(DataFormatError, match=problem):
        read(tmp_path, RELATIONS, row)
    bad = []
    records, _ = read(tmp_path, row, RELATIONS, on_bad_line=bad.append)
    assert [record.id for record in records] == ["12"]
    assert [line.number for line in bad] == [1]


def test_what_is_written_is_what_doccano_imports(tmp_path):
    path = tmp_path / "out.jsonl"
    records = [Record(TEXT, (Triple(SONG, "歌手", SINGER),), (), "a"), Record(TEXT, (), (SINGER,))]
    FORMAT.write(records, path, ConversionReport())
    first, second = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    assert first == {
        "id": "a",
        "text": TEXT,
        "entities": [
            {"id": 1, "label": "歌曲", "start_offset": 11, "end_offset": 13},
            {"id": 2, "label": "人物", "start_offset": 0, "end_offset": 2},
        ],
        "relations": [{"id": 3, "from_id": 1, "to_id": 2, "type": "歌手"}],
    }
    assert second["entities"][0]["id"] == 4
    assert "id" not in second


def test_predictions_name_their_model_and_their_doubt(tmp_path):
    path = tmp_path / "out.jsonl"
    report = ConversionReport()
    write_predictions([Record(TEXT, (Triple(SONG, "歌手", SINGER, {}, 0.5),)), Record("好")], path, report, "lite 1")
    first, second = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    assert (first["model_version"], first["uncertainty"], second["uncertainty"]) == ("lite 1", 1.0, 0.0)
    assert first["relations"][0]["type"] == "歌手"
    assert report.lost == Counter({"scores of triples": 1})
    with pytest.raises(ValueError, match="no score"):
        write_predictions([Record(TEXT, (Triple(SONG, "歌手", SINGER),))], tmp_path / "no.jsonl", report, "lite 1")
    assert not (tmp_path / "no.jsonl").exists()


DIRECTED = [{"id": 0, "from_id": 0, "to_id": 1, "type": "导演"}]
FILM_TEXT = "《远山的灯》由林小川执导"


def entity(number, start, end, **fields):
    return {"id": number, "label": "X", "start_offset": start, "end_offset": end, **fields}


def test_versions_before_1_7_have_all_under_label(tmp_path):
    label = {"entities": [entity(0, 1, 5), entity(1, 7, 10)], "relations": DIRECTED}
    (record,), _ = read(tmp_path, {"id": 1, "data": FILM_TEXT, "label": label})
    assert [(one.subject.text, one.object.text) for one in record.triples] == [("远山的灯", "林小川")]
    assert detect(tmp_path / "export.jsonl") is FORMAT


def test_words_beside_offsets_are_checked(tmp_path):
    entities = [entity(0, 2, 6, text="远山的灯"), entity(1, 8, 11, text="林小川")]
    row = {"text": FILM_TEXT, "entities": entities, "relations": DIRECTED}
    with pytest.raises(DataFormatError, match=r"not '远山的灯' \(too high by 1\).*--mend-offsets"):
        read(tmp_path, row)
    (record,), _ = read(tmp_path, row, correct_offsets=True)
    assert record.triples[0].subject.span == Span(1, 5)


def test_grapheme_clusters_show_by_words_that_are_torn(tmp_path):
    row = {"text": "🇨🇭\r\nBlue Harbour\r\nby Anna Lind", "entities": [[2, 14, "F"], [18, 27, "P"]], "cats": []}
    with pytest.raises(DataFormatError, match="tear words apart, and fit counted in grapheme clusters; hf-spo convert"):
        read(tmp_path, row)
    (record,), report = read(tmp_path, row, correct_offsets=True)
    assert [one.text for one in record.entities] == ["Blue Harbour", "Anna Lind"]
    assert report.corrected == Counter({"offsets counted in grapheme clusters": 2})


def test_mentions_that_are_torn_in_any_unit_are_doubtful(tmp_path):
    (record,), report = read(tmp_path, {"text": "Blue Harbour", "entities": [[1, 12, "F"]], "cats": []})
    assert record.entities[0].text == "lue Harbour"
    assert report.doubtful == Counter({"mentions that begin or end inside a word": 1})
    done = convert(tmp_path / "export.jsonl", tmp_path / "out.jsonl", source_format="doccano")
    assert done.to_dict()["doubtful"] == dict(report.doubtful)


def test_a_file_is_recognised_by_any_of_its_first_rows(tmp_path):
    path = tmp_path / "export.jsonl"
    path.write_text(json.dumps({"id": 1, "text": "a", "label": []}) + "\n" + json.dumps(RELATIONS) + "\n")
    assert detect(path) is FORMAT
