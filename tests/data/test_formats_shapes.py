"""Rows of JSON as data sets publish them."""

import json
from pathlib import Path

import pytest

from hf_spo import Mention, Span, Triple
from hf_spo.data import ConversionReport, DataFormatError, example_from_row, find_format, read_records
from hf_spo.data.formats.base import Record
from hf_spo.data.formats.registry import detect

TEXT = "Anna Lind directed Blue Harbour ."
LIND, HARBOUR = Mention("Anna Lind", Span(0, 9)), Mention("Blue Harbour", Span(19, 31))
CASREL = {"text": TEXT, "triple_list": [["Anna Lind", "directed", "Blue Harbour"]]}
TPLINKER = {
    "id": "valid_0",
    "text": TEXT,
    "relation_list": [
        {
            "subject": "Anna Lind",
            "object": "Blue Harbour",
            "subj_char_span": [0, 9],
            "obj_char_span": [19, 31],
            "subj_tok_span": [0, 2],
            "obj_tok_span": [3, 5],
            "predicate": "directed",
        }
    ],
    "entity_list": [
        {"text": "Anna Lind", "type": "PER", "char_span": [0, 9], "tok_span": [0, 2]},
        {"text": "Blue Harbour", "type": "DEFAULT", "char_span": [19, 31]},
        {"text": "Blue", "type": "COLOUR", "char_span": [19, 23]},
    ],
}


def dump(path: Path, rows: list[object], whole: bool = False) -> Path:
    content = json.dumps(rows, indent=1) if whole else "".join(json.dumps(row) + "\n" for row in rows)
    path.write_text(content, encoding="utf-8")
    return path


def write(name: str, records: list[Record], path: Path, report: ConversionReport | None = None) -> Path:
    form = find_format(name)
    assert form.write is not None
    form.write(iter(records), path, report or ConversionReport())
    return path


@pytest.mark.parametrize("whole", [True, False])
def test_casrel(tmp_path, whole):
    path = dump(tmp_path / "train.json", [CASREL, {"text": "", "triple_list": []}], whole)
    assert detect(path).name == "casrel"
    first, second = read_records(path)
    assert first == Record(TEXT, (Triple(Mention("Anna Lind"), "directed", Mention("Blue Harbour")),))
    assert second == Record("")


@pytest.mark.parametrize(
    ("triple", "problem"),
    [
        (["a", "b"], r"triple_list\[0\]: expected three strings, subject, predicate and object; got 2 values"),
        (["a", "b", None], "expected three strings"),
        ("abc", "got str"),
        ({"subject": "a"}, "got dict"),
    ],
)
def test_triples_that_are_no_three_words(tmp_path, triple, problem):
    path = dump(tmp_path / "train.json", [{"text": "a", "triple_list": [triple]}])
    with pytest.raises(DataFormatError, match=problem):
        list(read_records(path))


def test_tplinker_with_spans(tmp_path):
    path = dump(tmp_path / "train.json", [TPLINKER], True)
    assert detect(path).name == "tplinker"
    (record,) = read_records(path)
    lind = Mention("Anna Lind", Span(0, 9), "PER")
    blue = Mention("Blue", Span(19, 23), "COLOUR")
    assert record == Record(TEXT, (Triple(lind, "directed", HARBOUR),), (blue,), "valid_0")


def test_tplinker_without_spans(tmp_path):
    bare = {"subject": "Anna Lind", "object": "Blue Harbour", "predicate": "directed"}
    typed = [{"text": "Anna Lind", "type": "PER"}]
    path = dump(tmp_path / "raw.json", [{"text": TEXT, "relation_list": [bare], "entity_list": typed}])
    (record,) = read_records(path)
    assert record.triples == (Triple(Mention("Anna Lind", type="PER"), "directed", Mention("Blue Harbour")),)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"subj_char_span": [1, 10]}, r"relation_list\[0\]\.subject: text\[1:10\] is 'nna Lind .*too high by 1"),
        ({"subj_char_span": [0]}, r"relation_list\[0\]\.subj_char_span: expected two whole numbers, got list \[0\]"),
        ({"obj_char_span": [19.0, 31]}, "expected two whole numbers"),
        ({"obj_char_span": {}}, "expected two whole numbers, got dict"),
        ({"object": None}, r"relation_list\[0\]\.object: expected a string, got nothing"),
        ({"predicate": 3}, "predicate: expected a string, got int"),
    ],
)
def test_broken_tplinker(tmp_path, change, problem):
    row = {**TPLINKER, "relation_list": [{**TPLINKER["relation_list"][0], **change}]}
    with pytest.raises(DataFormatError, match=problem):
        list(read_records(dump(tmp_path / "a.json", [row])))


def test_offsets_are_mended_on_demand(tmp_path):
    relation = {**TPLINKER["relation_list"][0], "subj_char_span": [1, 10]}
    report = ConversionReport(correct_offsets=True)
    (record,) = read_records(dump(tmp_path / "a.json", [{**TPLINKER, "relation_list": [relation]}]), None, report)
    assert record.triples[0].subject.span == Span(0, 9)
    assert report.corrected == {"offsets where too high by 1": 1}


def test_a_mention_of_two_types_for_tplinker(tmp_path):
    two = (Triple(LIND, "directed", HARBOUR), Triple(Mention("Anna Lind", Span(0, 9), "PER"), "saw", HARBOUR))
    report = ConversionReport()
    path = write("tplinker", [Record(TEXT, two)], tmp_path / "out.json", report)
    assert report.lost == {"further types of a mention": 1}
    (found,) = read_records(path)
    assert {one.subject.type for one in found.triples} == {""}


CMEIE = {
    "text": "白内障@患者视力下降。应当手术。",
    "spo_list": [
        {
            "Combined": True,
            "predicate": "手术治疗",
            "subject": "白内障",
            "subject_type": "疾病",
            "object": {"@value": "手术"},
            "object_type": {"@value": "手术治疗"},
        },
        {
            "Combined": False,
            "predicate": "临床表现",
            "subject": "白内障",
            "subject_type": "疾病",
            "object": {"@value": "视力下降"},
            "object_type": {"@value": "症状"},
        },
    ],
}


def test_cmeie(tmp_path):
    path = dump(tmp_path / "train.jsonl", [{"text": "无", "spo_list": []}, CMEIE])
    assert detect(path).name == "cmeie"
    report = ConversionReport()
    records = list(read_records(path, report=report))
    assert report.lost == {"marks of triples across sentences": 1}
    again = write("cmeie", records, tmp_path / "again.jsonl")
    assert json.loads(again.read_text(encoding="utf-8").splitlines()[1]) == CMEIE


def test_a_triple_that_is_not_in_the_text_is_across_no_sentences(tmp_path):
    record = Record("没有。", (Triple(Mention("白内障"), "手术治疗", Mention("手术")),))
    path = write("cmeie", [record], tmp_path / "out.jsonl")
    assert json.loads(path.read_text(encoding="utf-8"))["spo_list"][0]["Combined"] is False


def test_duie_1_is_told_by_the_first_triple(tmp_path):
    entry = {"predicate": "p", "subject": "雪", "subject_type": "", "object": "国", "object_type": ""}
    rows = [{"text": "无", "spo_list": []}, {"text": "雪国", "spo_list": [entry]}]
    assert detect(dump(tmp_path / "a.json", rows)).name == "duie1"
    assert detect(dump(tmp_path / "a.json", rows[:1])).name == "duie2"


def test_entities_of_our_own_rows(tmp_path):
    row = {"id": 7, "text": "雪国", "triples": [], "entities": [{"text": "雪", "start": 0, "end": 1, "type": "物"}]}
    (record,) = read_records(dump(tmp_path / "a.jsonl", [row]))
    assert record == Record("雪国", (), (Mention("雪", Span(0, 1), "物"),), "7")
    with pytest.raises(DataFormatError, match=r"entities: expected a list of mentions, got dict"):
        list(read_records(dump(tmp_path / "a.jsonl", [{**row, "entities": {}}])))
    triple = {"subject": {"text": "雪"}, "predicate": "p", "object": {"text": "国"}, "score": 10**400}
    with pytest.raises(DataFormatError, match=r"triples\[0\]\.score: expected a finite number"):
        list(read_records(dump(tmp_path / "a.jsonl", [{**row, "triples": [triple]}])))


def test_the_shapes_may_stand_in_one_file_unless_one_is_named(tmp_path):
    path = dump(tmp_path / "mixed.jsonl", [CASREL, TPLINKER, CMEIE, {"text": "a", "triples": []}])
    assert [len(record.triples) for record in read_records(path)] == [1, 1, 2, 0]
    with pytest.raises(DataFormatError, match=r"mixed\.jsonl:2: triple_list: expected a list"):
        list(read_records(path, "casrel"))


def test_nulls_of_tables_do_not_choose_the_shape():
    row = {"triples": None, "spo_list": None, **CASREL}
    assert len(example_from_row(row).triples) == 1
    with pytest.raises(ValueError, match="spo_list: expected a list, got nothing"):
        example_from_row({"text": "a", "spo_list": None})
