"""The parts that the output of a corpus consists of: JSON lines or Parquet, a row a document or a row a triple."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from ..data.documents import Document
from ..model.fields import json_line
from ..support.unreadable import UnreadableRecord

if TYPE_CHECKING:
    pass


class Rows(StrEnum):
    """What has a row of the output."""

    DOCUMENT = "document"
    TRIPLE = "triple"


class PartFormat(StrEnum):
    """How parts are written."""

    JSONL = "jsonl"
    PARQUET = "parquet"


_ROW_GROUP = 2000


class PartWriter:
    """Writes one part, and beside it what could not be extracted from; both appear whole when it is finished.

    Args:
        folder: where the part goes.
        number: of the part.
        rows: what has a row.
        form: how it is written.
        stamp: what every row has beside the triples: model and revision.
    """

    def __init__(
        self, folder: Path, number: int, rows: Rows, form: PartFormat, stamp: Mapping[str, str | None]
    ) -> None:
        self.path = folder / part_name(number, form)
        self.errors = folder / f"_errors-{number:05d}.jsonl"
        self.documents = self.triples = self.failed = 0
        self.read: dict[str, int] = {}
        """How many documents of each source went in, those that failed included."""
        self._rows = rows
        self._stamp = stamp
        self._files = ExitStack()
        self._hidden = {path: path.with_name(f".{path.name}.part") for path in (self.path, self.errors)}
        self._errors: IO[str] | None = None
        sheet = _ParquetSheet if form == PartFormat.PARQUET else _JsonSheet
        self._sheet: _Sheet = self._files.enter_context(sheet(self._hidden[self.path], rows))

    def add(self, item: Document | UnreadableRecord, triples: Sequence[Mapping[str, Any]]) -> None:
        """Write one result."""
        self.read[item.source] = self.read.get(item.source, 0) + 1
        if isinstance(item, UnreadableRecord):
            self.failed += 1
            if self._errors is None:
                opened = self._hidden[self.errors].open("w", encoding="utf-8", newline="\n")
                self._errors = self._files.enter_context(opened)
            self._errors.write(json_line({"id": item.id, "problem": item.problem, "content": item.content}) + "\n")
            return
        self.documents += 1
        self.triples += len(triples)
        if self._rows == Rows.DOCUMENT:
            self._sheet.write({"id": item.id, "text": item.text, "triples": list(triples), **self._stamp})
        else:
            for triple in triples:
                self._sheet.write({"id": item.id, **triple, **self._stamp})

    def finish(self) -> None:
        """Give the files their names."""
        self._files.close()
        if self._errors is not None:
            self._hidden[self.errors].replace(self.errors)
        self._hidden[self.path].replace(self.path)

    def discard(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):  # on a full disk the last lines cannot be written, and need not
            self._files.close()
        for path in self._hidden.values():
            path.unlink(missing_ok=True)


def part_name(number: int, form: PartFormat) -> str:
    """Return the name of a part's file."""
    return f"part-{number:05d}.{form}"


def written_parts(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield the numbers and paths of all files that belong to parts, finished or not."""
    for path in folder.iterdir():
        stem, _, number = path.name.lstrip("._").split(".")[0].partition("-")
        if stem in ("part", "errors") and number.isdigit():
            yield int(number), path


class _Sheet(ABC):
    """A file of rows."""

    @abstractmethod
    def write(self, row: Mapping[str, Any]) -> None: ...

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(self, *_: object) -> None: ...


class _JsonSheet(_Sheet):
    def __init__(self, path: Path, rows: Rows) -> None:
        self._file = path.open("w", encoding="utf-8", newline="\n")

    def write(self, row: Mapping[str, Any]) -> None:
        self._file.write(json_line(row) + "\n")

    def __exit__(self, *_: object) -> None:
        self._file.close()


class _ParquetSheet(_Sheet):
    def __init__(self, path: Path, rows: Rows) -> None:
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter

        from ..support import tables

        self._tables = tables
        schema = tables.DOCUMENT if rows == Rows.DOCUMENT else tables.TRIPLE
        self._schema: pa.Schema = schema.append(pa.field("model", pa.string())).append(
            pa.field("revision", pa.string())
        )
        self._writer = ParquetWriter(path, self._schema, compression="zstd")
        self._is_flat = rows == Rows.TRIPLE
        self._waiting: list[dict[str, Any]] = []

    def write(self, row: Mapping[str, Any]) -> None:
        row = {**row, "id": str(row["id"])}
        if self._is_flat:
            named = {"model": row["model"], "revision": row["revision"]}
            self._waiting.append({**self._tables.triple_row(row, row["id"]), **named})
        else:
            self._waiting.append(self._tables.document_row(row))
        if len(self._waiting) == _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        self._writer.write_table(self._tables.table(self._waiting, self._schema))
        self._waiting.clear()

    def __exit__(self, *_: object) -> None:
        if self._waiting:
            self._flush()
        self._writer.close()
