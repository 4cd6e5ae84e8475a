"""Rows of DuIE 1.0 and 2.0, as they are published."""

from collections.abc import Mapping
from typing import Any

from ..schema import VALUE_SLOT, Example, Mention, Triple
from .fields import FieldError, items, kind, string


def example_from_duie(row: Mapping[str, Any]) -> Example:
    """Read one row of DuIE 1.0 (string objects) or 2.0 (objects of slots).

    Raises:
        FieldError: a field is missing or of the wrong type.
    """
    return Example(string(row, "text"), tuple(_triple(entry, path) for path, entry in items(row, "spo_list")))


def _triple(entry: Mapping[str, Any], path: str) -> Triple:
    subject = Mention(string(entry, "subject", path), type=string(entry, "subject_type", path))
    values, types = _slots(entry, "object", path), _slots(entry, "object_type", path)
    for slot in values:
        if slot not in types:
            raise FieldError(f"{path}.object_type", f'has no "{slot}", which the object has; it has {sorted(types)}')
    mentions = {slot: Mention(value, type=types[slot]) for slot, value in values.items()}
    value = mentions.pop(VALUE_SLOT)
    return Triple(subject, string(entry, "predicate", path), value, mentions)


def _slots(entry: Mapping[str, Any], name: str, path: str) -> dict[str, str]:
    value = entry.get(name)
    if isinstance(value, str):
        return {VALUE_SLOT: value}
    if not isinstance(value, Mapping):
        raise FieldError(f"{path}.{name}", f'expected a string or an object with "@value", got {kind(value)}')
    if VALUE_SLOT not in value:
        raise FieldError(f"{path}.{name}", f'has no "{VALUE_SLOT}"; it has {sorted(value)}')
    # Tables fill absent slots with null; an empty string is how some exports write "no such slot".
    slots = {slot: content for slot, content in value.items() if content not in (None, "") or slot == VALUE_SLOT}
    for slot, content in slots.items():
        if not isinstance(content, str):
            raise FieldError(f"{path}.{name}.{slot}", f"expected a string, got {kind(content)}")
    return slots
