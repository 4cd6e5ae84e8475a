"""Rows of JSON files: an object a line, or all objects in one list."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeVar

from ...model.fields import FieldError, json_line, kind
from .base import ConversionReport, DataFormatError
from .lines import decoded_lines, whole_text

T = TypeVar("T")

_LOOKED_AT = 1 << 16
_EXPECTED = "expected a JSON object"


class Row(NamedTuple):
    """An object of a file, with its number; `content` is its source text, empty where the JSON of the value will do."""

    number: int
    unit: str
    content: str
    value: dict[str, Any]


def json_rows(path: Path, report: ConversionReport) -> Iterator[Row]:
    """Yield the objects of a file of JSON lines, or of a file with one JSON list.

    Lines are streamed, and blank ones passed over; a list is held in memory as a whole. A line or element that is no
    object is bad and goes to the report.

    Raises:
        DataFormatError: a list is cut off or otherwise no JSON; the file is not UTF-8; or a row is bad, and the report
            takes none.
        FileNotFoundError: there is no such file.
    """
    return _elements(path, report) if _is_list(path) else _lines(path, report)


def parsed_rows(path: Path, parse: Callable[[dict[str, Any]], T], report: ConversionReport) -> Iterator[T]:
    """Yield what `parse` makes of each object of a file, see [`json_rows`]; a row for which it raises is bad.

    Args:
        path: of JSON lines, or of one JSON list.
        parse: raises FieldError, or another ValueError, for a row that is wrong.
        report: takes bad rows, and raises DataFormatError if it does not.
    """
    return parsed(json_rows(path, report), path, parse, report)


def parsed(
    rows: Iterable[Row], path: Path, parse: Callable[[dict[str, Any]], T], report: ConversionReport
) -> Iterator[T]:
    """Do the same for rows that come from elsewhere; `path` says where from."""
    for row in rows:
        lost, corrected = report.lost.copy(), report.corrected.copy()
        try:
            result = parse(row.value)
        except (ValueError, RecursionError) as error:
            report.lost, report.corrected = lost, corrected  # the row is lost as a whole
            content = row.content or _shown(row.value)
            report.skip(error, path, row.number, content, row.unit)
        else:
            yield result


def numbered(rows: Iterable[dict[str, Any]]) -> Iterator[Row]:
    """Number the rows of a table from 1."""
    return (Row(number, "row", "", row) for number, row in enumerate(rows, 1))


def _shown(row: dict[str, Any]) -> str:
    try:
        return json_line(row)
    except TypeError:  # tables have dates and bytes, too
        return repr(row)


def loads(content: str) -> Any:
    """Parse JSON proper: NaN and Infinity, which Python takes for numbers, are none.

    Raises:
        ValueError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(content, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def _is_list(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(_LOOKED_AT).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def _lines(path: Path, report: ConversionReport) -> Iterator[Row]:
    for number, line in decoded_lines(path, report):
        content = line.removesuffix("\n").removesuffix("\r")
        if not content.strip():
            continue
        try:
            value = loads(content)
        except ValueError as error:
            report.skip(f"not JSON ({error}); expected one object a line", path, number, content)
            continue
        if isinstance(value, dict):
            yield Row(number, "line", content, value)
        else:
            report.skip(f"{_EXPECTED}, got {kind(value)}", path, number, content)


def _elements(path: Path, report: ConversionReport) -> Iterator[Row]:
    try:
        elements = loads(whole_text(path))
    except DataFormatError:
        raise
    except ValueError as error:
        raise DataFormatError(
            f"{path}: not a JSON list ({error}); is the file complete? Expected a list of objects, or one object a line"
        ) from None
    for number, element in enumerate(elements, 1):
        if isinstance(element, dict):
            yield Row(number, "row", "", element)
        else:
            report.skip(f"{_EXPECTED}, got {kind(element)}", path, number, json_line(element), "row")


def identifier(row: Mapping[str, Any], name: str = "id") -> str | None:
    """Return what a row calls its text, a string or a whole number; None if it says nothing.

    Raises:
        FieldError: it is something else.
    """
    value = row.get(name)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldError(name, f"expected a string or a whole number, got {kind(value)}")
    return str(value)
