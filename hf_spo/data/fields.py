"""Fields of a data row, read with their types checked; a wrong one is named by its path within the row."""

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


def items(row: Mapping[str, Any], name: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the objects of the list `row[name]`, each with its path.

    Raises:
        FieldError: the list is missing or no list, or one of its elements is no object.
    """
    values = row.get(name)
    if not isinstance(values, list):
        raise FieldError(name, f"expected a list of triples, got {kind(values)}")
    for index, value in enumerate(values):
        if not isinstance(value, Mapping):
            raise FieldError(f"{name}[{index}]", f"expected an object, got {kind(value)}")
    return [(f"{name}[{index}]", value) for index, value in enumerate(values)]
