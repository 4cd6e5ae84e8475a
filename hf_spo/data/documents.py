"""Sources of documents to extract from: files, folders, globs, data sets of the Hub, stdin."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ..support.files import digest
from .formats.csv_rows import Quoting


class SourceFormat(StrEnum):
    """Format of a source. TEXT: one document per line. JSON: one object per line, or one list of objects."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    HUB = "hub"


SUFFIXES = {
    ".txt": SourceFormat.TEXT,
    ".text": SourceFormat.TEXT,
    ".json": SourceFormat.JSON,
    ".jsonl": SourceFormat.JSON,
    ".ndjson": SourceFormat.JSON,
    ".csv": SourceFormat.CSV,
    ".tsv": SourceFormat.TSV,
    ".parquet": SourceFormat.PARQUET,
}
"""Formats by suffix; .gz, .bz2 or .xz may follow, except for Parquet."""

COMPRESSED = (".gz", ".bz2", ".xz")
STDIN = "-"
HUB_PREFIX = "hub:"

_HEAD, _TAIL = 1 << 20, 1 << 16


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its name.

    Args:
        id: value of the id column, or else source and number, such as "a.txt:3".
        text: of the document.
        source: name of its source.
    """

    id: str | int
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How documents are read from their sources.

    Args:
        text_column: name of the column, or field, with the text.
        id_column: name of the column with the document's name; None: "id" if there is one.
        encoding: of text files and stdin.
        quoting: of CSV and TSV.
    """

    text_column: str = "text"
    id_column: str | None = None
    encoding: str = "utf-8"
    quoting: Quoting = Quoting.AUTO

    def to_dict(self) -> dict[str, Any]:
        """Return what decides which documents come out, for the manifest of a job; the usual values are left out."""
        usual = ReadOptions()
        special = {name: getattr(self, name) for name in ("encoding", "quoting")}
        return {
            "text": self.text_column,
            "id": self.id_column,
            **{name: str(value) for name, value in special.items() if value != getattr(usual, name)},
        }

    @property
    def is_utf8(self) -> bool:
        """Whether lines are decoded one by one, so that a line in another encoding is an error of its own."""
        return self.encoding.casefold().replace("-", "").replace("_", "") in ("utf8", "utf8sig")


@dataclass(frozen=True, slots=True)
class Source:
    """A file, stdin or a data set of the Hub.

    Args:
        name: as the user gave it; the path for files of folders and globs.
        format: of the documents.
        size: bytes of a file when it was found: a file that grows is read up to there.
    """

    name: str
    format: SourceFormat
    size: int | None = None

    @property
    def path(self) -> Path | None:
        """The path, if the source is a file."""
        return None if self.name == STDIN or self.format == SourceFormat.HUB else Path(self.name)

    @property
    def can_grow(self) -> bool:
        """Whether lines may be appended to the file."""
        lines = self.format in (SourceFormat.TEXT, SourceFormat.JSON, SourceFormat.CSV, SourceFormat.TSV)
        return lines and self.path is not None and self.path.suffix not in COMPRESSED

    def fingerprint(self, size: int | None = None) -> str:
        """Return a hash of a file's first and last bytes, up to `size`; "" if the source is not a file."""
        size = self.size if size is None else size
        if self.path is None or size is None:
            return ""
        with self.path.open("rb") as file:
            head = file.read(min(size, _HEAD))
            file.seek(max(0, size - _TAIL))
            return digest(head, file.read(min(size, _TAIL)))


def find_sources(inputs: Sequence[str], form: SourceFormat | None = None) -> list[Source]:
    """Find the sources that a user names, each file once.

    Args:
        inputs: files, folders (their files with a known suffix, at any depth), globs, - for stdin, and data sets of the
            Hub as hub:NAME, hub:NAME:SPLIT or hub:NAME:CONFIGURATION:SPLIT.
        form: format of all sources; default: by suffix, TEXT for stdin.

    Raises:
        FileNotFoundError: a file does not exist, or a folder or glob has none.
        ValueError: a file's suffix is unknown.
    """
    found = {source.name: source for given in inputs for source in _find(given, form)}
    return list(found.values())


def _find(given: str, form: SourceFormat | None) -> Iterator[Source]:
    if given == STDIN:
        yield Source(STDIN, form or SourceFormat.TEXT)
        return
    if given.startswith(HUB_PREFIX):
        yield Source(given, SourceFormat.HUB)
        return
    path = Path(given)
    if path.is_dir():
        # Hidden files belong to editors and to writers that are not finished.
        files = sorted(file for file in path.rglob("*") if file.is_file() and not _is_hidden(file, path))
        files = [file for file in files if form or _format(file)]
        if not files:
            raise FileNotFoundError(f"the folder {given} has no file that ends in {', '.join(SUFFIXES)}")
    elif path.is_file():
        files = [path]
    else:
        pattern = path.relative_to(path.anchor)
        matches = Path(path.anchor).glob(str(pattern))
        files = sorted(file for file in matches if file.is_file() and not _is_hidden(file, pattern))
        if not files:
            raise FileNotFoundError(f"there is no {given}; expected a file, a folder, a glob, hub:NAME or - for stdin")
    for file in files:
        kind = form or _format(file)
        if kind is None:
            raise ValueError(
                f"{file}: unknown suffix {file.suffix or '(none)'}; expected {', '.join(SUFFIXES)}, or name "
                f"the format with --input-format"
            )
        yield Source(str(file), kind, file.stat().st_size)


def _is_hidden(path: Path, given: Path) -> bool:
    """Tell whether a file or a folder on its path is hidden, unless the user named it."""
    return any(part.startswith(".") for part in path.parts if part not in given.parts)


def _format(path: Path) -> SourceFormat | None:
    if path.suffix in COMPRESSED:
        kind = SUFFIXES.get(path.with_suffix("").suffix)
        return None if kind == SourceFormat.PARQUET else kind
    return SUFFIXES.get(path.suffix)


def count_documents(sources: Sequence[Source]) -> int | None:
    """Estimate the number of documents: lines of files, rows of Parquet; None if all would have to be read."""
    total = 0
    for source in sources:
        count = _count(source)
        if count is None:
            return None
        total += count
    return total


def _count(source: Source) -> int | None:
    if source.path is None or source.path.suffix in COMPRESSED:
        return None
    if source.format == SourceFormat.PARQUET:
        from pyarrow import ArrowException
        from pyarrow.parquet import read_metadata

        try:
            rows: int = read_metadata(source.name).num_rows
        except ArrowException:  # reported when the file is read
            return None
        return rows
    with source.path.open("rb") as file:
        lines = sum(block.count(b"\n") for block in iter(lambda: file.read(_BLOCK), b""))
    return lines - (source.format in (SourceFormat.CSV, SourceFormat.TSV))


_BLOCK = 1 << 20
