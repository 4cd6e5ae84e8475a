"""Writes brat standoff, with the annotation.conf by which brat knows the types and relations of a folder."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from ...model.schema import Mention, Span
from ...support.files import whole_folder
from .base import ConversionReport, Record
from .losses import encodable
from .marks import label, to_marks
from .trimming import trimmed

# What is a file name on every system, and neither a path nor hidden.
_SAFE = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))\w(?:[\w .-]*[\w-])?", re.IGNORECASE)
_LONGEST = 200
"""Bytes of a name; most systems allow 255, and the suffix needs some."""


def write_folder(records: Iterable[Record], path: Path, report: ConversionReport) -> None:
    """Write a folder with a text and its annotations for each record, whole or not at all.

    A file is called by the record's identifier where that is a safe name that no other file has, and by its number
    elsewhere. Entities that run over a line end are written in fragments.

    Raises:
        FileExistsError: there is a file of that name, or a folder that is not empty.
        FileNotFoundError: the folder that it is to be in does not exist.
    """
    documents = _Documents(report)
    with whole_folder(path) as folder:
        for number, record in enumerate(records, 1):
            record = trimmed(encodable(record, report), report)
            annotations = documents.annotations(record)
            name = documents.file_name(record.id, number)
            _write(folder / f"{name}.txt", record.text)
            _write(folder / f"{name}.ann", annotations)
        _write(folder / "annotation.conf", documents.configuration())


def _write(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8", newline="")


class _Documents:
    """The documents of a folder: their names, and what they use of types and relations."""

    def __init__(self, report: ConversionReport) -> None:
        self.report = report
        self._names: set[str] = set()
        self._types: dict[str, None] = {}
        self._relations: dict[str, tuple[dict[str, None], dict[str, None]]] = {}

    def annotations(self, record: Record) -> str:
        """Return the content of a record's .ann file."""
        marks = to_marks(record, self.report)
        types = [self._shown(label(one.type)) for one in marks.entities]
        self._types.update(dict.fromkeys(types))
        lines = []
        for number, (one, span) in enumerate(marks.placed, 1):
            fragments = _fragments(one, span)
            offsets = ";".join(f"{start} {end}" for start, end in fragments)
            words = " ".join(record.text[start:end] for start, end in fragments)
            lines.append(f"T{number}\t{types[number - 1]} {offsets}\t{words}\n")
        for number, link in enumerate(marks.links, 1):
            name = self._shown(link.name)
            heads, tails = self._relations.setdefault(name, ({}, {}))
            heads[types[link.head]] = tails[types[link.tail]] = None
            lines.append(f"R{number}\t{name} Arg1:T{link.head + 1} Arg2:T{link.tail + 1}\n")
        return "".join(lines)

    def file_name(self, identifier: str | None, number: int) -> str:
        """Return a name that no document has yet, in any letter case or form of Unicode."""
        name = identifier or ""
        safe = _SAFE.fullmatch(name) is not None and len(name.encode()) <= _LONGEST and _key(name) not in self._names
        if not safe:
            self.report.lose("identifiers that are no file names", identifier is not None)
            name = f"text-{number:06}"
            while _key(name) in self._names:
                name += "-"
        self._names.add(_key(name))
        return name

    def configuration(self) -> str:
        """Return the annotation.conf of the folder."""
        relations = (
            f"{name}\tArg1:{'|'.join(heads)}, Arg2:{'|'.join(tails)}\n"
            for name, (heads, tails) in self._relations.items()
        )
        types = "".join(f"{name}\n" for name in self._types)
        return f"[entities]\n{types}[relations]\n{''.join(relations)}[events]\n[attributes]\n"

    def _shown(self, name: str) -> str:
        shown = "_".join(name.split()) or label("")
        self.report.lose("white space in types and predicates", shown != name)
        return shown


def _fragments(mention: Mention, span: Span) -> list[tuple[int, int]]:
    """Return the parts of an entity's lines, without white space at their ends; brat keeps no tabs either."""
    found = []
    for match in re.finditer(r"[^\r\n\t]+", mention.text):
        part = match[0].strip()
        if part:
            start = span.start + match.start() + match[0].index(part)
            found.append((start, start + len(part)))
    return found


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
