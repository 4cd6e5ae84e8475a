"""Reading documents: each comes out, or what stands in its place does."""

import bz2
import csv
import gzip
import io
import json
import lzma
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_spo.data import DataFormatError, UnreadableRecord
from hf_spo.data.document_readers import read_documents
from hf_spo.data.documents import Columns, Document, Source, SourceFormat, find_sources

LINES = ["《远山的灯》由林小川执导", "a😀b", "", "行一\u2028行二", '"quoted", text']


def read(path, **columns):
    (source,) = find_sources([str(path)])
    return list(read_documents(source, Columns(**columns)))


def texts(items):
    return [item.text for item in items]


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


class TestText:
    def test_a_document_a_line(self, tmp_path):
        path = write(tmp_path / "a.txt", "\n".join(LINES) + "\n")
        items = read(path)
        assert texts(items) == LINES
        assert items[1] == Document(f"{path}:2", "a😀b", str(path))

    def test_line_ends_and_a_byte_order_mark_are_not_text(self, tmp_path):
        assert texts(read(write(tmp_path / "a.txt", b"\xef\xbb\xbf\xe7\x94\xb2\r\nb"))) == ["甲", "b"]

    @pytest.mark.parametrize(
        ("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
    )
    def test_compressed(self, tmp_path, suffix, pack):
        assert texts(read(write(tmp_path / f"a.txt{suffix}", pack("甲\n乙\n".encode())))) == ["甲", "乙"]

    def test_a_line_that_is_no_utf8(self, tmp_path):
        path = write(tmp_path / "a.txt", "甲\n".encode() + "乙\n".encode("gb18030") + "丙\n".encode())
        good, bad, last = read(path)
        assert (good.text, last.text) == ("甲", "丙")
        assert isinstance(bad, UnreadableRecord)
        assert bad.number == 2
        assert "byte 1 of the line is 0xd2" in bad.problem
        assert bad.content == "\\xd2\\xd2"

    def test_utf16_is_named(self, tmp_path):
        with pytest.raises(DataFormatError, match="UTF-16"):
            read(write(tmp_path / "a.txt", "甲\n".encode("utf-16")))

    def test_a_million_characters(self, tmp_path):
        assert texts(read(write(tmp_path / "a.txt", "长" * 1_000_000 + "\n短")))[1] == "短"


class TestGrowing:
    def test_only_what_was_there_when_it_was_found(self, tmp_path):
        path = write(tmp_path / "a.txt", "一\n二\n")
        (source,) = find_sources([str(path)])
        write(path, "一\n二\n三\n")
        assert texts(read_documents(source, Columns())) == ["一", "二"]

    def test_a_line_that_is_being_written_is_left_for_later(self, tmp_path):
        path = write(tmp_path / "a.txt", "一\n二")
        (source,) = find_sources([str(path)])
        assert texts(read_documents(source, Columns())) == ["一", "二"]
        write(path, "一\n二十\n")
        assert texts(read_documents(source, Columns())) == ["一"]


class TestJson:
    def test_lines_with_ids_of_their_own(self, tmp_path):
        rows = [{"text": "甲", "id": "x"}, {"text": "乙", "id": 7}, {"text": "丙"}, {"text": "丁", "id": ""}]
        path = write(tmp_path / "a.jsonl", "\n\n".join(json.dumps(row) for row in rows))
        assert [item.id for item in read(path)] == ["x", 7, f"{path}:5", f"{path}:7"]

    def test_a_list(self, tmp_path):
        path = write(tmp_path / "a.json", json.dumps([{"text": "甲"}, {"text": 3}], indent=2))
        good, bad = read(path)
        assert good.text == "甲"
        assert "expected a string, got int" in bad.problem

    def test_columns_by_name(self, tmp_path):
        path = write(tmp_path / "a.jsonl", '{"body": "甲", "key": "k", "text": "no"}')
        assert read(path, text="body", id="key") == [Document("k", "甲", str(path))]

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            ("[1]", "expected an object, got list"),
            ("{", "not JSON"),
            ("[" * 100_000, "not JSON"),
            ('{"txt": "甲"}', r"--text-column names the field"),
            ('{"text": null}', "expected a string, got nothing"),
            ('{"text": ["甲"]}', "expected a string, got list"),
        ],
    )
    def test_what_is_no_document_does_not_hide_the_others(self, tmp_path, line, problem):
        one, bad, other = read(write(tmp_path / "a.jsonl", f'{{"text": "一"}}\n{line}\n{{"text": "二"}}\n'))
        assert (one.text, other.text) == ("一", "二")
        assert problem in bad.problem
        assert bad.content.startswith(line[:50])

    def test_no_utf8_and_a_missing_id(self, tmp_path):
        path = write(tmp_path / "a.jsonl", b'{"text": "\xff"}\n{"text": "a"}\n')
        assert ["0xff" in bad.problem for bad in read(path)[:1]] == [True]
        assert "key: expected a string or a whole number, got nothing" in read(path, id="key")[1].problem

    def test_a_list_that_is_cut_off(self, tmp_path):
        with pytest.raises(DataFormatError, match="is the file whole"):
            read(write(tmp_path / "a.json", '[{"text": "甲"}, {"te'))


class TestTables:
    def test_csv_as_spreadsheets_write_it(self, tmp_path):
        path = write(tmp_path / "a.csv", '\ufefftext,id\r\n"甲, ""乙""\r\n丙",k\r\n\r\n丁,\r\n')
        first, second = read(path)
        assert (first.id, first.text) == ("k", '甲, "乙"\r\n丙')
        assert (second.id, second.text) == (f"{path}:3", "丁")

    def test_tsv(self, tmp_path):
        assert texts(read(write(tmp_path / "a.tsv", "id\ttext\n1\t甲,乙\n"))) == ["甲,乙"]

    @given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1, max_size=5))
    def test_any_text_comes_through(self, contents):
        file = io.StringIO(newline="")
        csv.writer(file).writerows([["id", "text"], *([str(n), text] for n, text in enumerate(contents))])
        path = Path(self._folder) / "a.csv"
        assert texts(read(write(path, file.getvalue()))) == contents

    @pytest.fixture(autouse=True)
    def _in_a_folder(self, tmp_path_factory):
        type(self)._folder = tmp_path_factory.mktemp("csv")

    def test_a_million_characters(self, tmp_path):
        assert texts(read(write(tmp_path / "a.csv", "text\n" + "长" * 1_000_000 + "\n"))) == ["长" * 1_000_000]

    def test_rows_that_are_none(self, tmp_path):
        path = write(tmp_path / "a.csv", b"text,id\n\xff,1\na,b,c\nlast,2\n")
        encoding, columns, last = read(path)
        assert "not UTF-8" in encoding.problem
        assert "expected 2 columns, got 3" in columns.problem
        assert last.text == "last"

    @pytest.mark.parametrize(
        ("content", "message"),
        [(b"", "is empty"), (b"body\nx\n", "has no column 'text'"), (b"text\na\rb\n", "is no CSV")],
    )
    def test_files_that_are_none(self, tmp_path, content, message):
        with pytest.raises(DataFormatError, match=message):
            read(write(tmp_path / "a.csv", content))

    def test_parquet(self, tmp_path):
        path = tmp_path / "a.parquet"
        pq.write_table(pa.table({"text": ["甲", None], "id": [3, 4], "more": [[1], [2]]}), path)
        good, bad = read(path)
        assert good == Document(3, "甲", str(path))
        assert (bad.id, bad.number) == (4, 2)

    def test_what_is_no_parquet(self, tmp_path):
        with pytest.raises(DataFormatError, match="no Parquet file"):
            read(write(tmp_path / "a.parquet", b"PAR1 not"))
        pq.write_table(pa.table({"body": ["甲"]}), tmp_path / "b.parquet")
        with pytest.raises(DataFormatError, match=r"name one of \['body'\] with --text-column"):
            read(tmp_path / "b.parquet")


class TestHub:
    def test_a_data_set(self, tmp_path):
        write(tmp_path / "train.jsonl", '{"text": "甲", "id": "k"}\n')
        name = f"hub:{tmp_path}"
        source = Source(name, SourceFormat.HUB)
        assert list(read_documents(source, Columns())) == [Document("k", "甲", name)]

    def test_what_is_not_there(self, tmp_path):
        with pytest.raises(DataFormatError, match="cannot be loaded"):
            list(read_documents(Source(f"hub:{tmp_path}/none:dev", SourceFormat.HUB), Columns()))
