import json
from collections import Counter

import pytest

from hf_spo.data.formats.base import ConversionReport, DataFormatError, Record
from hf_spo.data.formats.doccano import FORMAT, write_predictions
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
        (changed("entities", end_offset=99), r"entities\[0\]: offsets \[0:99\] are not within the text"),
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
