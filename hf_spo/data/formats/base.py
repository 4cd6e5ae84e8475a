"""Shared by all formats of labelled texts: records, the description of a format, and the report of a conversion."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ...model.fields import FieldError
from ...model.schema import Example, Mention, Triple
from ...support.unreadable import OnUnreadable
from ...support.unreadable import UnreadableRecord as UnreadableRecord

_HEAD = 1 << 18
_LONG_HEAD = 1 << 24


@dataclass(frozen=True, slots=True)
class Record:
    """A text with its labels and identifier.

    Args:
        text: offsets of mentions are code points of it.
        triples: stated in the text.
        entities: annotated mentions that are in none of the triples.
        id: identifier of the text in the file, if it has one.
        annotated_predicates: the predicates whose labels are complete, see [`Example`]; None for all.
    """

    text: str
    triples: tuple[Triple, ...] = ()
    entities: tuple[Mention, ...] = ()
    id: str | None = None
    annotated_predicates: tuple[str, ...] | None = None

    @property
    def example(self) -> Example:
        """Text and triples, without what training and evaluation do not use."""
        return Example(self.text, self.triples, self.annotated_predicates)


class DataFormatError(ValueError):
    """A data file, or a line of it, cannot be read."""


class ConversionReport:
    """Counts what is left out, corrected and skipped while a file is read or written.

    Args:
        on_bad_line: receives each record that cannot be read, which is then skipped; None raises an error instead.
        correct_offsets: correct offsets that were counted in another unit or from another start, see [`place`].
        text_column: of exports with several columns for each text (label-studio), the one that was annotated; default:
            the one in which the annotated words stand.
    """

    def __init__(
        self,
        on_bad_line: OnUnreadable | None = None,
        *,
        correct_offsets: bool = False,
        text_column: str | None = None,
    ) -> None:
        self.on_bad_line = on_bad_line
        self.correct_offsets = correct_offsets
        self.text_column = text_column
        self.skipped = 0
        """How many records were skipped."""
        self.lost: Counter[str] = Counter()
        """What a format cannot hold, in words for a reader ("scores of triples"), and how often."""
        self.corrected: Counter[str] = Counter()
        """What was corrected, in words, and how often."""
        self.doubtful: Counter[str] = Counter()
        """What may be wrong and is read as it is, in words, and how often."""

    def fresh(self, on_bad_line: OnUnreadable | None) -> "ConversionReport":
        """Return an empty report for reading the same again."""
        return ConversionReport(on_bad_line, correct_offsets=self.correct_offsets, text_column=self.text_column)

    def lose(self, what: str, count: int = 1) -> None:
        """Count something that is left out; a count of 0 leaves no entry."""
        if count:
            self.lost[what] += count

    def correct(self, what: str, count: int = 1) -> None:
        """Count something that is corrected; a count of 0 leaves no entry."""
        if count:
            self.corrected[what] += count

    def doubt(self, what: str, count: int = 1) -> None:
        """Count something that may be wrong; a count of 0 leaves no entry."""
        if count:
            self.doubtful[what] += count

    def summary(self) -> str:
        """Return all that was counted in words, such as "left out: scores (3)"; empty if nothing was."""
        parts = (("left out", self.lost), ("corrected", self.corrected), ("doubtful", self.doubtful))
        return "; ".join(f"{verb}: {tally(counts)}" for verb, counts in parts if counts)

    def skip(self, problem: str | Exception, path: Path, number: int, content: str, unit: str = "line") -> None:
        """Skip a record that cannot be read.

        Args:
            problem: the error that a parser raised, of which a [`FieldError`] names the field; or the reason in words.
            path, number, content, unit: see [`UnreadableRecord`].

        Raises:
            DataFormatError: the report has no `on_bad_line`.
        """
        field, reason = (problem.field, problem.reason) if isinstance(problem, FieldError) else ("", str(problem))
        self.add_unreadable(UnreadableRecord(str(path), number, reason, content, unit, field))

    def add_unreadable(self, record: UnreadableRecord) -> None:
        """Skip a record that cannot be read.

        Raises:
            DataFormatError: the report has no `on_bad_line`.
        """
        if self.on_bad_line is None:
            raise DataFormatError(record.error)
        self.skipped += 1
        self.on_bad_line(record)


def tally(counts: Mapping[str, int]) -> str:
    """Return counts in words, in the order of first occurrence, such as "scores (3), identifiers (1)"."""
    return ", ".join(f"{what} ({count:,})" for what, count in counts.items())


class Sample:
    """The beginning of a file, from which its format is recognised.

    Args:
        path: a file, or a folder for formats that have one.
        size: bytes to read.
    """

    def __init__(self, path: Path, size: int = _HEAD) -> None:
        self.path = path
        self.size = size

    @classmethod
    def growing(cls, path: Path) -> "Iterator[Sample]":
        """Yield the first 256 KiB of a file; then of a longer one the first 16 MiB, for rows with labels."""
        sample = cls(path)
        yield sample
        if len(sample.head) == sample.size:
            yield cls(path, _LONG_HEAD)

    @cached_property
    def head(self) -> bytes:
        """The first bytes; empty for a folder."""
        if self.path.is_dir():
            return b""
        with self.path.open("rb") as file:
            return file.read(self.size)

    @cached_property
    def text(self) -> str:
        """The same as text, without a byte order mark; bytes that are not UTF-8 are replaced."""
        return self.head.decode("utf-8-sig", "replace")

    @cached_property
    def rows(self) -> list[Mapping[str, Any]]:
        """The JSON objects that are complete, of a list or of the lines."""
        text = self.text.lstrip()
        listed = text.startswith("[") or text.split("\n", 1)[0].strip() == "{"
        return [part for part in (_elements(text) if listed else _lines(text)) if isinstance(part, dict)]

    def any_row(self, fits: Callable[[Mapping[str, Any]], bool]) -> bool:
        """Tell whether one of the objects fits; others may be without labels."""
        return any(map(fits, self.rows))


def _lines(text: str) -> Iterator[Any]:
    for line in text.split("\n"):
        with suppress(ValueError, RecursionError):
            yield json.loads(line)


def _elements(text: str) -> Iterator[Any]:
    decoder, at = json.JSONDecoder(), int(text.startswith("["))
    with suppress(ValueError, RecursionError):
        while True:
            while text[at : at + 1] in (",", " ", "\t", "\r", "\n"):
                at += 1
            element, at = decoder.raw_decode(text, at)
            yield element


@dataclass(frozen=True, slots=True)
class Format:
    """A file format of labelled texts.

    Args:
        name: on the command line: lower case, words joined by hyphens.
        about: one line of help.
        recognise: tells whether a file has this format; the first format in the registry that accepts a file is taken.
        read: yields the records of a file; the report gets what is wrong or lost. Raises FileNotFoundError, and
            DataFormatError if the file cannot be read at all.
        write: writes a complete file or none; the report gets what the format cannot hold.
        suffix: of the files written; empty for a folder.
    """

    name: str
    about: str
    recognise: Callable[[Sample], bool]
    read: Callable[[Path, ConversionReport], Iterator[Record]]
    write: Callable[[Iterable[Record], Path, ConversionReport], None] | None = None
    suffix: str = ".jsonl"
