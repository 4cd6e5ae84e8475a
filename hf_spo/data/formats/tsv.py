"""A table of tab-separated values, as spreadsheets read and write it: a row a triple."""

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from ...model.fields import FieldError
from ...model.schema import Mention, Triple
from ...support.files import whole_file
from ..offsets import place
from .base import ConversionReport, DataFormatError, Format, Record, Sample
from .lines import decoded_lines
from .losses import Part, encodable, lose_parts

_MENTION = ("", "_type", "_start", "_end")
_COLUMNS = (
    *("id", "text"),
    *(f"subject{part}" for part in _MENTION),
    "predicate",
    *(f"object{part}" for part in _MENTION),
    "score",
)
_REQUIRED = ("text", "subject", "predicate", "object")
_LONGEST_FIELD = 1 << 24

Row = Mapping[str, str]
Key = tuple[str, str]
"""Identifier, empty if there is none, and text: successive rows that have both in common are one record."""


def _read(path: Path, report: ConversionReport) -> Iterator[Record]:
    for (name, text), rows in groupby(_statements(path, report), key=lambda statement: statement[0]):
        yield Record(text, tuple(triple for _, triple in rows if triple is not None), id=name or None)


def _statements(path: Path, report: ConversionReport) -> Iterator[tuple[Key, Triple | None]]:
    lines = _Lines(decoded_lines(path, report))
    csv.field_size_limit(max(_LONGEST_FIELD, csv.field_size_limit()))
    # Strict, so that a quote that is never closed is an error rather than a field of a thousand lines.
    reader = csv.reader(lines, "excel-tab", strict=True)
    header: Sequence[str] = ()
    while True:
        lines.taken.clear()
        try:
            fields = next(reader)
            if not header:
                header = _header(fields, path, report)
            elif fields:
                row = _row(header, fields)
                yield (row.get("id", ""), row["text"]), _triple(row, report)
        except StopIteration:
            return
        except DataFormatError:
            raise
        except (csv.Error, FieldError) as error:
            if not header:
                raise DataFormatError(f"{path}: no header row of tab-separated columns ({error})") from None
            number, content = lines.taken[0][0], "".join(line for _, line in lines.taken)
            problem = (
                error if isinstance(error, FieldError) else f"not tab-separated values ({error})".replace("\t", "\\t")
            )
            report.skip(problem, path, number, content.rstrip("\r\n"))


class _Lines:
    """Lines, with a list of those that were taken since it was last emptied."""

    def __init__(self, lines: Iterator[tuple[int, str]]) -> None:
        self._lines = lines
        self.taken: list[tuple[int, str]] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        self.taken.append(next(self._lines))
        return self.taken[-1][1]


def _names(fields: Sequence[str]) -> list[str]:
    return [field.strip().lower() for field in fields]


def _header(fields: Sequence[str], path: Path, report: ConversionReport) -> Sequence[str]:
    names = _names(fields)
    missing = [name for name in _REQUIRED if name not in names]
    if missing:
        raise DataFormatError(
            f"{path}: the header row has no column {', '.join(missing)}; expected tab-separated columns, of which "
            f"{', '.join(_REQUIRED)} are needed"
        )
    twice = [name for name in names if name in _COLUMNS and names.count(name) > 1]
    if twice:
        raise DataFormatError(f"{path}: two columns are called {twice[0]}; take one out")
    for name in names:
        report.lose(f"column {name!r}", name not in _COLUMNS)
    return names


def _row(header: Sequence[str], fields: Sequence[str]) -> Row:
    if len(fields) != len(header):
        raise FieldError("row", f"expected {len(header)} tab-separated fields, as the header has, got {len(fields)}")
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
        if not re.fullmatch("[0-9]{1,12}", value):
            raise FieldError(f"{role}{part}", f"expected a whole number, got {value!r}; give both offsets or none")
    return place(row["text"], int(start), int(end), words, type_, role, report)


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
    try:
        fields = next(csv.reader(sample.text.splitlines()[:1], "excel-tab"), [])
    except csv.Error:
        return False
    return set(_REQUIRED) <= set(_names(fields))


FORMAT = Format(
    "tsv",
    "a table for spreadsheets, a row a triple: text, subject, predicate, object, and types, offsets, score, id",
    _recognise,
    _read,
    _write,
    ".tsv",
)
