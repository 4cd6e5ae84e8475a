"""Read the fields of JSON objects with their types checked, and write JSON lines.

An error names the field by its path within the object, such as "triples[2].object.text".
"""

import json
import sys
from collections.abc import Mapping
from typing import Any


class FieldError(ValueError):
    """A field of a row is missing or wrong.

    Attributes:
        field: its path within the row.
        reason: what came and what was expected.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)  # both, so that the error can be pickled
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


def kind(value: Any) -> str:
    """Return the name of a value's type for an error message; "nothing" for None."""
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
    """Return the integer `row[name]`; 19.0, as pandas writes integers of a column with gaps, is read as 19.

    Raises:
        FieldError: it is missing or no integer; True and False are not integers here.
    """
    value = row.get(name)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        got = repr(value) if isinstance(value, float) else kind(value)
        raise FieldError(f"{path}.{name}" if path else name, f"expected a whole number, got {got}")
    return value


def score(row: Mapping[str, Any], path: str = "") -> float | None:
    """Return the finite number `row["score"]`, or None if it is missing or null.

    Raises:
        FieldError: it is something else.
    """
    value = row.get("score")
    if value is None:
        return None
    place = f"{path}.score" if path else "score"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FieldError(place, f"expected a number, got {kind(value)}")
    if not -_LARGEST <= value <= _LARGEST:  # false for NaN as well
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
    """Return the objects of the list `row[name]`, each with its path; an array, as pandas returns it, is a list too.

    Raises:
        FieldError: the list is missing or no list, or one of its elements is no object.
    """
    values: Any = row.get(name)
    if hasattr(values, "tolist"):
        values = values.tolist()
    if not isinstance(values, list | tuple):
        raise FieldError(name, f"expected a list of {of}, got {kind(values)}")
    for index, value in enumerate(values):
        if not isinstance(value, Mapping):
            raise FieldError(f"{name}[{index}]", f"expected an object, got {kind(value)}")
    return [(f"{name}[{index}]", value) for index, value in enumerate(values)]


def json_line(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON with non-ASCII characters unescaped, on one line unless indented."""
    line = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        line.encode()
    except UnicodeEncodeError:  # a lone surrogate can only be written as an escape
        return json.dumps(value, indent=indent)
    return line
