"""Read documents from their sources: each record is a document, or an error in its place."""

import bz2
import gzip
import io
import json
import lzma
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Any

from ..model.fields import kind
from ..support.unreadable import UnreadableRecord
from .documents import STDIN, Document, ReadOptions, Source, SourceFormat
from .formats.base import DataFormatError
from .formats.csv_rows import csv_rows, quoting_of
from .formats.hub import load_from_hub, rows_of
from .formats.json_rows import json_rows, lenient_json
from .formats.lines import Line, text_lines
from .formats.parquet import parquet_rows

Item = Document | UnreadableRecord

_SHOWN = 1000
"""Characters that are kept of a record that cannot be read."""

_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def read_documents(source: Source, options: ReadOptions) -> Iterator[Item]:
    """Read a source's documents, in order and one at a time.

    Raises:
        DataFormatError: the source does not have its format, or has no such column.
        FileNotFoundError: there is no such file.
    """
    for item in _READERS[source.format](source, options):
        if isinstance(item, UnreadableRecord) and len(item.content) > _SHOWN:
            item = replace(item, content=item.content[:_SHOWN])
        yield item


def read_stdin_lines(options: ReadOptions) -> Iterator[str]:
    """Read texts from stdin, one per line.

    Raises:
        DataFormatError: a line is not in the encoding of the options.
    """
    for item in read_documents(Source(STDIN, SourceFormat.TEXT), options):
        if isinstance(item, UnreadableRecord):
            raise DataFormatError(str(item))
        yield item.text


def _text_lines(source: Source, options: ReadOptions) -> Iterator[tuple[int, Line]]:
    """Yield numbered lines with their ends.

    Raises:
        DataFormatError: the file is not in the encoding of the options, if that is not UTF-8.
    """
    if options.is_utf8:
        yield from text_lines(_raw_lines(source), source.name, "--encoding")
        return
    with _binary(source) as file:
        try:
            with io.TextIOWrapper(file, options.encoding, newline="\n") as lines:
                yield from enumerate(lines, 1)
        except (UnicodeError, LookupError) as error:
            raise DataFormatError(f"{source.name}: not {options.encoding} ({error}); change --encoding") from None


def _raw_lines(source: Source) -> Iterator[bytes]:
    """Yield the lines of a file; of one that grows, those that were there when it was found."""
    with _binary(source) as file:
        position = 0
        for raw in file:
            position += len(raw)
            if source.can_grow and _is_unfinished(source, position, raw):
                return
            yield raw


def _is_unfinished(source: Source, position: int, line: bytes) -> bool:
    """Tell whether a line was written, or continued, after the file was found."""
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


def _read_text(source: Source, options: ReadOptions) -> Iterator[Item]:
    for number, line in _text_lines(source, options):
        if isinstance(line, UnreadableRecord):
            yield line
        else:
            yield Document(f"{source.name}:{number}", line.removesuffix("\n").removesuffix("\r"), source.name)


def _read_json(source: Source, options: ReadOptions) -> Iterator[Item]:
    for row in json_rows(_text_lines(source, options), source.name, lenient_json):
        yield row if isinstance(row, UnreadableRecord) else _item(row.value, row.number, source, options, row.unit)


def _item(row: Mapping[str, Any], number: int, source: Source, options: ReadOptions, unit: str = "row") -> Item:
    """Make a document of a row."""
    named = row.get(options.id_column or "id")
    name: str | int = f"{source.name}:{number}"
    if isinstance(named, str | int) and not isinstance(named, bool) and named != "":
        name = named
    elif options.id_column is not None:
        reason = f"expected a string or a whole number, got {kind(named)}"
        return UnreadableRecord(source.name, number, reason, _shown(row), unit, options.id_column)
    text = row.get(options.text_column)
    if isinstance(text, str):
        return Document(name, text, source.name)
    remedy = ""
    if options.text_column not in row:
        remedy = f"the row has {sorted(map(str, row))}: name the field with the text with --text-column"
    reason = f"expected a string, got {kind(text)}"
    return UnreadableRecord(source.name, number, reason, _shown(row), unit, options.text_column, remedy, name)


def _shown(row: Any) -> str:
    return json.dumps(row, default=str, ensure_ascii=False)


def _read_csv(source: Source, options: ReadOptions) -> Iterator[Item]:
    delimiter = "\t" if source.format == SourceFormat.TSV else ","
    read = partial(_text_lines, source, options)
    if source.path is None and delimiter == "\t":  # to tell how stdin is quoted, all of it has to be there
        held = list(read())
        read = partial(iter, held)
    quoted = quoting_of(read, delimiter, options.quoting)
    rows = csv_rows(read(), source.name, delimiter, quoted=quoted, remedy=_QUOTING)
    header = next(rows, None)
    if header is None:
        raise DataFormatError(f"{source.name} is empty; expected a row with the names of the columns")
    if isinstance(header, UnreadableRecord):
        raise DataFormatError(str(header))
    names = header.fields
    _check_columns(source, names, options)
    for number, row in enumerate(rows, 1):
        if isinstance(row, UnreadableRecord):
            yield row
        elif len(row.fields) != len(names):
            reason = f"expected {len(names)} columns, got {len(row.fields)}"
            yield UnreadableRecord(source.name, row.number, reason, row.content, remedy="" if quoted else _QUOTED)
        else:
            yield _item(dict(zip(names, row.fields, strict=True)), number, source, options)


_QUOTING = "if quotation marks are part of the text, pass --quoting none"
_QUOTED = "if quotation marks enclose fields, pass --quoting quoted"


def _read_parquet(source: Source, options: ReadOptions) -> Iterator[Item]:
    def columns(names: list[str]) -> list[str]:
        _check_columns(source, names, options)
        return [name for name in (options.text_column, options.id_column or "id") if name in names]

    for number, row in enumerate(parquet_rows(Path(source.name), columns), 1):
        yield _item(row, number, source, options)


def _read_hub(source: Source, options: ReadOptions) -> Iterator[Item]:
    data = load_from_hub(source.name)
    if data.column_names is not None:
        _check_columns(source, data.column_names, options)
    for number, row in enumerate(rows_of(data, source.name), 1):
        yield _item(row, number, source, options)


def _check_columns(source: Source, names: list[str], options: ReadOptions) -> None:
    for flag, name in (("--text-column", options.text_column), ("--id-column", options.id_column)):
        if name is not None and name not in names:
            raise DataFormatError(f"{source.name} has no column {name!r}; name one of {names} with {flag}")


_READERS: dict[SourceFormat, Callable[[Source, ReadOptions], Iterator[Item]]] = {
    SourceFormat.TEXT: _read_text,
    SourceFormat.JSON: _read_json,
    SourceFormat.CSV: _read_csv,
    SourceFormat.TSV: _read_csv,
    SourceFormat.PARQUET: _read_parquet,
    SourceFormat.HUB: _read_hub,
}
