"""Rows with documents and rows with triples, and the files, folders and streams that hold them."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from hf_spo.graph import read_rows, row_of
from hf_spo.model.schema import Span
from hf_spo.support import tables
from hf_spo.support.unreadable import UnreadableRecord
from tests.graph.graph_samples import FIRST_ROW, SECOND, SECOND_ROW, mention, triple

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
        ({"model": 5, "triples": []}, "model: expected a string, got int"),
        ({"triples": None}, "triples: expected a list of triples, got nothing"),
        ({"triples": ["白露"]}, "triples[0]: expected an object, got str"),
        ({"triples": [FACT, {**FACT, "subject": "白露"}]}, "triples[1].subject: expected a mention such as"),
        ({**FACT, "subject": {"text": "白露", "type": 3}}, "subject.type: expected a string, got int"),
        ({**FACT, "object": {"text": " \n"}}, "object.text: expected a name, got an empty string"),
        ({**FACT, "predicate": ""}, "predicate: expected a name, got an empty string"),
        ({**FACT, "score": "high"}, "score: expected a number, got str"),
        ({**FACT, "score": True}, "score: expected a number, got bool"),
        ({**FACT, "score": float("nan")}, "score: expected a finite number"),
        ({**FACT, "score": 10**400}, "score: expected a finite number"),
        ({**FACT, "qualifiers": ["onDate"]}, "qualifiers[0]: expected an object, got str"),
        ({**FACT, "qualifiers": {"onDate": {}}}, "qualifiers.onDate.text: expected a string, got nothing"),
        ({**FACT, "qualifiers": {" ": {"text": "a"}}}, "qualifiers: expected a name, got an empty string"),
        ({**FACT, "subject": {"text": "白露", "start": 2}}, "subject.end: expected a whole number, got nothing"),
        ({**FACT, "subject": {"text": "白露", "start": 2, "end": 1}}, "offsets [2:1]: expected 0 <= start"),
        (
            {**FACT, "subject": {"text": "白露", "start": True, "end": 2}},
            "expected a whole number, got bool",
        ),
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


ROWS = [FIRST_ROW, SECOND_ROW]


def write(path: Path, *lines: Any) -> Path:
    """Write JSON lines; strings as they are."""
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    return path


def write_parquet(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> Path:
    about = [pa.field("model", pa.string()), pa.field("revision", pa.string())]
    parquet.write_table(tables.table(rows, pa.schema([*schema, *about])), path)
    return path


def test_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "out.jsonl", "\ufeff" + json.dumps(FIRST_ROW), "", SECOND_ROW, {"triples": []})
    assert list(read_rows(path)) == [*map(row_of, ROWS), row_of({"triples": []}, "out.jsonl:4")]


def test_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"triples": []}\n')))
    assert [row.document for row in read_rows("-")] == ["stdin:1"]


def test_folders_in_the_order_of_their_parts(tmp_path: Path) -> None:
    write(tmp_path / "part-00001.jsonl", SECOND_ROW)
    write(tmp_path / "part-00000.jsonl", FIRST_ROW)
    write(tmp_path / "part-00000.jsonl.bad.jsonl", "no row")
    write(tmp_path / "errors-00000.jsonl", "no row")
    assert list(read_rows(tmp_path)) == list(map(row_of, ROWS))


def test_parquet_with_a_row_a_document(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", [tables.document_row(row) for row in ROWS], tables.DOCUMENT)
    assert list(read_rows(path)) == list(map(row_of, ROWS))


def test_parquet_with_a_row_a_triple(tmp_path: Path) -> None:
    rows = [{**tables.triple_row(one, row["id"]), "model": row.get("model")} for row in ROWS for one in row["triples"]]
    found = list(read_rows(write_parquet(tmp_path / "part-0.parquet", rows, tables.TRIPLE).parent))
    assert [one.triples[0] for one in found] == [one for row in ROWS for one in row_of(row).triples]
    assert [(one.document, one.model) for one in found] == [("news/17", "tiny")] * 2 + [("news/35", "")] * 2


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "not valid JSON"),
        ("[1]", "expected a JSON object, got list"),
        ('{"triples": 3}', "triples: expected a list of triples, got int"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_bad_lines(tmp_path: Path, line: str, problem: str) -> None:
    path = write(tmp_path / "out.jsonl", FIRST_ROW, line, SECOND_ROW)
    with pytest.raises(ValueError, match=r"out\.jsonl:2: .*; correct the line, or pass --skip-bad-lines") as caught:
        list(read_rows(path))
    assert problem in str(caught.value)
    bad: list[UnreadableRecord] = []
    assert list(read_rows(path, bad.append)) == list(map(row_of, ROWS))
    assert [(one.source, one.number, one.content) for one in bad] == [(str(path), 2, line)]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_bytes(b'{"id": "\xff", "triples": []}\n')
    bad: list[UnreadableRecord] = []
    assert not list(read_rows(tmp_path / "out.jsonl", bad.append))
    assert bad[0].problem == "not UTF-8: byte 9 of the line is 0xff"
    assert bad[0].content == r'{"id": "\xff", "triples": []}'


def test_a_bad_row_of_parquet(tmp_path: Path) -> None:
    rows = [tables.triple_row(triple(("白露", ""), "职业", (name, ""))) for name in ("歌手", "")]
    path = write_parquet(tmp_path / "a.parquet", rows, tables.TRIPLE)
    bad: list[UnreadableRecord] = []
    assert [row.document for row in read_rows(path, bad.append)] == ["a.parquet:1"]
    assert [(one.number, one.problem) for one in bad] == [(2, "object.text: expected a name, got an empty string")]


def test_parquet_of_something_else(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a\.parquet: the column 'subject' is missing"):
        list(read_rows(tmp_path / "a.parquet"))
    (tmp_path / "b.parquet").write_bytes(b"no such file")
    with pytest.raises(ValueError, match=r"b\.parquet: not a readable Parquet file"):
        list(read_rows(tmp_path / "b.parquet"))


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder does not exist"):
        list(read_rows(tmp_path / "no such folder"))
    with pytest.raises(FileNotFoundError, match=r"has no part-\*\.jsonl and no part-\*\.parquet"):
        list(read_rows(tmp_path))
