"""Reading documents out of their sources: each comes out, or what stands in its place does."""

import bz2
import codecs
import csv
import gzip
import json
import lzma
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from ..model.fields import kind
from ..support.unreadable import UnreadableRecord
from .documents import HUB_PREFIX, Columns, Document, Source, SourceFormat
from .formats.base import DataFormatError

Item = Document | UnreadableRecord

_SHOWN = 1000
"""Characters of what is no document that are kept."""

_FIELD_LIMIT = 1 << 30
"""Characters of a CSV field."""

_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def read_documents(source: Source, columns: Columns) -> Iterator[Item]:
    """Read a source's documents, in order and one at a time.

    Raises:
        DataFormatError: it cannot be read as what it is said to be, or has no such column.
        FileNotFoundError: there is no such file.
    """
    return _READERS[source.format](source, columns)


def _lines(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield the numbered lines of a file, without their ends."""
    for number, line in _whole_lines(source):
        yield number, line.removesuffix(b"\n").removesuffix(b"\r")


def _whole_lines(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield the numbered lines of a file; of one that grows, those that were there before."""
    # As bytes: only a line feed ends a line, not U+2028, and a byte that is not UTF-8 is one line's problem.
    with _binary(source) as file:
        position = 0
        for number, raw in enumerate(file, 1):
            position += len(raw)
            if source.can_grow and _is_unfinished(source, position, raw):
                return
            content = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
            if number == 1 and content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise DataFormatError(f"{source.name} is UTF-16; save it as UTF-8")
            yield number, content


def _is_unfinished(source: Source, position: int, line: bytes) -> bool:
    """Tell whether a line came, or goes on, after the file was found."""
    assert source.path is not None
    assert source.size is not None
    if position > source.size:
        return True
    return not line.endswith(b"\n") and source.path.stat().st_size > source.size


def _binary(source: Source) -> IO[bytes]:
    if source.path is None:
        return sys.stdin.buffer
    file: IO[bytes] = _OPENERS.get(source.path.suffix, Path.open)(source.path, "rb")
    return file


def _read_text(source: Source, columns: Columns) -> Iterator[Item]:
    for number, line in _lines(source):
        name = f"{source.name}:{number}"
        try:
            yield Document(name, line.decode("utf-8"), source.name)
        except UnicodeDecodeError as error:
            yield _not_utf8(error, source, number)


def _not_utf8(error: UnicodeDecodeError, source: Source, number: int) -> UnreadableRecord:
    reason = f"not UTF-8: byte {error.start + 1} of the line is 0x{error.object[error.start]:02x}"
    content = error.object.decode("utf-8", "backslashreplace")
    return _unreadable(reason, source, number, content, "line", remedy="save the file as UTF-8")


def _unreadable(
    reason: str,
    source: Source,
    number: int,
    content: Any,
    unit: str = "row",
    field: str = "",
    remedy: str = "",
    id: str | int = "",  # noqa: A002  # as in UnreadableRecord
) -> UnreadableRecord:
    shown = content if isinstance(content, str) else json.dumps(content, default=str, ensure_ascii=False)
    name = f"{source.name}:{number}" if id == "" else id
    return UnreadableRecord(source.name, number, reason, shown[:_SHOWN], unit, field, remedy, name)


def _read_json(source: Source, columns: Columns) -> Iterator[Item]:
    """Read an object a line, or a list, which is held as a whole."""
    lines = _lines(source)
    for number, line in lines:
        if number == 1 and line.lstrip().startswith(b"["):
            yield from _read_list(source, b"\n".join([line, *(rest for _, rest in lines)]), columns)
            return
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            yield _not_utf8(error, source, number)
        except (ValueError, RecursionError) as error:
            yield _unreadable(
                f"not JSON ({error}); expected one object per line", source, number, line.decode(), "line"
            )
        else:
            yield _item(row, number, source, columns)


def _read_list(source: Source, content: bytes, columns: Columns) -> Iterator[Item]:
    try:
        rows = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataFormatError(f"{source.name}: not a JSON list ({error}); is the file whole?") from None
    for number, row in enumerate(rows, 1):
        yield _item(row, number, source, columns)


def _item(row: Any, number: int, source: Source, columns: Columns) -> Item:
    """Make a document of a row, whatever it is."""
    name: str | int = f"{source.name}:{number}"
    if not isinstance(row, Mapping):
        return _unreadable(f"expected an object, got {kind(row)}", source, number, row)
    given = row.get(columns.id or "id")
    called = name
    if isinstance(given, str | int) and not isinstance(given, bool) and given != "":
        called = given
    elif columns.id is not None:
        reason = f"expected a string or a whole number, got {kind(given)}"
        return _unreadable(reason, source, number, row, field=columns.id)
    text = row.get(columns.text)
    if isinstance(text, str):
        return Document(called, text, source.name)
    have = "" if columns.text in row else f"; the row has {sorted(map(str, row))}, and --text-column names the field"
    reason = f"expected a string, got {kind(text)}{have}"
    return _unreadable(reason, source, number, row, field=columns.text, id=called)


def _read_csv(source: Source, columns: Columns) -> Iterator[Item]:
    csv.field_size_limit(max(_FIELD_LIMIT, csv.field_size_limit()))
    # What is not UTF-8 comes through as lone surrogates, and is one row's problem.
    lines = (line.decode("utf-8", "surrogateescape") for _, line in _whole_lines(source))
    rows = csv.reader(lines, "excel-tab" if source.format == SourceFormat.TSV else "excel")
    try:
        names = next(rows, None)
        if names is None:
            raise DataFormatError(f"{source.name} is empty; expected a row with the names of the columns")
        _check_columns(source, names, columns)
        for number, values in enumerate(rows, 1):
            if values:
                yield _csv_item(names, values, number, source, columns)
    except csv.Error as error:
        raise DataFormatError(f"{source.name}: line {rows.line_num} is no {source.format.upper()}: {error}") from None


def _csv_item(names: list[str], values: list[str], number: int, source: Source, columns: Columns) -> Item:
    if len(values) != len(names):
        return _unreadable(f"expected {len(names)} columns, got {len(values)}", source, number, values)
    row = dict(zip(names, values, strict=True))
    item = _item(row, number, source, columns)
    try:
        row[columns.text].encode()
    except UnicodeEncodeError:
        return _unreadable("not UTF-8", source, number, values, remedy="save the file as UTF-8", id=item.id)
    return item


def _read_parquet(source: Source, columns: Columns) -> Iterator[Item]:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(source.name) as file:
            names = file.schema_arrow.names
            _check_columns(source, names, columns)
            wanted = [name for name in (columns.text, columns.id or "id") if name in names]
            number = 0
            for batch in file.iter_batches(batch_size=_PARQUET_ROWS, columns=wanted):
                for row in batch.to_pylist():
                    number += 1
                    yield _item(row, number, source, columns)
    except ArrowException as error:
        raise DataFormatError(f"{source.name} is no Parquet file that can be read: {error}") from None


_PARQUET_ROWS = 1000


def _read_hub(source: Source, columns: Columns) -> Iterator[Item]:
    from datasets import load_dataset

    name, *rest = source.name.removeprefix(HUB_PREFIX).split(":")
    split = rest.pop() if rest else "train"
    try:
        rows = load_dataset(name, *rest, split=split, streaming=True)
    except Exception as error:  # whatever its loaders and the network raise
        raise DataFormatError(f"{source.name} cannot be loaded: {error}") from None
    if rows.column_names is not None:
        _check_columns(source, rows.column_names, columns)
    for number, row in enumerate(rows, 1):
        yield _item(row, number, source, columns)


def _check_columns(source: Source, names: list[str], columns: Columns) -> None:
    for flag, name in (("--text-column", columns.text), ("--id-column", columns.id)):
        if name is not None and name not in names:
            raise DataFormatError(f"{source.name} has no column {name!r}; name one of {names} with {flag}")


_READERS: dict[SourceFormat, Callable[[Source, Columns], Iterator[Item]]] = {
    SourceFormat.TEXT: _read_text,
    SourceFormat.JSON: _read_json,
    SourceFormat.CSV: _read_csv,
    SourceFormat.TSV: _read_csv,
    SourceFormat.PARQUET: _read_parquet,
    SourceFormat.HUB: _read_hub,
}
