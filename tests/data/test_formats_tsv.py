import pytest

from hf_spo import Mention, Span, Triple
from hf_spo.data import ConversionReport, DataFormatError, read_records
from hf_spo.data.formats.base import Record
from hf_spo.data.formats.registry import detect, find_format

HEADER = "id\ttext\tsubject\tpredicate\tobject"
SONG = "a\t《晚风》由白露演唱\t晚风\t歌手\t白露"


@pytest.fixture
def write(tmp_path):
    def write(*lines, end="\n"):
        path = tmp_path / "table.tsv"
        path.write_bytes((end.join(lines) + end).encode())
        return path

    return write


def facts(record):
    return [(one.subject.text, one.predicate, one.object.text) for one in record.triples]


def test_successive_rows_of_one_text_are_one_record(write):
    path = write(HEADER, SONG, SONG.replace("歌手", "作词"), "b" + SONG[1:], "b\t海边\t\t\t", SONG)
    assert [(one.id, one.text, facts(one)) for one in read_records(path)] == [
        ("a", "《晚风》由白露演唱", [("晚风", "歌手", "白露"), ("晚风", "作词", "白露")]),
        ("b", "《晚风》由白露演唱", [("晚风", "歌手", "白露")]),
        ("b", "海边", []),
        ("a", "《晚风》由白露演唱", [("晚风", "歌手", "白露")]),
    ]


def test_without_identifiers_the_text_tells_records_apart(write):
    path = write("Predicate\t TEXT\tobject\tsubject\tnotes", *["p\t一二\t一\t二\t好"] * 2, "", "p\t三四\t三\t四\t")
    report = ConversionReport()
    first, second = read_records(path, report=report)
    assert (first.id, facts(first)) == (None, [("二", "p", "一")] * 2)
    assert facts(second) == [("四", "p", "三")]
    assert report.lost == {"column 'notes'": 1}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_spreadsheets_quote(write, end):
    path = write(HEADER, '1\t"a ""b""\tc\nd"\t"""b"""\tp\td', end=end)
    (record,) = read_records(path)
    assert record.text == f'a "b"\tc{chr(10)}d'
    assert facts(record) == [('"b"', "p", "d")]


def test_offsets_types_and_scores(write):
    header = f"{HEADER}\tscore\tsubject_start\tsubject_end\tsubject_type"
    path = write(header, f"{SONG}\t1e-2\t 1\t3\t歌曲", f"{SONG}\t\t\t\t")
    (record,) = read_records(path)
    assert record.triples[0] == Triple(Mention("晚风", Span(1, 3), "歌曲"), "歌手", Mention("白露"), score=0.01)
    assert record.triples[1] == Triple(Mention("晚风"), "歌手", Mention("白露"))


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a\t晚风\t晚风\t歌手", "row: expected 8 fields, as the header has, got 4"),
        (SONG + "\t\t\t\t", "got 9"),
        ("a\t晚风\t晚风\t\t白露\t\t\t", "predicate: empty, but there is a subject or an object"),
        (SONG + "\t\t1\t", "subject_end: expected a whole number, got ''; give both offsets or none"),
        (SONG + "\t\t1.5\t3", "subject_start: expected a whole number, got '1.5'"),
        (SONG + "\t\t-1\t3", "subject_start: expected a whole number, got '-1'"),
        (SONG + "\t\t1\t" + "9" * 5000, "subject_end: expected a whole number"),
        (SONG + "\t\t2\t4", "subject: text[2:4] is '风》', not '晚风' (too high by 1)"),
        (SONG + "\thigh\t\t", "score: expected a finite number, got 'high'"),
        (SONG + "\tnan\t\t", "score: expected a finite number"),
        (SONG + "\tinf\t\t", "score: expected a finite number"),
    ],
)
def test_bad_rows(write, row, problem):
    path = write(HEADER + "\tscore\tsubject_start\tsubject_end", SONG + "\t\t\t", row, "b" + SONG[1:] + "\t\t\t")
    with pytest.raises(DataFormatError) as caught:
        list(read_records(path))
    assert str(caught.value).startswith(f"{path}:3: ")
    assert problem in str(caught.value)
    aside = []
    assert [one.id for one in read_records(path, report=ConversionReport(aside.append))] == ["a", "b"]
    assert [(bad.number, bad.content) for bad in aside] == [(3, row)]


def test_quotation_marks_enclose_fields_if_they_do_in_most_rows(write):
    quoted = 'd\t"由白露演唱"\t\t\t'
    rows = ['a\t"《晚风》\t由""白露""演唱"\t晚风\t歌手\t白露', 'b\t"海边\t\t\t', 'c\t"海边" 2\t\t\t', quoted, quoted]
    path = write(HEADER, *rows)
    aside = []
    records = list(read_records(path, report=ConversionReport(aside.append)))
    assert records[0].text == '《晚风》\t由"白露"演唱'
    assert [one.id for one in records] == ["a", "d"]
    assert [(bad.number, bad.content) for bad in aside] == [(3, 'b\t"海边\t\t\t'), (4, 'c\t"海边" 2\t\t\t')]
    assert all("'\\t' expected after '\"'" in bad.problem for bad in aside)


def test_quotation_marks_are_text_if_they_do_not_enclose_fields(write):
    texts = ['"Blue Harbour" is by Anna Lind', '"never closed', "a\rb", 'the "end"']
    path = write(HEADER, *(f"{number}\t{text}\t\t\t" for number, text in enumerate(texts)))
    assert [one.text for one in read_records(path)] == texts


def test_offsets_as_pandas_writes_them(write):
    path = write(HEADER + "\tsubject_start\tsubject_end", SONG + "\t1.0\t3.0")
    (record,) = read_records(path)
    assert record.triples[0].subject.span == Span(1, 3)


def test_a_line_in_another_encoding(write):
    path = write(HEADER, SONG, SONG)
    lines = path.read_bytes().split(b"\n")
    lines[1] = lines[1].decode().encode("gb18030")
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(DataFormatError, match=r":2: not UTF-8.*GB18030"):
        list(read_records(path))
    aside = []
    assert len(list(read_records(path, report=ConversionReport(aside.append)))) == 1
    assert [bad.number for bad in aside] == [2]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("text\tsubject\tpredicate", "no column object"),
        ("text|subject|predicate|object", "no column text, subject, predicate, object; expected tabs, commas"),
        (HEADER + "\tText", "two columns are called text"),
        ('"text" \tsubject', "the header row has no column text, predicate, object"),
    ],
)
def test_headers(write, header, problem):
    with pytest.raises(DataFormatError, match=problem):
        list(read_records(write(header, SONG), "tsv"))


def test_a_header_that_is_no_table_is_not_recognised(write):
    with pytest.raises(DataFormatError, match="as no known format does"):
        detect(write("text|subject|predicate|object"))
    with pytest.raises(DataFormatError, match="as no known format does"):
        detect(write('"text\ttext' + "x" * 200_000))


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_commas_and_semicolons(write, delimiter):
    quoted = f'"《晚风》{delimiter}由""白露""演唱"'
    path = write(
        delimiter.join(("text", "subject", "predicate", "object")), delimiter.join((quoted, "晚风", "歌手", "白露"))
    )
    (record,) = read_records(path)
    assert (record.text, facts(record)) == (f'《晚风》{delimiter}由"白露"演唱', [("晚风", "歌手", "白露")])


def test_a_million_characters(write):
    long = "长" * 1_000_000
    (record,) = read_records(write(HEADER, f"a\t{long}\t\t\t"))
    assert record.text == long


def test_what_is_written(tmp_path):
    path, report = tmp_path / "out.tsv", ConversionReport()
    nameless = Triple(Mention("晚风"), "", Mention("白露"))
    same = Record("晚风", (nameless,))
    form = find_format("tsv")
    assert form.write is not None
    form.write([same, same, Record("晚\r风\ud800", (), (), "x")], path, report)
    assert [(one.id, one.text) for one in read_records(path)] == [(None, "晚风"), ("x", "晚\r风\ufffd")]
    assert report.lost == {
        "triples without a predicate": 2,
        "repetitions of a text, which will read as one": 1,
        "lone surrogates, written as U+FFFD": 1,
    }
