"""Data files, line by line: every line becomes an example or is reported; nothing is dropped in silence."""

import codecs
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..schema import Example
from .duie import example_from_duie
from .fields import FieldError, kind, string
from .formats.base import BadLine, DataFormatError, OnBadLine
from .native import example_from_native

T = TypeVar("T")


def read_examples(path: str | Path, on_bad_line: OnBadLine | None = None) -> Iterator[Example]:
    """Read labelled texts, one JSON object a line: DuIE 1.0 or 2.0 (`spo_list`), or our own (`triples`, with offsets).

    Args:
        path: a UTF-8 file.
        on_bad_line: receives each line that is no example, which is then skipped; None raises instead.

    Raises:
        DataFormatError: a line is no example; the message names file, line, field and remedy.
        FileNotFoundError: there is no such file.
    """
    return read_rows(path, example_from_row, on_bad_line)


def read_texts(path: str | Path, on_bad_line: OnBadLine | None = None) -> Iterator[str]:
    """Read texts: the "text" fields of a .jsonl or .json file with one object a line, or the lines of any other file.

    Raises:
        DataFormatError: a line is no UTF-8, or has no "text"; the message names file, line, field and remedy.
        FileNotFoundError: there is no such file.
    """
    if Path(path).suffix in (".jsonl", ".json"):
        return read_rows(path, lambda row: string(row, "text"), on_bad_line)
    return _parsed(path, str, on_bad_line)


def read_rows(
    path: str | Path, parse: Callable[[Mapping[str, Any]], T], on_bad_line: OnBadLine | None = None
) -> Iterator[T]:
    """Read what `parse` makes of each line's JSON object; blank lines are passed over. See [`read_examples`]."""

    def parse_line(line: str) -> T | None:
        return parse(_object(line)) if line.strip() else None

    return (result for result in _parsed(path, parse_line, on_bad_line) if result is not None)


def example_from_row(row: Mapping[str, Any]) -> Example:
    """Read a row of any known format.

    Raises:
        FieldError: it is of no known format, or a field is missing or of the wrong type.
    """
    if "triples" in row:
        return example_from_native(row)
    if "spo_list" in row:
        return example_from_duie(row)
    raise FieldError("spo_list", f'no "spo_list" (DuIE) and no "triples"; the line has {sorted(map(str, row))}')


def _parsed(path: str | Path, parse: Callable[[str], T], on_bad_line: OnBadLine | None) -> Iterator[T]:
    path = Path(path)
    # As bytes: only a line feed ends a line, not U+2028, and a byte that is no UTF-8 is one line's problem.
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            content = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
            content = content.removesuffix(b"\n").removesuffix(b"\r")
            try:
                result = parse(content.decode("utf-8"))
            except (ValueError, RecursionError) as error:
                bad = BadLine(path, number, content.decode("utf-8", "backslashreplace"), _describe(error))
                if on_bad_line is None:
                    remedy = "mend the line, or pass --skip-bad-lines to set such lines aside"
                    raise DataFormatError(f"{bad}; {remedy}") from None
                on_bad_line(bad)
            else:
                yield result


def _object(line: str) -> Mapping[str, Any]:
    row = json.loads(line)
    if not isinstance(row, dict):
        raise FieldError("line", f"expected a JSON object, got {kind(row)}")
    return row


def _describe(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError | RecursionError):
        return f"no JSON ({error}); expected one object a line"
    if isinstance(error, UnicodeDecodeError):
        byte = error.object[error.start]
        return f"no UTF-8: byte {error.start + 1} of the line is 0x{byte:02x}; expected a UTF-8 file"
    return str(error)
