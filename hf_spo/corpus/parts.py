"""Part files of a corpus: JSON lines or Parquet, a row for each document or each triple."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from ..data.documents import Document
from ..model.fields import json_line
from ..support.unreadable import UnreadableRecord


class Rows(StrEnum):
    """Content of a row."""

    DOCUMENT = "document"
    TRIPLE = "triple"


class PartFormat(StrEnum):
    """File formats of parts."""

    JSONL = "jsonl"
    PARQUET = "parquet"


_ROW_GROUP = 2000


class PartWriter:
    """Writes one part and its errors file; both get their names when they are finished.

    Args:
        folder: of the output.
        number: of the part.
        rows: content of a row.
        form: file format.
        stamp: `model` and `revision`, added to every row.
    """

    def __init__(
        self, folder: Path, number: int, rows: Rows, form: PartFormat, stamp: Mapping[str, str | None]
    ) -> None:
        self.path = folder / f"part-{number:05d}.{form}"
        self.errors = folder / f"_errors-{number:05d}.jsonl"
        self.documents = self.triples = self.failed = 0
        self.read: dict[str, int] = {}
        """Number of documents by source, failed ones included."""
        self._rows = rows
        self._stamp = stamp
        self._files = ExitStack()
        self._hidden = {path: path.with_name(f".{path.name}.part") for path in (self.path, self.errors)}
        self._errors: IO[str] | None = None
        sheet = _ParquetSheet if form == PartFormat.PARQUET else _JsonSheet
        self._sheet = self._files.enter_context(closing(sheet(self._hidden[self.path], rows)))

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
        """Delete the files."""
        with suppress(OSError):  # on a full disk the last lines cannot be written
            self._files.close()
        for path in self._hidden.values():
            path.unlink(missing_ok=True)


def written_parts(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield the numbers and paths of all files of parts, finished or not."""
    for path in folder.iterdir():
        stem, _, number = path.name.lstrip("._").split(".")[0].partition("-")
        if stem in ("part", "errors") and number.isdigit():
            yield int(number), path


class _JsonSheet:
    def __init__(self, path: Path, rows: Rows) -> None:
        self._file = path.open("w", encoding="utf-8", newline="\n")

    def write(self, row: Mapping[str, Any]) -> None:
        self._file.write(json_line(row) + "\n")

    def close(self) -> None:
        self._file.close()


class _ParquetSheet:
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

    def close(self) -> None:
        if self._waiting:
            self._flush()
        self._writer.close()
