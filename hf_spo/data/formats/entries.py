"""Lists, numbers and references in the rows of annotation tools, read with their types checked."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from ...model.fields import FieldError, kind
from .base import ConversionReport

T = TypeVar("T")


def values(row: Mapping[str, Any], name: str, path: str = "") -> list[tuple[str, Any]]:
    """Return the elements of the list `row[name]`, each with its path; none if it is missing or null.

    Raises:
        FieldError: it is no list.
    """
    place = f"{path}.{name}" if path else name
    found = row.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise FieldError(place, f"expected a list, got {kind(found)}")
    return [(f"{place}[{index}]", value) for index, value in enumerate(found)]


def objects(row: Mapping[str, Any], name: str, path: str = "") -> list[tuple[str, Mapping[str, Any]]]:
    """Return the objects of the list `row[name]`, each with its path; none if it is missing or null.

    Raises:
        FieldError: it is no list, or one of its elements is no object.
    """
    found = values(row, name, path)
    for place, value in found:
        if not isinstance(value, Mapping):
            raise FieldError(place, f"expected an object, got {kind(value)}")
    return found


def strings(row: Mapping[str, Any], name: str, path: str = "") -> list[str]:
    """Return the strings of the list `row[name]`; none if it is missing or null.

    Raises:
        FieldError: it is no list, or one of its elements is no string.
    """
    found = values(row, name, path)
    for place, value in found:
        if not isinstance(value, str):
            raise FieldError(place, f"expected a string, got {kind(value)}")
    return [value for _, value in found]


def claim(known: dict[Any, T], row: Mapping[str, Any], name: str, path: str, value: T) -> None:
    """Let the identifier `row[name]` stand for a value.

    Raises:
        FieldError: it is neither string nor whole number, or stands for something else already.
    """
    found = row.get(name)
    if not isinstance(found, str | int):
        raise FieldError(f"{path}.{name}", f"expected a string or a whole number, got {kind(found)}")
    if found in known:
        raise FieldError(f"{path}.{name}", f"{found!r:.40} is the identifier of something else already")
    known[found] = value


def referred(known: Mapping[Any, T], row: Mapping[str, Any], name: str, path: str) -> T:
    """Return what the identifier `row[name]` stands for.

    Raises:
        FieldError: it is missing, or nothing has this identifier.
    """
    value = row.get(name)
    if not isinstance(value, str | int) or value not in known:
        raise FieldError(f"{path}.{name}", f"expected the identifier of an entity, got {value!r:.40}")
    return known[value]


def other_fields(row: Mapping[str, Any], known: Collection[str], report: ConversionReport) -> None:
    """Count the fields of a row that are not read, as far as they say anything."""
    report.lose("further fields of rows", sum(name not in known and bool(value) for name, value in row.items()))
