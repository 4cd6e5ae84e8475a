import json
from collections import Counter

import pytest

from hf_spo.data.formats.base import ConversionReport, DataFormatError, Record
from hf_spo.data.formats.prodigy import FORMAT
from hf_spo.data.formats.registry import detect
from hf_spo.model.schema import Mention, Span, Triple

TEXT = "Anna Lind filmed Blue"
ANNA, FILM = Mention("Anna Lind", Span(0, 9), "Person"), Mention("Blue", Span(17, 21), "Film")
HEAD = {"start": 17, "end": 21, "token_start": 3, "token_end": 3, "label": "Film"}
CHILD = {"start": 0, "end": 9, "token_start": 0, "token_end": 1, "label": "Person"}
RELATION = {"head": 3, "child": 1, "head_span": HEAD, "child_span": CHILD, "color": "#fff", "label": "director"}
ROW = {
    "text": TEXT,
    "tokens": [{"text": "Anna", "start": 0, "end": 4, "id": 0, "ws": True, "disabled": False}],
    "spans": [{**CHILD, "text": "Anna Lind", "type": "span"}, HEAD],
    "relations": [RELATION],
    "answer": "accept",
    "_input_hash": -5,
    "_timestamp": 7,
}


def read(tmp_path, *rows, **settings):
    path = tmp_path / "export.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    report = ConversionReport(**settings)
    return list(FORMAT.read(path, report)), report


@pytest.mark.parametrize("missing", [(), ("head_span", "child_span"), ("color",)])
def test_the_head_of_a_relation_is_the_subject(missing, tmp_path):
    relation = {name: value for name, value in RELATION.items() if name not in missing}
    (record,), report = read(tmp_path, {**ROW, "relations": [relation]})
    assert record == Record(TEXT, (Triple(FILM, "director", ANNA),))
    assert not report.lost


def test_a_relation_may_lead_to_a_token_that_is_no_span(tmp_path):
    token = {"start": 10, "end": 16, "token_start": 2, "token_end": 2, "label": None}
    (record,), _ = read(tmp_path, {**ROW, "relations": [{**RELATION, "child": 2, "child_span": token}]})
    assert record.triples == (Triple(FILM, "director", Mention("filmed", Span(10, 16))),)
    assert record.entities == (ANNA,)


@pytest.mark.parametrize(
    ("fields", "lost"),
    [
        ({"relations": [{**RELATION, "label": None}]}, {"relations without a label": 1}),
        ({"meta": {"id": "7", "source": "x"}}, {"further fields of rows": 1}),
        ({"options": [1], "_view_id": "relations", "html": ""}, {"further fields of rows": 1}),
        ({"spans": [HEAD, HEAD, CHILD]}, {"entities marked twice": 1}),
    ],
)
def test_what_triples_cannot_hold_is_counted(fields, lost, tmp_path):
    records, report = read(tmp_path, {**ROW, **fields})
    assert len(records) == 1
    assert report.lost == Counter(lost)


def test_spans_may_have_no_tokens(tmp_path):
    (record,), _ = read(tmp_path, {"text": TEXT, "spans": [{"start": 0, "end": 9, "label": "Person"}]})
    assert record.entities == (ANNA,)


def test_only_what_was_accepted_is_read(tmp_path):
    answers = [{**ROW, "answer": answer} for answer in ("reject", "ignore", "accept")]
    records, report = read(tmp_path, *answers, {"text": "x", "spans": []})
    assert [record.text for record in records] == [TEXT, "x"]
    assert report.lost == Counter({"texts with the answer reject": 1, "texts with the answer ignore": 1})


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"text": None}, "text: expected a string"),
        ({"spans": 5}, "spans: expected a list, got int"),
        ({"spans": [{**HEAD, "end": 99}]}, r"spans\[0\]: offsets \[17:99\] are outside the text"),
        ({"spans": [{**HEAD, "text": "Red"}]}, r"spans\[0\]: text\[17:21\] is 'Blue', not 'Red'"),
        ({"spans": [{**HEAD, "label": 5}]}, r"spans\[0\].label: expected a string"),
        ({"spans": [{**HEAD, "token_end": "3"}]}, r"spans\[0\].token_end: expected a whole number"),
        ({"relations": [{"head": 3, "child": 9, "label": "x"}]}, r"relations\[0\].child: no span ends with token 9"),
        ({"relations": [{"child": 3, "label": "x"}]}, r"relations\[0\].head: expected a whole number"),
        ({"relations": [{**RELATION, "label": 5}]}, r"relations\[0\].label: expected a string"),
        ({"meta": {"id": []}}, "id: expected a string or a whole number"),
    ],
)
def test_a_wrong_row_is_named_and_may_be_set_aside(fields, problem, tmp_path):
    with pytest.raises(DataFormatError, match=problem):
        read(tmp_path, {**ROW, **fields})
    bad = []
    records, _ = read(tmp_path, {**ROW, **fields}, ROW, on_bad_line=bad.append)
    assert (len(records), len(bad)) == (1, 1)


def test_what_is_written_has_tokens_that_fit_the_spans(tmp_path):
    path = tmp_path / "out.jsonl"
    FORMAT.write([Record(TEXT, (Triple(FILM, "director", ANNA),), (), "a")], path, ConversionReport())
    row = json.loads(path.read_text(encoding="utf-8"))
    assert "".join(token["text"] + " " * token["ws"] for token in row["tokens"]) == TEXT
    assert [token["id"] for token in row["tokens"]] == [0, 1, 2, 3]
    (relation,) = row["relations"]
    assert (relation["head"], relation["child"], relation["label"]) == (3, 1, "director")
    assert relation["head_span"] == {**HEAD, "text": "Blue"}
    assert row["spans"][1] == {**CHILD, "text": "Anna Lind"}
    assert row["meta"] == {"id": "a"}


def test_rejected_rows_may_come_first(tmp_path):
    path = tmp_path / "export.jsonl"
    path.write_text(json.dumps({"text": "a", "answer": "reject"}) + "\n" + json.dumps(ROW) + "\n")
    assert detect(path) is FORMAT
