from collections import Counter

import pytest

from hf_spo.data import read_records
from hf_spo.data.formats.base import ConversionReport, DataFormatError, Record, Sample
from hf_spo.data.formats.brat import FORMAT
from hf_spo.model.schema import Mention, Span, Triple

TEXT = "Anna Lind\nfilmed 😀 Blue\nHarbour"
ANNA, FILM = Mention("Anna Lind", Span(0, 9), "Person"), Mention("Blue\nHarbour", Span(19, 31), "Film")
LINES = "T1\tPerson 0 9\tAnna Lind\nT2\tFilm 19 23;24 31\tBlue Harbour\nR1\tdirector Arg1:T2 Arg2:T1\n"


def folder(tmp_path, content=LINES, text=TEXT, name="d"):
    for suffix, part in ((".txt", text), (".ann", content)):
        data = part if isinstance(part, bytes) else part.encode()
        (tmp_path / f"{name}{suffix}").write_bytes(data)
    return tmp_path


def read(path, **settings):
    report = ConversionReport(**settings)
    return list(FORMAT.read(path, report)), report


@pytest.mark.parametrize(
    "content",
    [
        LINES,
        LINES.replace("\n", "\r\n"),
        "\ufeff" + LINES,
        "".join(reversed(LINES.splitlines(keepends=True))),
        LINES.replace("\tAnna Lind", ""),
        LINES.replace("Blue Harbour", "BlueHarbour"),
        LINES.replace("Anna Lind", "Anna Lind\tsure?"),
        LINES.replace("Arg2:T1", "Arg2:T1\t"),
        LINES.replace("Arg1:T2 Arg2:T1", "Arg2:T1 Arg1:T2"),
        LINES.replace("Arg1:T2 Arg2:T1", "Work:T2 By:T1"),
        LINES.replace("Film 19 23;24 31", "Film 19 31").replace("Blue Harbour", ""),
    ],
)
def test_entities_and_relations_are_triples(content, tmp_path):
    records, report = read(folder(tmp_path, content))
    assert records == [Record(TEXT, (Triple(FILM, "director", ANNA),), (), "d")]
    assert not report.lost


@pytest.mark.parametrize(
    ("text", "expected", "start"),
    [
        ("Anna\r\nLind\r\nhere", "Anna\r\nLind\r\nhere", 12),
        ("Anna\r\nLind\r\nhere", "Anna\nLind\nhere", 10),
        ("\ufeffAnna\nhere", "Anna\nhere", 5),
        ("\ufeffAnna\nhere", "\ufeffAnna\nhere", 6),
        ("\ufeffAnna\r\nLind\r\nhere", "\ufeffAnna\nLind\nhere", 11),
    ],
)
def test_offsets_say_how_line_ends_and_marks_were_counted(text, expected, start, tmp_path):
    (record,), _ = read(folder(tmp_path, f"T1\tX {start} {start + 4}\there\n", text))
    assert record.text == expected
    assert record.entities == (Mention("here", Span(start, start + 4), "X"),)


@pytest.mark.parametrize(
    ("line", "lost"),
    [
        ("E1\tFilming:T1 By:T2\n", {"events": 1}),
        ("A1\tNegation T1\nM1\tNegation T1\n", {"attributes": 2}),
        ("N1\tReference T1 Wiki:1\tAnna\n", {"normalisations": 1}),
        ("#1\tAnnotatorNotes T1\tsure?\n", {"notes": 1}),
        ("*\tEquiv T1 T2\n", {"equivalences": 1}),
        ("R2\tcauses Arg1:E1 Arg2:T1\n", {"relations of events": 1}),
        ("R2\tcast A:T1 B:T2 C:T1\n", {"relations of more than two": 1}),
        (
            "T3\tX 0 4;10 16\tAnna filmed\nR2\tx Arg1:T3 Arg2:T1\n",
            {"discontinuous entities": 1, "relations of discontinuous entities": 1},
        ),
        ("\n  \n", {}),
    ],
)
def test_what_triples_cannot_hold_is_counted(line, lost, tmp_path):
    records, report = read(folder(tmp_path, LINES + line))
    assert records == [Record(TEXT, (Triple(FILM, "director", ANNA),), (), "d")]
    assert report.lost == Counter(lost)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("T3 X 0 4\tAnna", "expected identifier, tab, type"),
        ("T3\tX 0\tAnna", "expected identifier, tab, type"),
        ("T3\tX 4 4\t", "offsets"),
        ("T3\tX 0 400", r"offsets \[0:400\] are outside the text"),
        ("T3\tX 0 4\tZoë", "there in any form"),
        ("T3\tX 0 4;2 6\tAnna na", "not in order, or overlap"),
        ("T3\tX 0 4;5 9\tZoë Müller", "the fragments are not 'Zoë Müller'"),
        ("T1\tX 0 4\tAnna", "T1 is the identifier of two entities"),
        ("R2\tx Arg1:T1", "expected identifier, tab, type and two arguments"),
        ("R2\tx Arg1:T1 Arg2:T9", "there is no entity T9"),
        ("hello", "expected an annotation of brat"),
    ],
)
def test_a_wrong_line_is_named_and_its_document_may_be_set_aside(line, problem, tmp_path):
    folder(tmp_path, LINES + line + "\n")
    with pytest.raises(DataFormatError, match=problem) as caught:
        read(tmp_path)
    assert "d.ann:4" in str(caught.value)
    folder(tmp_path, name="e")
    bad = []
    records, _ = read(tmp_path, on_bad_line=bad.append)
    assert [record.id for record in records] == ["e"]
    assert [(one.source.rpartition("/")[2], one.number, one.content) for one in bad] == [("d.ann", 4, line)]


def test_offsets_of_another_unit_are_mended_on_demand(tmp_path):
    folder(tmp_path, "T1\tX 20 24\tBlue\n")  # the emoji counted as two
    with pytest.raises(DataFormatError, match="UTF-16"):
        read(tmp_path)
    (record,), report = read(tmp_path, correct_offsets=True)
    assert record.entities == (Mention("Blue", Span(19, 23), "X"),)
    assert sum(report.corrected.values()) == 1


@pytest.mark.parametrize(
    ("content", "text", "problem"),
    [
        (LINES, "今天".encode("gb18030"), "GB18030"),
        ("T1\tX 0 1\t今".encode("gb18030"), "今天", "its text or annotations: "),
        (LINES, "今天".encode()[:-1], "the last character is cut off"),
        (LINES, "Anna".encode("utf-16"), "UTF-16"),
    ],
)
def test_files_that_are_no_utf_8_are_named(content, text, problem, tmp_path):
    with pytest.raises(DataFormatError, match=problem):
        read(folder(tmp_path, content, text))


def test_a_folder_may_have_folders_and_texts_without_annotations(tmp_path):
    (tmp_path / "b").mkdir()
    folder(tmp_path / "b", name="x.y")
    folder(tmp_path, "", name="a")
    (tmp_path / "none.txt").write_text("not annotated", encoding="utf-8")
    (tmp_path / "annotation.conf").write_text("[entities]\n", encoding="utf-8")
    records, report = read(tmp_path)
    assert [(record.id, len(record.triples)) for record in records] == [("a", 0), ("b/x.y", 1)]
    assert report.lost == Counter({"texts without an .ann file": 1})


def test_annotations_without_their_text_are_bad(tmp_path):
    folder(tmp_path)
    (tmp_path / "z.ann").write_text("", encoding="utf-8")
    with pytest.raises(DataFormatError, match=r"z\.ann: document 2: its text z\.txt is missing"):
        read(tmp_path)


def test_one_pair_may_be_named_by_either_file(tmp_path):
    folder(tmp_path)
    folder(tmp_path, "", name="other")
    for name in ("d.txt", "d.ann"):
        assert [record.id for record in read(tmp_path / name)[0]] == ["d"]
        assert FORMAT.recognise(Sample(tmp_path / name))
    (tmp_path / "d.ann").unlink()
    assert not FORMAT.recognise(Sample(tmp_path / "d.txt"))
    with pytest.raises(FileNotFoundError, match=r"d\.ann"):
        read(tmp_path / "d.txt")


def test_a_folder_without_texts_is_none_of_brat(tmp_path):
    assert not FORMAT.recognise(Sample(tmp_path))
    with pytest.raises(DataFormatError, match=r"no \.txt file"):
        read(tmp_path)


def written(tmp_path, *records):
    report = ConversionReport()
    FORMAT.write(records, tmp_path / "out", report)
    return tmp_path / "out", report


def test_what_is_written_is_what_brat_writes(tmp_path):
    path, report = written(tmp_path, Record(TEXT, (Triple(FILM, "director", ANNA),), (), "d"))
    assert (path / "d.txt").read_bytes() == TEXT.encode()
    assert (path / "d.ann").read_text(encoding="utf-8") == (
        "T1\tFilm 19 23;24 31\tBlue Harbour\nT2\tPerson 0 9\tAnna Lind\nR1\tdirector Arg1:T1 Arg2:T2\n"
    )
    assert (path / "annotation.conf").read_text(encoding="utf-8") == (
        "[entities]\nFilm\nPerson\n[relations]\ndirector\tArg1:Film, Arg2:Person\n[events]\n[attributes]\n"
    )
    assert not report.lost


def test_line_ends_and_tabs_stay_as_they_are(tmp_path):
    text = "a\r\n \r\n b\tc\n"
    record = Record(text, (), (Mention("a\r\n \r\n b\tc", Span(0, 10), "X"),), "d")
    path, report = written(tmp_path, record)
    assert (path / "d.ann").read_text(encoding="utf-8") == "T1\tX 0 1;7 8;9 10\ta b c\n"
    assert read(path)[0] == [record]
    assert not report.lost


HOSTILE = [
    "../../x",
    "/etc/x",
    "a/b",
    ".hidden",
    "..",
    "",
    " x",
    "x.",
    "CON",
    "nul.txt",
    "a\0b",
    "a\nb",
    "长" * 90,
    "a:b",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_identifiers_that_are_no_file_names_stay_in_the_folder(name, tmp_path):
    path, report = written(tmp_path, Record(TEXT, (), (ANNA,), name))
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]
    assert sorted(file.name for file in path.iterdir()) == ["annotation.conf", "text-000001.ann", "text-000001.txt"]
    assert read(path)[0] == [Record(TEXT, (), (ANNA,), "text-000001")]
    assert report.lost == Counter({"identifiers that cannot be file names": 1})


def test_files_have_names_of_their_own_on_every_system(tmp_path):
    names = ["é", "e\u0301", "A", "a", "text-000006", None, "x.y", "中 文-1", "condition"]
    path, report = written(tmp_path, *(Record(str(name), (), (), name) for name in names))
    assert {record.text: record.id for record in read(path)[0]} == {
        **{name: name for name in names if name},
        "e\u0301": "text-000002",
        "a": "text-000004",
        "None": "text-000006-",
    }
    assert report.lost == Counter({"identifiers that cannot be file names": 2})


def test_names_with_white_space_lose_it(tmp_path):
    triple = Triple(Mention("Anna Lind", Span(0, 9), "A person"), "born in", Mention("Anna", Span(0, 4), ""))
    path, report = written(tmp_path, Record(TEXT, (triple,), (), "d"))
    (record,), _ = read(path)
    (found,) = record.triples
    assert (found.subject.type, found.predicate, found.object.type) == ("A_person", "born_in", "")
    assert report.lost == Counter({"white space in types and predicates": 2})


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    def records():
        yield Record(TEXT, (), (ANNA,), "d")
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        FORMAT.write(records(), tmp_path / "out", ConversionReport())
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError, match="nowhere"):
        FORMAT.write([], tmp_path / "nowhere" / "out", ConversionReport())
    (tmp_path / "out").mkdir()
    path, _ = written(tmp_path, Record(TEXT, (), (ANNA,), "d"))  # an empty folder may be there
    with pytest.raises(FileExistsError, match="out exists"):
        FORMAT.write([], path, ConversionReport())
    assert len(list(path.iterdir())) == 3


@pytest.mark.parametrize(
    "line", ["T1\tPerson 0 9\tAnna Lind\n", "T1\tPerson 0 10\tAnna Lind\n", "T1\tPerson 0 10\tAnna Lind \n"]
)
def test_line_ends_in_entities_are_spaces_in_their_words(line, tmp_path):
    path = folder(tmp_path, line, "Anna\nLind directed")
    (record,) = read_records(path)
    assert record.entities == (Mention("Anna\nLind", Span(0, 9), "Person"),)
