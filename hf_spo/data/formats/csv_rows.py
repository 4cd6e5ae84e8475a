"""Rows of CSV and TSV files, in which a quotation mark may begin a quoted field or be part of the text."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from ...support.unreadable import UnreadableRecord
from .lines import Line

_LONGEST_FIELD = 1 << 30
_LONGEST_ROW = 1 << 16
"""Lines of a row; a quoted field that spans more of them is taken for one whose end is missing."""


class Quoting(StrEnum):
    """How quotation marks are read: QUOTED: they enclose fields; NONE: as text; AUTO: as [`is_quoted`] says."""

    AUTO = "auto"
    QUOTED = "quoted"
    NONE = "none"


class CsvRow(NamedTuple):
    """Fields of a row, with the number of its first line and its lines as they are."""

    number: int
    content: str
    fields: list[str]


def csv_rows(
    lines: Iterable[tuple[int, Line]], source: str, delimiter: str, *, quoted: bool, remedy: str = ""
) -> Iterator[CsvRow | UnreadableRecord]:
    """Yield the rows of a table; blank lines are skipped.

    A line whose quoted field does not end, or goes on after its end, is an [`UnreadableRecord`], and reading goes on
    with the next line, so that no row is lost.

    Args:
        lines: with their numbers, see [`text_lines`].
        source: the name of the file in errors.
        delimiter: between fields.
        quoted: whether a quotation mark at the beginning of a field encloses it; a quotation mark in it is doubled.
        remedy: what to do about a quotation mark that is wrong, for the error.
    """
    csv.field_size_limit(max(_LONGEST_FIELD, csv.field_size_limit()))
    pending = _Pending(lines)
    for number, line in pending:
        if isinstance(line, UnreadableRecord):
            yield line
        elif not quoted:
            content = line.removesuffix("\n").removesuffix("\r")
            if content:
                yield CsvRow(number, content, content.split(delimiter))
        else:
            taken: list[tuple[int, Line]] = []
            try:
                fields = next(csv.reader(_row_lines(line, taken, pending), delimiter=delimiter, strict=True), [])
            except csv.Error as error:
                pending.put_back(taken)
                problem = "a quoted field does not end" if "unexpected end" in str(error) else str(error)
                reason = f"not valid CSV ({problem})".replace("\t", "\\t")
                yield UnreadableRecord(source, number, reason, line.rstrip("\r\n"), remedy=remedy)
            else:
                if fields:
                    yield CsvRow(number, "".join([line, *(str(more) for _, more in taken)]).rstrip("\r\n"), fields)


def is_quoted(lines: Iterable[tuple[int, Line]], delimiter: str) -> bool:
    """Tell whether quotation marks enclose fields: they do in more rows than there are rows where they cannot."""
    begins = re.compile(rf'(?:^|{re.escape(delimiter)})"')
    balance = 0
    for row in csv_rows(lines, "", delimiter, quoted=True):
        if isinstance(row, UnreadableRecord):
            balance -= begins.search(row.content) is not None
        elif begins.search(row.content):
            balance += 1
    return balance > 0


def quoting_of(read_lines: Callable[[], Iterable[tuple[int, Line]]], delimiter: str, quoting: Quoting) -> bool:
    """Tell whether a table is read with quoted fields; AUTO reads a tab-separated table twice, and quotes in others."""
    if quoting == Quoting.AUTO:
        return delimiter != "\t" or is_quoted(read_lines(), delimiter)
    return quoting == Quoting.QUOTED


class _Pending:
    """Lines of which some can be put back."""

    def __init__(self, lines: Iterable[tuple[int, Line]]) -> None:
        self._lines = iter(lines)
        self._back: list[tuple[int, Line]] = []

    def __iter__(self) -> Iterator[tuple[int, Line]]:
        return self

    def __next__(self) -> tuple[int, Line]:
        return self._back.pop() if self._back else next(self._lines)

    def put_back(self, lines: list[tuple[int, Line]]) -> None:
        self._back += reversed(lines)


def _row_lines(line: str, taken: list[tuple[int, Line]], pending: _Pending) -> Iterator[str]:
    """Yield the first line of a row, then the further lines that the parser asks for, which are kept in `taken`."""
    yield line
    for number, more in pending:
        taken.append((number, more))
        if isinstance(more, UnreadableRecord) or len(taken) > _LONGEST_ROW:
            raise csv.Error("a quoted field does not end")
        yield more
