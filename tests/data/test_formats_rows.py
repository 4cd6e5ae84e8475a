import codecs
import json

import pytest

from hf_spo.data import ConversionReport, DataFormatError, UnreadableRecord
from hf_spo.data.formats.base import Sample, tally
from hf_spo.data.formats.json_rows import identifier, json_rows, parsed_rows
from hf_spo.data.formats.lines import decoded_lines, encoding_fault, text_lines
from hf_spo.model.fields import FieldError


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "data.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def rows_of(path):
    with path.open("rb") as file:
        yield from json_rows(text_lines(file, str(path)), str(path))


@pytest.mark.parametrize(
    "content",
    [
        '{"a": 1}\n\n{"a": 2}\r\n',
        '\n{"a": 1}\n \n{"a": 2}',
        ' [{"a": 1},\n{"a": 2}] ',
        '\n[{"a": 1},{"a": 2}]',
        '\n{\n"a": 1\n}\n\n{"a":\n2}\n',
    ],
)
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_lines_and_lists(write, content, mark):
    rows = list(rows_of(write(mark + content.encode())))
    assert [row.value for row in rows] == [{"a": 1}, {"a": 2}]


def test_numbers_are_of_lines_or_elements(write):
    assert [row.number for row in rows_of(write('\n{"a": 1}\n\n{}'))] == [2, 4]
    assert [row.number for row in rows_of(write("\n[\n{},\n{}]"))] == [1, 2]


def test_lines_are_streamed(write):
    rows = parsed_rows(write('{"a": 1}\n{'), dict, ConversionReport())
    assert next(rows) == {"a": 1}
    with pytest.raises(DataFormatError, match=r"data\.json:2: not JSON"):
        next(rows)


def raise_a_field_error(row):
    raise FieldError("a", f"wrong: {row['a']}")


def test_wrong_rows_go_to_the_report(write):
    aside = []
    report = ConversionReport(aside.append)
    assert list(parsed_rows(write('[{"a": "雪"}, 3]'), raise_a_field_error, report)) == []
    path = write('[{"a": "雪"}, 3]')
    assert aside == [
        UnreadableRecord(str(path), 1, "wrong: 雪", '{"a": "雪"}', "row", "a"),
        UnreadableRecord(str(path), 2, "expected a JSON object, got int", "3", "row"),
    ]
    assert report.skipped == 2
    assert str(aside[0]) == f"{path}: row 1: a: wrong: 雪"
    with pytest.raises(DataFormatError, match=r"row 1: a: wrong: 雪; correct the row, or pass --skip-bad-lines"):
        list(parsed_rows(path, raise_a_field_error, ConversionReport()))
    assert list(parsed_rows(write('{"a": 1}'), raise_a_field_error, ConversionReport(aside.append))) == []
    assert aside[-1] == UnreadableRecord(str(path), 1, "wrong: 1", '{"a": 1}', field="a")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"a": NaN}', "NaN is not a number in JSON"),
        ('{"a": -Infinity}', "-Infinity is not a number in JSON"),
        ('{"a": ' + "1" * 5000 + "}", "not JSON"),
        ("{" + '"a": {' * 100_000, "nested too deeply"),
        ("3", "expected a JSON object, got int"),
        ("null", "got nothing"),
        (b'{"a": "\xff"}', "not UTF-8: byte 8 of the line is 0xff; save the file as UTF-8"),
        (
            '{"a": "雪国"}'.encode("gb18030"),
            "it reads as GB18030 (GBK); convert the file with iconv -f GB18030 -t UTF-8",
        ),
        ('[{"a": 1}, {"a"', "not a JSON list (Expecting ':' delimiter: line 1 column 16"),
        ('[{"a": 1}] []', "not a JSON list (Extra data"),
        ('[{"a": Infinity}]', "Infinity is not a number in JSON"),
        ("[" * 100_000, "not a JSON list (nested too deeply)"),
        (b'[{"a": "\xff"}]', "not UTF-8: byte 9 of the line is 0xff"),
        (codecs.BOM_UTF16_BE + '[{"a": 1}]'.encode("utf-16-be"), "expected UTF-8, got UTF-16"),
        ('[{"a": 1}]'.encode("utf-16-le"), "convert the file with iconv -f UTF-16 -t UTF-8"),
        ('{"a": 1}'.encode("utf-32"), "got UTF-32"),
        ('{"a": 1}\n'.encode("utf-16-be"), "got UTF-16"),
    ],
)
def test_what_cannot_be_read(write, content, problem):
    with pytest.raises(DataFormatError) as caught:
        list(parsed_rows(write(content), dict, ConversionReport()))
    assert problem in str(caught.value)
    assert len(str(caught.value)) < 300 or "nested" in problem or "not JSON" in problem


def test_encodings_of_a_beginning():
    text = "雪国" * 100
    assert encoding_fault(text.encode()[:-1]) is None
    assert "GB18030" in (encoding_fault(("国雪" * 100).encode("gb18030")[:-1]) or "")
    assert encoding_fault(b"caf\xe9 au lait") == "not UTF-8: byte 4 of the file is 0xe9; save the file as UTF-8"


def test_lines_keep_their_ends(write):
    path = write(codecs.BOM_UTF8 + "a\u2028b\r\nc\x85\n\nd".encode())
    assert list(decoded_lines(path, ConversionReport())) == [(1, "a\u2028b\r\n"), (2, "c\x85\n"), (3, "\n"), (4, "d")]


@pytest.mark.parametrize(("value", "name"), [("a", "a"), (7, "7"), (None, None)])
def test_identifiers(value, name):
    assert identifier({"id": value}) == name


@pytest.mark.parametrize("value", [True, 1.0, [], {}])
def test_what_is_no_identifier(value):
    with pytest.raises(FieldError, match="doc: expected a string or a whole number"):
        identifier({"doc": value}, "doc")


def test_reports_in_words():
    report = ConversionReport()
    assert report.summary() == ""
    report.lose("scores", 1200)
    report.lose("nothing", 0)
    report.lose("identifiers")
    assert report.summary() == "left out: scores (1,200), identifiers (1)"
    report.correct("offsets", 2)
    report.doubt("borders")
    report.doubt("nothing", 0)
    assert (
        report.summary() == "left out: scores (1,200), identifiers (1); corrected: offsets (2); doubtful: borders (1)"
    )
    assert tally({}) == ""


class TestSample:
    def test_the_first_rows(self, write):
        path = write('{"a": \n[]\n{"b": 1}\n' + '{"c": 1}\n' * 50)
        assert Sample(path).rows == [{"b": 1}] + [{"c": 1}] * 50

    def test_a_list(self, write):
        sample = Sample(write(codecs.BOM_UTF8 + b' [ 3 ,\n\t{"a": 1}\r\n,{"b": 2}, {"c"'))
        assert sample.rows == [{"a": 1}, {"b": 2}]

    @pytest.mark.parametrize("form", ["%s", "[%s]"])
    def test_a_row_longer_than_the_head(self, write, form):
        row = {"text": "雪" * 200_000}
        first, second = Sample.growing(write(form % json.dumps(row, ensure_ascii=False)))
        assert (first.rows, second.rows) == ([], [row])

    @pytest.mark.parametrize("content", ["", "雪国", "[", "{", "[" * 100_000])
    def test_no_row(self, write, content):
        assert Sample(write(content)).rows == []

    def test_a_folder(self, tmp_path):
        sample = Sample(tmp_path)
        assert (sample.head, sample.text, sample.rows) == (b"", "", [])
