"""Rows of extracted triples as `hf-spo extract` writes them: each row is read or reported, none is dropped."""

import codecs
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..model.fields import FieldError, items, kind
from ..model.schema import Triple
from ..support.unreadable import OnUnreadable, UnreadableRecord

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Row:
    """A document, or a part of one, and the triples found in it.

    Args:
        document: its name.
        triples: triples whose names are not empty and whose offsets fit the text.
        text: text of the document, if the row has it.
        model: model that found the triples, with its revision, if the row has it.
    """

    document: str
    triples: tuple[Triple, ...]
    text: str | None = None
    model: str = ""


def row_of(data: Mapping[str, Any], name: str = "") -> Row:
    """Read a row: a document with "triples", or one triple with "subject", "predicate" and "object".

    Args:
        data: JSON form of the row.
        name: name of the document if the row has no "id".

    Raises:
        ValueError: a field is missing or of the wrong type, a name is empty, or offsets do not match the text.
    """
    text = data.get("text")
    if text is not None and not isinstance(text, str):
        raise FieldError("text", f"expected a string, got {kind(text)}")
    return Row(_document(data.get("id"), name), _triples(data, text), text, _model(data))


def read_rows(source: str | Path, on_bad_row: OnUnreadable | None = None) -> Iterator[Row]:
    """Read what `hf-spo extract` wrote, with one row for each document or for each triple.

    A document without "id" is named by its file and line.

    Args:
        source: a JSON Lines or Parquet file; a folder of files part-*.jsonl and part-*.parquet, which are read in the
            order of their names; or - for JSON lines from stdin.
        on_bad_row: receives each row that cannot be read, which is then skipped; None raises instead.

    Raises:
        ValueError: a row or a Parquet file cannot be read; the message has file, line and remedy.
        FileNotFoundError: the file does not exist, or the folder has no parts.
    """
    if str(source) == STDIN:
        yield from _json_rows(sys.stdin.buffer, "stdin", "stdin", on_bad_row)
        return
    for path in _parts(Path(source)):
        if path.suffix == ".parquet":
            yield from _parquet_rows(path, on_bad_row)
        else:
            with path.open("rb") as lines:
                yield from _json_rows(lines, str(path), path.name, on_bad_row)


def _triples(data: Mapping[str, Any], text: str | None) -> tuple[Triple, ...]:
    if "triples" in data:
        return tuple(_triple(entry, path, text) for path, entry in items(data, "triples"))
    if "subject" in data and "predicate" in data:
        return (_triple(data, "", text),)
    hint = "; convert it with `hf-spo convert` first" if "spo_list" in data else ""
    raise ValueError(f'expected "triples", or "subject", "predicate" and "object", got {sorted(data)}{hint}')


def _triple(data: Mapping[str, Any], path: str, text: str | None) -> Triple:
    """Read a triple; check that no name is empty, and that the offsets fit the text."""
    triple = Triple.from_dict(data, path)
    qualifiers = {f"qualifiers.{slot}.text": mention.text for slot, mention in triple.qualifiers.items()}
    names = {"subject.text": triple.subject.text, "predicate": triple.predicate, "object.text": triple.object.text}
    for field, name in [*{**names, **qualifiers}.items(), *(("qualifiers", slot) for slot in triple.qualifiers)]:
        if not name.strip():
            raise FieldError(f"{path}.{field}" if path else field, "expected a name, got an empty string")
    if text is not None:
        triple.check_offsets(text, path)
    return triple


def _document(value: Any, name: str) -> str:
    if value is None:
        value = name
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise FieldError("id", f"expected a string or a whole number, got {kind(value)}")
    return str(value)


def _model(data: Mapping[str, Any]) -> str:
    parts = {name: data.get(name) for name in ("model", "revision")}
    for name, part in parts.items():
        if part is not None and not isinstance(part, str):
            raise FieldError(name, f"expected a string, got {kind(part)}")
    return "@".join(part for part in parts.values() if part)


def _parts(source: Path) -> list[Path]:
    if not source.exists():
        raise FileNotFoundError(f"{source} does not exist; expected triples that `hf-spo extract` wrote")
    if not source.is_dir():
        return [source]
    parts = sorted(path for suffix in ("jsonl", "parquet") for path in source.glob(f"part-*.{suffix}"))
    parts = [path for path in parts if not path.name.endswith(".bad.jsonl")]
    if not parts:
        raise FileNotFoundError(f"{source} has no part-*.jsonl and no part-*.parquet; expected the output of extract")
    return parts


def _json_rows(lines: Iterable[bytes], source: str, name: str, on_bad_row: OnUnreadable | None) -> Iterator[Row]:
    # As bytes: only a line feed ends a line, not U+2028, and bytes that are not UTF-8 concern one line only.
    for number, raw in enumerate(lines, 1):
        line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        if not line.strip():
            continue
        try:
            row = row_of(_object(line), f"{name}:{number}")
        except ValueError as error:
            content = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
            _report(error, UnreadableRecord(source, number, str(error), content), on_bad_row)
        else:
            yield row


def _object(line: bytes) -> Mapping[str, Any]:
    try:
        data = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: byte {error.start + 1} of the line is 0x{line[error.start]:02x}") from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not valid JSON ({error}); expected one object a line") from None
    if not isinstance(data, dict):
        raise ValueError(f"expected a JSON object, got {kind(data)}")
    return data


def _parquet_rows(path: Path, on_bad_row: OnUnreadable | None) -> Iterator[Row]:
    import pyarrow as pa
    from pyarrow import parquet

    from ..support.tables import triple_of

    try:
        with parquet.ParquetFile(path) as file:
            is_flat = "triples" not in file.schema_arrow.names
            rows = (data for batch in file.iter_batches(1024) for data in batch.to_pylist())
            for number, data in enumerate(rows, 1):
                try:
                    row = row_of({**data, **triple_of(data)} if is_flat else data, f"{path.name}:{number}")
                except KeyError as error:
                    raise ValueError(f"{path}: the column {error} is missing; expected the output of extract") from None
                except ValueError as error:
                    _report(error, UnreadableRecord(str(path), number, str(error), unit="row"), on_bad_row)
                else:
                    yield row
    except pa.ArrowException as error:
        raise ValueError(f"{path}: not a readable Parquet file ({error})") from None


def _report(error: ValueError, record: UnreadableRecord, on_bad_row: OnUnreadable | None) -> None:
    if isinstance(error, FieldError):
        record = replace(record, field=error.field, reason=error.reason)
    if on_bad_row is None:
        raise ValueError(record.error)
    on_bad_row(record)
