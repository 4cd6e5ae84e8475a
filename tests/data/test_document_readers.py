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
from hf_spo.data.document_readers import read_documents, read_stdin_lines
from hf_spo.data.documents import Document, ReadOptions, Source, SourceFormat, find_sources
from hf_spo.data.formats.csv_rows import Quoting

LINES = ["《远山的灯》由林小川执导", "a😀b", "", "行一\u2028行二", '"quoted", text']


def read(path, text="text", id=None, **options):  # noqa: A002  # as the field
    (source,) = find_sources([str(path)])
    return list(read_documents(source, ReadOptions(text, id, **options)))


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
        assert texts(read_documents(source, ReadOptions())) == ["一", "二"]

    def test_a_line_that_is_being_written_is_left_for_later(self, tmp_path):
        path = write(tmp_path / "a.txt", "一\n二")
        (source,) = find_sources([str(path)])
        assert texts(read_documents(source, ReadOptions())) == ["一", "二"]
        write(path, "一\n二十\n")
        assert texts(read_documents(source, ReadOptions())) == ["一"]


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
            ("[1]", "expected a JSON object, got list"),
            ("{", "not JSON"),
            ("[" * 100_000, "not JSON"),
            ('{"txt": "甲"}', r"name the field with the text with --text-column"),
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
        with pytest.raises(DataFormatError, match="is the file complete"):
            read(write(tmp_path / "a.json", '[{"text": "甲"}, {"te'))


class TestTables:
    def test_csv_as_spreadsheets_write_it(self, tmp_path):
        path = write(tmp_path / "a.csv", '\ufefftext,id\r\n"甲, ""乙""\r\n丙",k\r\n\r\n丁,\r\n')
        first, second = read(path)
        assert (first.id, first.text) == ("k", '甲, "乙"\r\n丙')
        assert (second.id, second.text) == (f"{path}:2", "丁")

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
        path = write(tmp_path / "a.csv", b"text,id\n\xff,1\na,b,c\na\rb,3\nlast,2\n")
        encoding, columns, line_end, last = read(path)
        assert "not UTF-8" in encoding.problem
        assert "expected 2 columns, got 3" in columns.problem
        assert "new-line character seen in unquoted field" in line_end.problem
        assert last.text == "last"

    @pytest.mark.parametrize(
        ("content", "message"),
        [(b"", "is empty"), (b"body\nx\n", "has no column 'text'")],
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
        with pytest.raises(DataFormatError, match="not a Parquet file, or not complete"):
            read(write(tmp_path / "a.parquet", b"PAR1 not"))
        pq.write_table(pa.table({"body": ["甲"]}), tmp_path / "b.parquet")
        with pytest.raises(DataFormatError, match=r"name one of \['body'\] with --text-column"):
            read(tmp_path / "b.parquet")


class TestHub:
    def test_a_data_set(self, tmp_path):
        write(tmp_path / "train.jsonl", '{"text": "甲", "id": "k"}\n')
        name = f"hub:{tmp_path}"
        source = Source(name, SourceFormat.HUB)
        assert list(read_documents(source, ReadOptions())) == [Document("k", "甲", name)]

    def test_what_is_not_there(self, tmp_path):
        with pytest.raises(DataFormatError, match="cannot be loaded"):
            list(read_documents(Source(f"hub:{tmp_path}/none:dev", SourceFormat.HUB), ReadOptions()))


class TestQuotationMarks:
    ROWS = ('1\t"Blue Harbour" is by Anna', '2\t"never closed', "3\tc", "4\td")

    def test_a_table_with_quotation_marks_as_text(self, tmp_path):
        path = write(tmp_path / "q.tsv", "\n".join(["id\ttext", *self.ROWS]))
        assert texts(read(path)) == ['"Blue Harbour" is by Anna', '"never closed', "c", "d"]

    def test_a_table_with_quoted_fields(self, tmp_path):
        rows = 'id\ttext\n1\t"a ""b""\tc"\n2\td\n3\t"two\nlines"\n'
        assert texts(read(write(tmp_path / "q.tsv", rows))) == ['a "b"\tc', "d", "two\nlines"]

    def test_a_field_without_end_costs_its_line(self, tmp_path):
        path = write(tmp_path / "q.csv", 'id,text\n1,"never closed\n2,b\n3,"c"\n4,"d" e\n5,f\n')
        first, *_, fourth, last = items = read(path)
        assert [getattr(item, "text", None) for item in items] == [None, "b", "c", None, "f"]
        assert (first.number, first.content, fourth.number) == (2, '1,"never closed', 5)
        assert "pass --quoting none" in str(first)
        assert last.id == "5"

    @pytest.mark.parametrize(("quoting", "text"), [("none", '"a"'), ("quoted", "a")])
    def test_what_is_said_holds(self, tmp_path, quoting, text):
        for name, mark in (("q.csv", ","), ("q.tsv", "\t")):
            path = write(tmp_path / name, f'id{mark}text\n1{mark}"a"\n')
            assert texts(read(path, quoting=Quoting(quoting))) == [text]


class TestEncodings:
    def test_another_encoding_is_named(self, tmp_path):
        path = write(tmp_path / "a.txt", "甲乙\n丙\n".encode("gb18030"))
        assert texts(read(path, encoding="gb18030")) == ["甲乙", "丙"]
        assert "or name the encoding with --encoding" in read(path)[0].remedy
        assert texts(read(write(tmp_path / "b.txt", "甲\n乙\n".encode("utf-16")), encoding="utf-16")) == ["甲", "乙"]

    @pytest.mark.parametrize("encoding", ["ascii", "no-such"])
    def test_a_wrong_one_is_refused(self, tmp_path, encoding):
        with pytest.raises(DataFormatError, match=f"not {encoding} .*change --encoding"):
            read(write(tmp_path / "a.txt", "甲\n"), encoding=encoding)

    def test_stdin_is_as_careful_as_a_file(self, monkeypatch):
        def answers(content):
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
            return list(read_stdin_lines(ReadOptions()))

        assert answers("\ufeff甲\r\n乙".encode()) == ["甲", "乙"]
        for encoding in ("gb18030", "utf-16"):
            with pytest.raises(DataFormatError, match=r"iconv.*--encoding"):
                answers("甲乙丙丁\n".encode(encoding))


def test_json_after_blank_lines_and_over_several_lines(tmp_path):
    rows = [{"text": "甲"}, {"text": "乙", "score": float("nan")}]
    for content in ("\n\n" + json.dumps(rows), "\n".join(json.dumps(row, indent=1) for row in rows)):
        assert texts(read(write(tmp_path / "a.json", content))) == ["甲", "乙"]
