"""Rows of JSON files: an object a line, or all objects in one list."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeVar

from ...model.fields import FieldError, json_line, kind
from .base import Account, BadLine, DataFormatError
from .lines import decoded_lines, whole_text

T = TypeVar("T")

_LOOKED_AT = 1 << 16
_EXPECTED = "expected a JSON object"


class Row(NamedTuple):
    """An object of a file; see [`BadLine`] for the number and its unit. Without content, its JSON stands for it."""

    number: int
    unit: str
    content: str
    value: dict[str, Any]


def json_rows(path: Path, account: Account) -> Iterator[Row]:
    """Yield the objects of a file of JSON lines, or of a file with one JSON list.

    Lines are streamed, and blank ones passed over; a list is held in memory as a whole. A line or element that is no
    object is bad and goes to the account.

    Raises:
        DataFormatError: a list is cut off or otherwise no JSON; the file is no UTF-8; or a row is bad, and the account
            takes none.
        FileNotFoundError: there is no such file.
    """
    return _elements(path, account) if _is_list(path) else _lines(path, account)


def parsed_rows(path: Path, parse: Callable[[dict[str, Any]], T], account: Account) -> Iterator[T]:
    """Yield what `parse` makes of each object of a file, see [`json_rows`]; a row for which it raises is bad.

    Args:
        path: of JSON lines, or of one JSON list.
        parse: raises FieldError, or another ValueError, for a row that is wrong.
        account: takes bad rows, and raises DataFormatError if it does not.
    """
    return parsed(json_rows(path, account), path, parse, account)


def parsed(rows: Iterable[Row], path: Path, parse: Callable[[dict[str, Any]], T], account: Account) -> Iterator[T]:
    """Do the same for rows that come from elsewhere; `path` says where from."""
    for row in rows:
        lost, mended = account.lost.copy(), account.mended.copy()
        try:
            result = parse(row.value)
        except (ValueError, RecursionError) as error:
            account.lost, account.mended = lost, mended  # the row is lost as a whole
            content = row.content or _shown(row.value)
            account.bad(BadLine(path, row.number, content, str(error), row.unit))
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


def _lines(path: Path, account: Account) -> Iterator[Row]:
    for number, line in decoded_lines(path, account):
        content = line.removesuffix("\n").removesuffix("\r")
        if not content.strip():
            continue
        try:
            value = loads(content)
        except ValueError as error:
            account.bad(BadLine(path, number, content, f"no JSON ({error}); expected one object a line"))
            continue
        if isinstance(value, dict):
            yield Row(number, "", content, value)
        else:
            account.bad(BadLine(path, number, content, f"line: {_EXPECTED}, got {kind(value)}"))


def _elements(path: Path, account: Account) -> Iterator[Row]:
    try:
        elements = loads(whole_text(path))
    except DataFormatError:
        raise
    except ValueError as error:
        raise DataFormatError(
            f"{path}: no JSON list ({error}); is the file complete? Expected a list of objects, or one object a line"
        ) from None
    for number, element in enumerate(elements, 1):
        if isinstance(element, dict):
            yield Row(number, "row", "", element)
        else:
            account.bad(BadLine(path, number, json_line(element), f"{_EXPECTED}, got {kind(element)}", "row"))


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
