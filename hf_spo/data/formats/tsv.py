"""Tables of spreadsheets, a row a triple: tab-separated values; those with commas or semicolons are read too."""

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from ...model.fields import FieldError
from ...model.schema import Mention, Triple
from ...support.files import whole_file
from ...support.unreadable import UnreadableRecord
from ..offsets import place
from .base import ConversionReport, DataFormatError, Format, Record, Sample
from .csv_rows import csv_rows, is_quoted
from .lines import text_lines
from .losses import Part, encodable, lose_parts

_MENTION = ("", "_type", "_start", "_end")
_COLUMNS = (
    *("id", "text"),
    *(f"subject{part}" for part in _MENTION),
    "predicate",
    *(f"object{part}" for part in _MENTION),
    "score",
)
_DELIMITERS = ("\t", ",", ";")
_REQUIRED = ("text", "subject", "predicate", "object")

Row = Mapping[str, str]
Key = tuple[str, str]
"""Identifier (or "") and text: successive rows with the same key are one record."""


def _read(path: Path, report: ConversionReport) -> Iterator[Record]:
    for (name, text), rows in groupby(_statements(path, report), key=lambda statement: statement[0]):
        yield Record(text, tuple(triple for _, triple in rows if triple is not None), id=name or None)


def _statements(path: Path, report: ConversionReport) -> Iterator[tuple[Key, Triple | None]]:
    delimiter = _delimiter(Sample(path)) or "\t"
    with path.open("rb") as file:
        quoted = delimiter != "\t" or is_quoted(text_lines(file, str(path)), delimiter)
    header: Sequence[str] = ()
    with path.open("rb") as file:
        for row in csv_rows(text_lines(file, str(path)), str(path), delimiter, quoted=quoted):
            if isinstance(row, UnreadableRecord):
                if not header:
                    raise DataFormatError(f"{path}: no header row of columns ({row.reason})")
                report.add_unreadable(row)
            elif not header:
                header = _header(row.fields, path, report)
            else:
                try:
                    cells = _row(header, row.fields)
                    yield (cells.get("id", ""), cells["text"]), _triple(cells, report)
                except FieldError as error:
                    report.skip(error, path, row.number, row.content)


def _names(fields: Sequence[str]) -> list[str]:
    return [field.strip().lower() for field in fields]


def _header(fields: Sequence[str], path: Path, report: ConversionReport) -> Sequence[str]:
    names = _names(fields)
    missing = [name for name in _REQUIRED if name not in names]
    if missing:
        raise DataFormatError(
            f"{path}: the header row has no column {', '.join(missing)}; expected tabs, commas or semicolons between "
            f"columns, of which {', '.join(_REQUIRED)} are needed"
        )
    twice = [name for name in names if name in _COLUMNS and names.count(name) > 1]
    if twice:
        raise DataFormatError(f"{path}: two columns are called {twice[0]}; take one out")
    for name in names:
        report.lose(f"column {name!r}", name not in _COLUMNS)
    return names


def _row(header: Sequence[str], fields: Sequence[str]) -> Row:
    if len(fields) != len(header):
        raise FieldError("row", f"expected {len(header)} fields, as the header has, got {len(fields)}")
    return dict(zip(header, fields, strict=True))


def _triple(row: Row, report: ConversionReport) -> Triple | None:
    if not row["predicate"]:
        if row["subject"] or row["object"]:
            raise FieldError("predicate", "empty, but there is a subject or an object")
        return None
    score = row.get("score", "")
    return Triple(
        _mention(row, "subject", report),
        row["predicate"],
        _mention(row, "object", report),
        score=_score(score) if score else None,
    )


def _mention(row: Row, role: str, report: ConversionReport) -> Mention:
    words, type_ = row[role], row.get(f"{role}_type", "")
    start, end = (row.get(f"{role}{part}", "").strip() for part in ("_start", "_end"))
    if not start and not end:
        return Mention(words, None, type_)
    for part, value in (("_start", start), ("_end", end)):
        if not re.fullmatch(r"[0-9]{1,12}(\.0)?", value):  # pandas writes 19.0 where a column has gaps
            raise FieldError(f"{role}{part}", f"expected a whole number, got {value!r}; give both offsets or none")
    return place(row["text"], int(float(start)), int(float(end)), words, type_, role, report)


def _score(value: str) -> float:
    try:
        score = float(value)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise FieldError("score", f"expected a finite number, got {value!r}")
    return score


def _write(records: Iterable[Record], path: Path, report: ConversionReport) -> None:
    with whole_file(path) as file:
        writer = csv.DictWriter(file, _COLUMNS, dialect="excel-tab", restval="")
        writer.writeheader()
        before: Key | None = None
        for record in records:
            lose_parts(record, report, Part.QUALIFIERS, Part.ENTITIES, Part.PARTIAL)
            key = (record.id or "", record.text)
            report.lose("repetitions of a text, which will read as one", key == before)
            before = key
            writer.writerows(_rows(encodable(record, report), report))


def _rows(record: Record, report: ConversionReport) -> Iterator[dict[str, object]]:
    key = {"id": record.id or "", "text": record.text}
    stated = [triple for triple in record.triples if triple.predicate]
    report.lose("triples without a predicate", len(record.triples) - len(stated))
    if not stated:
        yield {**key}
    for triple in stated:
        score = {} if triple.score is None else {"score": triple.score}
        yield {
            **key,
            "predicate": triple.predicate,
            **_cells(triple.subject, "subject"),
            **_cells(triple.object, "object"),
            **score,
        }


def _cells(mention: Mention, role: str) -> dict[str, object]:
    offsets = {} if mention.span is None else {f"{role}_start": mention.span.start, f"{role}_end": mention.span.end}
    return {role: mention.text, f"{role}_type": mention.type, **offsets}


def _recognise(sample: Sample) -> bool:
    return _delimiter(sample) is not None


def _delimiter(sample: Sample) -> str | None:
    """Return what separates the columns of the header row; None if it is not the header of such a table."""
    for delimiter in _DELIMITERS:
        with suppress(csv.Error):
            fields = next(csv.reader(sample.text.splitlines()[:1], delimiter=delimiter), [])
            if set(_REQUIRED) <= set(_names(fields)):
                return delimiter
    return None


FORMAT = Format(
    "tsv",
    "a table for spreadsheets, a row per triple: text, subject, predicate, object, and types, offsets, score, id",
    _recognise,
    _read,
    _write,
    ".tsv",
)
