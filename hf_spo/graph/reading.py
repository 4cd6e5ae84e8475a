"""Files of extracted triples, row by row: every row is read or reported, none is dropped in silence."""

import codecs
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .rows import Row, row_of

STDIN = "-"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read, and why.

    Args:
        path: of its file.
        number: of the row, from 1.
        content: of the line, as far as it is text; empty for Parquet.
        problem: what is wrong, in words.
    """

    path: Path
    number: int
    content: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}:{self.number}: {self.problem}"


OnBadRow = Callable[[BadRow], None]


def read_rows(source: str | Path, on_bad_row: OnBadRow | None = None) -> Iterator[Row]:
    """Read what `hf-spo extract` wrote, with a row for each document or for each triple.

    A document without "id" is called by its file and line.

    Args:
        source: a JSON Lines or Parquet file, a folder of files part-*.jsonl and part-*.parquet, which are read in the
            order of their names, or - for JSON lines from stdin.
        on_bad_row: receives each row that cannot be read, which is then skipped; None raises instead.

    Raises:
        ValueError: a row, or a Parquet file, cannot be read; the message names file, line and remedy.
        FileNotFoundError: there is no such file, or the folder has no parts.
    """
    if str(source) == STDIN:
        yield from _json_rows(sys.stdin.buffer, Path("stdin"), on_bad_row)
        return
    for path in _parts(Path(source)):
        if path.suffix == ".parquet":
            yield from _parquet_rows(path, on_bad_row)
        else:
            with path.open("rb") as lines:
                yield from _json_rows(lines, path, on_bad_row)


def _parts(source: Path) -> list[Path]:
    if not source.exists():
        raise FileNotFoundError(f"{source} does not exist; expected triples that `hf-spo extract` wrote")
    if not source.is_dir():
        return [source]
    parts = sorted(path for kind in ("jsonl", "parquet") for path in source.glob(f"part-*.{kind}"))
    parts = [path for path in parts if not path.name.endswith(".bad.jsonl")]
    if not parts:
        raise FileNotFoundError(f"{source} has no part-*.jsonl and no part-*.parquet; expected what extract wrote")
    return parts


def _json_rows(lines: Iterable[bytes], path: Path, on_bad_row: OnBadRow | None) -> Iterator[Row]:
    # As bytes: only a line feed ends a line, not U+2028, and a byte that is no UTF-8 is one line's problem.
    for number, raw in enumerate(lines, 1):
        line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        if not line.strip():
            continue
        try:
            row = row_of(_object(line), f"{path.name}:{number}")
        except (ValueError, RecursionError) as error:
            content = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
            _report(BadRow(path, number, content, _describe(error)), on_bad_row)
        else:
            yield row


def _object(line: bytes) -> Mapping[str, Any]:
    data = json.loads(line.decode("utf-8"))
    if not isinstance(data, dict):
        raise ValueError(f"expected a JSON object, got {type(data).__name__}")
    return data


def _parquet_rows(path: Path, on_bad_row: OnBadRow | None) -> Iterator[Row]:
    import pyarrow as pa
    from pyarrow import parquet

    from ..support.tables import document_of, triple_of

    try:
        with parquet.ParquetFile(path) as file:
            form = document_of if "triples" in file.schema_arrow.names else triple_of
            rows = (data for batch in file.iter_batches(1024) for data in batch.to_pylist())
            for number, data in enumerate(rows, 1):
                try:
                    # A row a triple has the document's name beside it.
                    row = row_of({**form(data), **_about(data)}, f"{path.name}:{number}")
                except (ValueError, KeyError, TypeError) as error:
                    problem = f"there is no column {error}" if isinstance(error, KeyError) else str(error)
                    _report(BadRow(path, number, "", problem), on_bad_row)
                else:
                    yield row
    except pa.ArrowException as error:
        raise ValueError(f"{path}: no Parquet file that can be read ({error})") from None


def _about(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in ("id", "model", "revision") if name in data}


def _report(bad: BadRow, on_bad_row: OnBadRow | None) -> None:
    if on_bad_row is None:
        raise ValueError(f"{bad}; mend the row, or pass --skip-bad-lines to set such rows aside")
    on_bad_row(bad)


def _describe(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError | RecursionError):
        return f"no JSON ({error}); expected one object a line"
    if isinstance(error, UnicodeDecodeError):
        return f"no UTF-8: byte {error.start + 1} of the line is 0x{error.object[error.start]:02x}"
    return str(error)
