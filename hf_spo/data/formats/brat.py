"""brat standoff: a folder with a text file (.txt) and a file of annotations (.ann) for each text.

Offsets are code points of the text as brat reads it, line ends included. An entity that runs over a line end is kept
in fragments; other discontinuous entities have no place in triples. Read is a folder with its subfolders, or one pair
of files by the name of either; the name without suffix is the identifier.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from ...model.schema import Mention, Span
from ...support.files import whole_folder
from ..offsets import place
from .annotation import Annotation, Link, from_annotation, label, to_annotation
from .base import ConversionReport, DataFormatError, Format, Record, Sample
from .lines import encoding_fault
from .losses import encodable

_LOST = {
    "E": "events",
    "A": "attributes",
    "M": "attributes",
    "N": "normalisations",
    "#": "notes",
    "*": "equivalences",
}
_ENTITY = re.compile(r"(T\S*)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)[^\S\t]*(?:\t(.*))?", re.DOTALL)
_RELATION = re.compile(r"R\S*\t(\S+)((?:\s+[^\s:]+:\S+){2,})\s*")
_BOM = "\ufeff"


def read_folder(path: Path, report: ConversionReport) -> Iterator[Record]:
    """Yield the annotated texts of a folder, or the one of a pair of files; a wrong line makes its document bad.

    Raises:
        DataFormatError: the folder has no text; or a document is wrong, and the report has no `on_bad_line`.
        FileNotFoundError: there is no such folder, or one of the two files of a text is missing.
    """
    if path.is_dir():
        texts = sorted(path.rglob("*.txt"))
        if not texts:
            raise DataFormatError(f"{path}: no .txt file in this folder; expected .txt and .ann files of brat")
        orphans = sorted({file.with_suffix(".txt") for file in path.rglob("*.ann")} - set(texts))
        return _documents([*texts, *orphans], path, report)
    for file in (path, path.with_suffix(".txt"), path.with_suffix(".ann")):
        if not file.is_file():
            raise FileNotFoundError(f"there is no {file}; expected a folder, or a .txt file next to an .ann file")
    return _documents([path.with_suffix(".txt")], path.parent, report)


def _documents(texts: list[Path], folder: Path, report: ConversionReport) -> Iterator[Record]:
    for number, text in enumerate(texts, 1):
        annotations = text.with_suffix(".ann")
        if not annotations.is_file():
            report.lose("texts without an .ann file")
            continue
        name = text.relative_to(folder).with_suffix("").as_posix()
        try:
            document = _Document(_decoded(text), report)
            links = _read_lines(document, _decoded(annotations).removeprefix(_BOM))
        except _LineError as wrong:
            report.skip(wrong, annotations, wrong.number, wrong.line)
        except FileNotFoundError:
            report.skip(f"its text {text.name} is missing", annotations, number, "", "document")
        except UnicodeDecodeError as error:
            problem = encoding_fault(error.object) or "not UTF-8: the last character is cut off"
            report.skip(f"its text or annotations: {problem}", text, number, "", "document")
        else:
            yield from_annotation(document.text, Annotation(document.mentions, links), report, name)


def _decoded(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


class _LineError(ValueError):
    """A line of an .ann file is wrong."""

    def __init__(self, number: int, line: str, problem: str) -> None:
        super().__init__(problem)
        self.number = number
        self.line = line


def _read_lines(document: "_Document", content: str) -> list[Link]:
    lines = [(number, line.removesuffix("\r")) for number, line in enumerate(content.split("\n"), 1) if line.strip()]

    def each(prefix: str, use: Callable[[str], Any]) -> list[Any]:
        found = []
        for number, line in lines:
            if line.startswith(prefix):
                try:
                    found.append(use(line))
                except ValueError as error:
                    raise _LineError(number, line, str(error)) from None
        return found

    # The offsets of all entities decide which reading of the text they refer to.
    document.choose_text(each("T", _entity))
    each("T", document.add)
    each("", document.pass_over)
    return [link for links in each("R", document.links) for link in links]


class _Entity(NamedTuple):
    name: str
    kind: str
    fragments: list[tuple[int, int]]
    words: str | None

    def in_place(self, text: str) -> bool:
        """Whether the words stand at the offsets; after them, a comment may follow."""
        if any(not start < end <= len(text) for start, end in self.fragments):
            return False
        pieces = [text[start:end] for start, end in self.fragments]
        if self.words is None:
            return True
        # A line end or a tab in the text is a space in the words. Versions before 1.3 put no space between fragments.
        words = " ".join(self.words.split())
        return any(
            f"{words} ".startswith(f"{' '.join(joined.split())} ") for joined in (" ".join(pieces), "".join(pieces))
        )


def _entity(line: str) -> _Entity:
    match = _ENTITY.fullmatch(line)
    if match is None:
        raise ValueError("expected identifier, tab, type, offsets, tab and words, such as T1\tPerson 0 4\tAnna")
    name, kind, offsets, words = match.groups()
    fragments = [(int(start), int(end)) for start, end in (pair.split(" ") for pair in offsets.split(";"))]
    if any(end > start for (_, end), (start, _) in pairwise(fragments)):
        raise ValueError(f"the fragments {offsets} are not in order, or overlap")
    return _Entity(name, kind, fragments, words or None)


class _Document:
    """A text and its entities."""

    def __init__(self, raw: str, report: ConversionReport) -> None:
        self.text = raw
        self.report = report
        self.mentions: list[Mention] = []
        self._places: dict[str, int | None] = {}

    def choose_text(self, entities: list[_Entity]) -> None:
        """Choose whether offsets count carriage returns and a byte order mark, by the words of all entities."""
        bare = self.text.removeprefix(_BOM)
        readings = [bare, bare.replace("\r\n", "\n"), self.text, self.text.replace("\r\n", "\n")]
        self.text = next((text for text in readings if all(one.in_place(text) for one in entities)), bare)

    def add(self, line: str) -> None:
        """Add the entity of a line; a discontinuous one is lost."""
        name, kind, fragments, words = entity = _entity(line)
        if name in self._places:
            raise ValueError(f"{name} is the identifier of two entities")
        start, end = fragments[0][0], fragments[-1][1]
        if entity.in_place(self.text):
            gaps = (self.text[before:after] for (_, before), (after, _) in pairwise(fragments))
            if any(gap and not gap.isspace() for gap in gaps):
                self.report.lose("discontinuous entities")
                self._places[name] = None
                return
            words = None
        elif len(fragments) > 1:
            raise ValueError(f"the fragments are not {words!r:.60} in the text")
        self._places[name] = len(self.mentions)
        self.mentions.append(place(self.text, start, end, words, kind, name, self.report))

    def pass_over(self, line: str) -> None:
        """Count a line that is neither an entity nor a relation."""
        if not line.startswith(("T", "R")):
            if line[0] not in _LOST:
                raise ValueError(f"expected an annotation of brat, such as T1\tPerson 0 4\tAnna, got {line!r:.60}")
            self.report.lose(_LOST[line[0]])

    def links(self, line: str) -> list[Link]:
        """Return the relation of a line; none if one of its ends is lost."""
        match = _RELATION.fullmatch(line)
        if match is None:
            raise ValueError("expected identifier, tab, type and two arguments, such as R1\tauthor Arg1:T1 Arg2:T2")
        arguments = [argument.split(":", 1) for argument in match[2].split()]
        if len(arguments) > 2:
            self.report.lose("relations of more than two")
            return []
        ends = [name for _, name in (sorted(arguments) if {"Arg1", "Arg2"} == set(dict(arguments)) else arguments)]
        if any(name.startswith("E") for name in ends):
            self.report.lose("relations of events")
            return []
        for name in ends:
            if name not in self._places:
                raise ValueError(f"there is no entity {name}")
        head, tail = (self._places[name] for name in ends)
        if head is None or tail is None:
            self.report.lose("relations of discontinuous entities")
            return []
        return [Link(head, match[1], tail)]


# What is a file name on every system, and neither a path nor hidden.
_SAFE = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))\w(?:[\w .-]*[\w-])?", re.IGNORECASE)
_LONGEST = 200
"""Bytes of a name; most systems allow 255, and the suffix needs some."""


def write_folder(records: Iterable[Record], path: Path, report: ConversionReport) -> None:
    """Write a folder with a text and its annotations for each record; on failure there is no folder.

    The record's identifier names the files if it is a safe and unused file name; if not, they are numbered. Entities
    across line ends are written in fragments.

    Raises:
        FileExistsError: there is a file, or a folder that is not empty, at the path.
        FileNotFoundError: the parent folder does not exist.
    """
    documents = _Folder(report)
    with whole_folder(path) as folder:
        for number, record in enumerate(records, 1):
            record = encodable(record, report)
            annotations = documents.annotations(record)
            # Without entities, nothing tells that a mark belongs to the text.
            report.lose("byte order marks at the beginning of texts", record.text.startswith(_BOM) and not annotations)
            name = documents.file_name(record.id, number)
            _write(folder / f"{name}.txt", record.text)
            _write(folder / f"{name}.ann", annotations)
        _write(folder / "annotation.conf", documents.configuration())


def _write(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8", newline="")


class _Folder:
    """The documents of a folder: file names, and the types and relations in use."""

    def __init__(self, report: ConversionReport) -> None:
        self.report = report
        self._names: set[str] = set()
        self._types: dict[str, None] = {}
        self._relations: dict[str, tuple[dict[str, None], dict[str, None]]] = {}

    def annotations(self, record: Record) -> str:
        """Return the content of a record's .ann file."""
        annotation = to_annotation(record, self.report)
        types = [self._shown(label(one.type)) for one in annotation.entities]
        self._types.update(dict.fromkeys(types))
        lines = []
        for number, (one, span) in enumerate(annotation.placed, 1):
            fragments = _fragments(one, span)
            offsets = ";".join(f"{start} {end}" for start, end in fragments)
            words = " ".join(record.text[start:end] for start, end in fragments)
            lines.append(f"T{number}\t{types[number - 1]} {offsets}\t{words}\n")
        for number, link in enumerate(annotation.links, 1):
            name = self._shown(link.name)
            heads, tails = self._relations.setdefault(name, ({}, {}))
            heads[types[link.head]] = tails[types[link.tail]] = None
            lines.append(f"R{number}\t{name} Arg1:T{link.head + 1} Arg2:T{link.tail + 1}\n")
        return "".join(lines)

    def file_name(self, identifier: str | None, number: int) -> str:
        """Return a file name that is unique also where letter case or Unicode forms are not told apart."""
        name = identifier or ""
        safe = _SAFE.fullmatch(name) is not None and len(name.encode()) <= _LONGEST and _key(name) not in self._names
        if not safe:
            self.report.lose("identifiers that cannot be file names", identifier is not None)
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
    """Return the parts of an entity on its lines, without white space at their ends; tabs split parts as well."""
    found = []
    for match in re.finditer(r"[^\r\n\t]+", mention.text):
        part = match[0].strip()
        if part:
            start = span.start + match.start() + match[0].index(part)
            found.append((start, start + len(part)))
    return found


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _recognise(sample: Sample) -> bool:
    path = sample.path
    if path.is_dir():
        return any(found.with_suffix(".txt").is_file() for found in path.rglob("*.ann"))
    pair = [path.with_suffix(suffix) for suffix in (".txt", ".ann")]
    return path in pair and all(file.is_file() for file in pair)


FORMAT = Format(
    "brat", "folder of brat standoff: .txt and .ann files", _recognise, read_folder, write_folder, suffix=""
)
