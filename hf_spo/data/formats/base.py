"""What readers and writers of labelled texts have in common: records, what a format is, and an account of losses."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ...schema import Example, Mention, Triple

_HEAD = 1 << 18


@dataclass(frozen=True, slots=True)
class Record:
    """A text as annotation tools keep it.

    Args:
        text: in Unicode code points, to which all offsets refer.
        triples: what it states.
        entities: marked mentions that are in none of the triples.
        id: what the file calls the text, if it does.
    """

    text: str
    triples: tuple[Triple, ...] = ()
    entities: tuple[Mention, ...] = ()
    id: str | None = None

    @property
    def example(self) -> Example:
        """What models are trained on and scored with: text and triples."""
        return Example(self.text, self.triples)


@dataclass(frozen=True, slots=True)
class BadLine:
    r"""A line, or another unit of a file, that is no example, and why; bytes that are no UTF-8 stand in `line` as \xff.

    Args:
        path: of the file.
        number: of the line, from 1; of a task, a document or a row where `unit` says so.
        line: its content.
        problem: what is wrong, in words.
        unit: what is numbered; empty for lines.
    """

    path: Path
    number: int
    line: str
    problem: str
    unit: str = ""

    def __str__(self) -> str:
        place = f"{self.path}: {self.unit} {self.number}" if self.unit else f"{self.path}:{self.number}"
        return f"{place}: {self.problem}"


class DataFormatError(ValueError):
    """A data file, or a line of it, cannot be read."""


OnBadLine = Callable[[BadLine], None]


class Account:
    """Keeps account, while a file is read or written, of what does not come through.

    Args:
        on_bad_line: receives each line that is no example, which is then skipped; None raises instead.
        mend_offsets: put offsets right that were counted in another unit or from another place, see [`place`].
    """

    def __init__(self, on_bad_line: OnBadLine | None = None, *, mend_offsets: bool = False) -> None:
        self.on_bad_line = on_bad_line
        self.mend_offsets = mend_offsets
        self.lost: Counter[str] = Counter()
        """What a format cannot hold, in words for a reader ("score of a triple"), and how often."""
        self.mended: Counter[str] = Counter()
        """What was put right, in words, and how often."""

    def lose(self, what: str, count: int = 1) -> None:
        """Count something that was left out; nothing if `count` is 0."""
        if count:
            self.lost[what] += count

    def mend(self, what: str, count: int = 1) -> None:
        """Count something that was put right."""
        if count:
            self.mended[what] += count

    def bad(self, line: BadLine) -> None:
        """Set a line aside.

        Raises:
            DataFormatError: nobody takes bad lines.
        """
        if self.on_bad_line is None:
            remedy = (
                f"mend the {line.unit or 'line'}, or pass --skip-bad-lines to set such {line.unit or 'line'}s aside"
            )
            raise DataFormatError(f"{line}; {remedy}")
        self.on_bad_line(line)


class Sample:
    """The beginning of a file, by which its format is recognised.

    Args:
        path: a file, or a folder for formats that have one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def head(self) -> bytes:
        """The first 256 KiB; empty for a folder."""
        if self.path.is_dir():
            return b""
        with self.path.open("rb") as file:
            return file.read(_HEAD)

    @cached_property
    def text(self) -> str:
        """The same as text, without a byte order mark; what is no UTF-8 is replaced."""
        return self.head.decode("utf-8-sig", "replace")

    @cached_property
    def is_list(self) -> bool:
        """Whether this is one JSON list, rather than an object a line."""
        return self.text.lstrip().startswith("[")

    @cached_property
    def row(self) -> Mapping[str, Any]:
        """The first JSON object, of a list or of the lines; empty if there is none, or not within the head."""
        body = self.text.lstrip()
        try:
            found, _ = json.JSONDecoder().raw_decode(body[1:].lstrip() if self.is_list else body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Format:
    """A way of keeping labelled texts.

    Args:
        name: as the command line has it: lower case, words joined by hyphens.
        about: a line for people who choose.
        recognise: whether a file looks like it; formats are asked in order, and the first says yes.
        read: yields a file's records; what is wrong or lost goes to the account. Raises FileNotFoundError, and
            DataFormatError for a file that cannot be read at all.
        write: writes records, whole or not at all; what the format cannot hold goes to the account.
        suffix: of the files written; empty for a folder.
    """

    name: str
    about: str
    recognise: Callable[[Sample], bool]
    read: Callable[[Path, Account], Iterator[Record]]
    write: Callable[[Iterable[Record], Path, Account], None] | None = None
    suffix: str = ".jsonl"
