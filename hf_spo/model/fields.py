"""Read the fields of JSON objects with their types checked, and write JSON lines.

An error names the field by its path within the object.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any


class FieldError(ValueError):
    """A row lacks a field or has one of the wrong type; `field` is its path within the row."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


def kind(value: Any) -> str:
    """Name what came instead of what was expected."""
    return "nothing" if value is None else type(value).__name__


def string(row: Mapping[str, Any], name: str, path: str = "") -> str:
    """Return the string `row[name]`.

    Raises:
        FieldError: it is missing or no string.
    """
    value = row.get(name)
    if not isinstance(value, str):
        raise FieldError(f"{path}.{name}" if path else name, f"expected a string, got {kind(value)}")
    return value


def whole_number(row: Mapping[str, Any], name: str, path: str = "") -> int:
    """Return the integer `row[name]`; True and 1.0 are none.

    Raises:
        FieldError: it is missing or no integer.
    """
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldError(f"{path}.{name}" if path else name, f"expected a whole number, got {kind(value)}")
    return value


def score(row: Mapping[str, Any], path: str = "") -> float | None:
    """Return the finite number `row["score"]`, or None if there is none.

    Raises:
        FieldError: it is something else.
    """
    value = row.get("score")
    if value is None:
        return None
    place = f"{path}.score" if path else "score"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FieldError(place, f"expected a number, got {kind(value)}")
    if not -_LARGEST <= value <= _LARGEST:  # nor is NaN
        raise FieldError(place, "expected a finite number")
    return value


_LARGEST = sys.float_info.max


def names(row: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """Return the strings of the list `row[name]`, or None if there is no such list.

    Raises:
        FieldError: it is no list, or an element is no string.
    """
    values = row.get(name)
    if values is None:
        return None
    if not isinstance(values, list | tuple):
        raise FieldError(name, f"expected a list of names, got {kind(values)}")
    for index, value in enumerate(values):
        if not isinstance(value, str):
            raise FieldError(f"{name}[{index}]", f"expected a string, got {kind(value)}")
    return tuple(values)


def items(row: Mapping[str, Any], name: str, of: str = "triples") -> list[tuple[str, Mapping[str, Any]]]:
    """Return the objects of the list `row[name]`, each with its path.

    Raises:
        FieldError: the list is missing or no list, or one of its elements is no object.
    """
    values = row.get(name)
    if not isinstance(values, list):
        raise FieldError(name, f"expected a list of {of}, got {kind(values)}")
    for index, value in enumerate(values):
        if not isinstance(value, Mapping):
            raise FieldError(f"{name}[{index}]", f"expected an object, got {kind(value)}")
    return [(f"{name}[{index}]", value) for index, value in enumerate(values)]


def json_line(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON, one line unless indented, with its characters as they are."""
    line = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        line.encode()
    except UnicodeEncodeError:  # a lone surrogate can only be written as an escape
        return json.dumps(value, indent=indent)
    return line
