"""Files, folders and stdin of triples."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from hf_spo.graph import BadRow, read_rows, row_of
from hf_spo.support import tables
from tests.graph.graph_samples import FIRST_ROW, SECOND_ROW, triple

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
        ("{", "no JSON"),
        ("[1]", "expected a JSON object, got list"),
        ('{"triples": 3}', "triples: expected a list, got int"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_bad_lines(tmp_path: Path, line: str, problem: str) -> None:
    path = write(tmp_path / "out.jsonl", FIRST_ROW, line, SECOND_ROW)
    with pytest.raises(ValueError, match=r"out\.jsonl:2: .*; mend the row, or pass --skip-bad-lines") as caught:
        list(read_rows(path))
    assert problem in str(caught.value)
    bad: list[BadRow] = []
    assert list(read_rows(path, bad.append)) == list(map(row_of, ROWS))
    assert [(one.path, one.number, one.content) for one in bad] == [(path, 2, line)]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_bytes(b'{"id": "\xff", "triples": []}\n')
    bad: list[BadRow] = []
    assert not list(read_rows(tmp_path / "out.jsonl", bad.append))
    assert bad[0].problem == "no UTF-8: byte 9 of the line is 0xff"
    assert bad[0].content == r'{"id": "\xff", "triples": []}'


def test_a_bad_row_of_parquet(tmp_path: Path) -> None:
    rows = [tables.triple_row(triple(("白露", ""), "职业", (name, ""))) for name in ("歌手", "")]
    path = write_parquet(tmp_path / "a.parquet", rows, tables.TRIPLE)
    bad: list[BadRow] = []
    assert [row.document for row in read_rows(path, bad.append)] == ["a.parquet:1"]
    assert [(one.number, one.problem) for one in bad] == [(2, "object.text: expected some text, got ''")]


def test_parquet_of_something_else(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a\.parquet:1: there is no column 'score'"):
        list(read_rows(tmp_path / "a.parquet"))
    (tmp_path / "b.parquet").write_bytes(b"no such file")
    with pytest.raises(ValueError, match=r"b\.parquet: no Parquet file that can be read"):
        list(read_rows(tmp_path / "b.parquet"))


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder does not exist"):
        list(read_rows(tmp_path / "no such folder"))
    with pytest.raises(FileNotFoundError, match=r"has no part-\*\.jsonl and no part-\*\.parquet"):
        list(read_rows(tmp_path))
