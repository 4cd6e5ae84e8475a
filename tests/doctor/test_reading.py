import json

import pytest

from hf_spo import Example, Mention, Span, Triple
from hf_spo.data import DataFormatError, read_examples
from hf_spo.doctor.reading import read_as_it_is
from tests import builders


def write(path, *rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def row(subject, value, **more):
    return {
        "text": "《晚风》由白露演唱",
        "triples": [{"subject": subject, "predicate": "歌手", "object": value, **more}],
    }


RIGHT = {"text": "白露", "start": 5, "end": 7}


def test_right_rows_are_read_as_ever(tmp_path):
    path = write(tmp_path / "train.jsonl", *(example.to_dict() for example in builders.EXAMPLES))
    assert list(read_as_it_is(path)) == list(read_examples(path)) == builders.EXAMPLES


def test_wrong_offsets_pass(tmp_path):
    shifted = row(
        {"text": "晚风", "start": 2, "end": 4, "type": "歌曲"},
        RIGHT,
        qualifiers={"onDate": {"text": "1998年", "start": 90, "end": 95}},
        score=0.5,
    )
    path = write(tmp_path / "train.jsonl", shifted)
    with pytest.raises(DataFormatError, match="offsets are code points"):
        list(read_examples(path))
    (example,) = read_as_it_is(path)
    triple = Triple(
        Mention("晚风", Span(2, 4), "歌曲"),
        "歌手",
        Mention("白露", Span(5, 7)),
        {"onDate": Mention("1998年", Span(90, 95))},
        0.5,
    )
    assert example == Example("《晚风》由白露演唱", (triple,))


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "晚风", "start": 4, "end": 2},
        {"text": "晚风", "start": -1, "end": 1},
        {"text": "晚风", "start": "1", "end": "3"},
        {"text": "晚风", "start": 2.5, "end": 4.0},
        {"text": "晚风", "start": True, "end": 3},
        {"text": "晚风", "start": 2},
        {"text": 5, "start": 2, "end": 4},
        {"start": 2, "end": 4},
        "晚风",
    ],
)
def test_what_is_no_span_is_a_bad_line(tmp_path, wrong):
    path = write(tmp_path / "train.jsonl", row(wrong, RIGHT), row({"text": "晚风"}, RIGHT))
    bad = []
    assert len(list(read_as_it_is(path, bad.append))) == 1
    assert [line.number for line in bad] == [1]
    assert "subject" in bad[0].problem
    with pytest.raises(DataFormatError, match=r"train\.jsonl:1"):
        list(read_as_it_is(path))


def test_other_rows_are_bad_lines_as_ever(tmp_path):
    path = write(tmp_path / "train.jsonl", {"text": "晚风"}, {"text": "晚风", "triples": 3}, [], {"triples": []})
    bad = []
    assert list(read_as_it_is(path, bad.append)) == []
    assert [line.number for line in bad] == [1, 2, 3, 4]


def test_some_mentions_may_have_no_offsets(tmp_path):
    path = write(tmp_path / "train.jsonl", row({"text": "晚风", "start": 2, "end": 4}, {"text": "白露"}))
    (example,) = read_as_it_is(path)
    assert example.triples == (Triple(Mention("晚风", Span(2, 4)), "歌手", Mention("白露")),)


def test_other_formats(tmp_path, caplog):
    path = tmp_path / "train.tsv"
    path.write_text("text\tsubject\tpredicate\tobject\tnote\n晚风\t晚\t歌手\t风\t好\n", encoding="utf-8")
    assert list(read_as_it_is(path)) == list(read_as_it_is(path, format="tsv")) == list(read_examples(path))
    assert "left out: column 'note' (1)" in caplog.text
    with pytest.raises(DataFormatError, match=r"train\.tsv:1: not JSON"):
        list(read_as_it_is(path, format="hf-spo"))


def test_losses_are_told(tmp_path, caplog):
    entry = {"Combined": True, "predicate": "p", "subject": "晚", "subject_type": "", "object": "风", "object_type": ""}
    path = write(tmp_path / "train.jsonl", {"text": "晚风", "spo_list": [entry]})
    assert len(list(read_as_it_is(path))) == 1
    assert "train.jsonl: left out: marks of triples across sentences (1)" in caplog.text
