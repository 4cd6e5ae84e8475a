"""Broken files of every format: a clear error, or lines set aside and counted; never a traceback, never silence."""

import copy
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hf_spo.data import ConversionReport, DataFormatError, UnreadableRecord, find_format, format_names, read_records
from hf_spo.data.formats.registry import detect
from tests.data.format_records import RECORDS

WRITTEN = [name for name in format_names() if find_format(name).write]
FILES = [name for name in WRITTEN if find_format(name).suffix]
TEXT_FILES = [name for name in FILES if name not in ("parquet", "docbin")]
LINES = [name for name in TEXT_FILES if find_format(name).suffix == ".jsonl"]
LISTS = [name for name in TEXT_FILES if find_format(name).suffix == ".json"]
READ_ONLY = {
    "scierc": {
        "doc_key": "a",
        "sentences": [["Anna", "Lind", "directed", "Harbour"], ["Good", "."]],
        "ner": [[[0, 1, "person"], [3, 3, "film"]], []],
        "relations": [[[0, 1, 3, 3, "directed"]], []],
    },
}
SHAPES = {
    "hf-spo": {"id": "a", "text": "白露唱", "triples": [], "entities": []},
    "label-studio": {"id": 1, "data": {"text": "白露唱"}, "annotations": []},
}


def written(name: str, folder: Path) -> Path:
    form = find_format(name)
    path = folder / f"data{form.suffix}"
    assert form.write is not None
    form.write(iter(RECORDS), path, ConversionReport())
    return path


def rows_of(name: str, folder: Path) -> list[Any]:
    if name in READ_ONLY:
        return [READ_ONLY[name]]
    text = written(name, folder).read_text(encoding="utf-8")
    found: list[Any] = json.loads(text) if name in LISTS else [json.loads(line) for line in text.split("\n") if line]
    return found


@pytest.mark.parametrize("name", FILES)
def test_an_empty_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"data{find_format(name).suffix}"
    path.touch()
    with pytest.raises(DataFormatError, match=r"has no labelled text: the file is empty"):
        list(read_records(path))
    with pytest.raises(DataFormatError, match=str(path)):
        list(read_records(path, name))


@pytest.mark.parametrize("name", FILES)
def test_no_record(name: str, tmp_path: Path) -> None:
    form = find_format(name)
    path = tmp_path / f"data{form.suffix}"
    assert form.write is not None
    form.write(iter(()), path, ConversionReport())
    with pytest.raises(DataFormatError, match="has no labelled text"):
        list(read_records(path, name))


@pytest.mark.parametrize("name", TEXT_FILES)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_are_named(name: str, encoding: str, tmp_path: Path) -> None:
    path = written(name, tmp_path)
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    for form in (None, name):
        with pytest.raises(DataFormatError, match=rf"got {encoding.upper()[:6]}; convert the file with iconv"):
            list(read_records(path, form))


@pytest.mark.parametrize("name", TEXT_FILES)
def test_gb18030_is_named(name: str, tmp_path: Path) -> None:
    path = written(name, tmp_path)
    path.write_bytes(path.read_text(encoding="utf-8").encode("gb18030"))
    with pytest.raises(DataFormatError, match=r"not UTF-8: byte \d+ of the (line|file) is .* reads as GB18030"):
        list(read_records(path, name))


@pytest.mark.parametrize("name", TEXT_FILES)
def test_a_byte_order_mark_does_not_matter(name: str, tmp_path: Path) -> None:
    path = written(name, tmp_path)
    expected = list(read_records(path))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert list(read_records(path)) == list(read_records(path, name)) == expected


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_file_that_is_cut_off(name: str, share: float, tmp_path: Path) -> None:
    path = written(name, tmp_path)
    content = path.read_bytes()
    cut = content[: int(len(content) * share)]
    path.write_bytes(cut)
    with pytest.raises(DataFormatError, match=str(path)):
        list(read_records(path, name))
    aside: list[UnreadableRecord] = []
    if name in LINES:
        whole = len([line for line in cut.split(b"\n")[:-1] if line])
        assert len(list(read_records(path, name, ConversionReport(aside.append)))) == whole
        assert [line.number for line in aside] == [whole + 1]
    elif name != "tsv":
        with pytest.raises(DataFormatError, match=str(path)):
            list(read_records(path, name, ConversionReport(aside.append)))


@pytest.mark.parametrize("name", LISTS)
def test_the_place_where_a_list_is_cut_off(name: str, tmp_path: Path) -> None:
    path = written(name, tmp_path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataFormatError, match=r"not a JSON list \(.*line \d+ column \d+ .*is the file complete"):
        list(read_records(path, name))


@pytest.mark.parametrize("name", [*LINES, *LISTS])
@pytest.mark.parametrize("content", ["3", '"text"', "null", "[[1]]", "[null, 3]", '{"rows": []}', "[{}]", "{"])
def test_what_is_no_row(name: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataFormatError, match=str(path)):
        list(read_records(path, name))
    with pytest.raises(DataFormatError, match=str(path)):
        list(read_records(path))
    report = ConversionReport(lambda bad: None)
    assert list(read_records(path, name, report)) == []
    assert report.skipped == (2 if content == "[null, 3]" else 1)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"\x00\xff" * 5000, bytes(range(256)) * 50, b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_what_is_no_text(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=str(path)):
        list(read_records(path, name))
    with pytest.raises(DataFormatError, match=str(path)):
        detect(path)


@pytest.mark.parametrize("name", format_names())
def test_what_is_not_there(name: str, tmp_path: Path) -> None:
    if name in ("hub", "datasets"):
        return  # see test_formats_hub.py
    with pytest.raises(FileNotFoundError):
        list(read_records(tmp_path / "none", name))
    if name != "brat":
        with pytest.raises(OSError, match="irectory"):
            list(read_records(tmp_path, name))


def _size(row: Any) -> int:
    return len(json.dumps(row))


WRONG = [None, 5, -1, 10**30, math.nan, True, 2.5, "x", "", [], ["x"], [[]], {}, {"x": 1}]


def damaged(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield copies of a row, each with one of its parts missing or replaced by something wrong."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield f".{name} missing", {key: other for key, other in value.items() if key != name}
            yield from ((f".{name}{place}", {**value, name: wrong}) for place, wrong in _worse(part))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield f"[{index}] missing", value[:index] + value[index + 1 :]
            yield from (
                (f"[{index}]{place}", [*value[:index], wrong, *value[index + 1 :]]) for place, wrong in _worse(part)
            )


def _worse(part: Any) -> Iterator[tuple[str, Any]]:
    yield from ((f" = {wrong!r}", wrong) for wrong in WRONG)
    yield from damaged(part)


@pytest.mark.parametrize("name", [*LINES, *LISTS, *READ_ONLY])
def test_wrong_parts_of_rows(name: str, tmp_path: Path) -> None:
    kinds = [row for row in (max(rows_of(name, tmp_path), key=_size), SHAPES.get(name)) if row is not None]
    path = tmp_path / "broken.jsonl"
    cases = [(place, copy.deepcopy(row)) for kind in kinds for place, row in damaged(kind)]
    assert len(cases) > 50
    path.write_text("".join(json.dumps(row) + "\n" for _, row in cases), encoding="utf-8")
    aside: list[UnreadableRecord] = []
    report = ConversionReport(aside.append)
    found = list(read_records(path, name, report))
    # Some tools keep rows that nobody has annotated; their readers count them.
    passed_over = sum(count for what, count in report.lost.items() if what.startswith("texts "))
    assert len(found) + len(aside) + passed_over == len(cases)
    assert aside
    for bad in aside:
        assert bad.problem
        assert len(bad.problem) < 1000
        assert "\n" not in bad.problem
    for record in found:
        for triple in record.triples:
            for mention in (triple.subject, triple.object, *triple.qualifiers.values()):
                assert mention.span is None or record.text[mention.span.start : mention.span.end] == mention.text
        json.dumps([triple.to_dict() for triple in record.triples], allow_nan=False)
