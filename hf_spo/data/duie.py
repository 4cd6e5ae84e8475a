"""DuIE 1.0 and 2.0: rows as they are published, and as `datasets` with explicit features."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets import DatasetDict, Features, IterableDatasetDict, Json, List, Value, load_dataset

from ..schema import VALUE_SLOT, Example, Mention, Triple

DUIE_FEATURES = Features(
    {
        "text": Value("string"),
        "spo_list": List(
            {
                "predicate": Value("string"),
                "subject": Value("string"),
                "subject_type": Value("string"),
                # A string in DuIE 1.0, an object of slots in 2.0.
                "object": Json(),
                "object_type": Json(),
            }
        ),
    }
)


class FieldError(ValueError):
    """A row lacks a field or has one of the wrong type; `field` is its path within the row."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


def example_from_duie(row: Mapping[str, Any]) -> Example:
    """Read one row of DuIE 1.0 (string objects) or 2.0 (objects of slots).

    Raises:
        FieldError: a field is missing or of the wrong type.
    """
    text = _string(row, "text", "")
    entries = row.get("spo_list")
    if not isinstance(entries, list):
        raise FieldError("spo_list", f"expected a list of triples, got {_name(entries)}")
    return Example(text, tuple(_triple(entry, f"spo_list[{index}]") for index, entry in enumerate(entries)))


def _triple(entry: Any, path: str) -> Triple:
    if not isinstance(entry, Mapping):
        raise FieldError(path, f"expected an object, got {_name(entry)}")
    subject = Mention(_string(entry, "subject", path), type=_string(entry, "subject_type", path))
    values, types = _slots(entry, "object", path), _slots(entry, "object_type", path)
    for slot in values:
        if slot not in types:
            raise FieldError(f"{path}.object_type", f'has no "{slot}", which the object has; it has {sorted(types)}')
    mentions = {slot: Mention(value, type=types[slot]) for slot, value in values.items()}
    value = mentions.pop(VALUE_SLOT)
    return Triple(subject, _string(entry, "predicate", path), value, mentions)


def _slots(entry: Mapping[str, Any], name: str, path: str) -> dict[str, str]:
    value = entry.get(name)
    if isinstance(value, str):
        return {VALUE_SLOT: value}
    if not isinstance(value, Mapping):
        raise FieldError(f"{path}.{name}", f'expected a string or an object with "@value", got {_name(value)}')
    if VALUE_SLOT not in value:
        raise FieldError(f"{path}.{name}", f'has no "{VALUE_SLOT}"; it has {sorted(value)}')
    # Tables fill absent slots with null; an empty string is how some exports write "no such slot".
    slots = {slot: content for slot, content in value.items() if content not in (None, "") or slot == VALUE_SLOT}
    for slot, content in slots.items():
        if not isinstance(content, str):
            raise FieldError(f"{path}.{name}.{slot}", f"expected a string, got {_name(content)}")
    return slots


def _string(entry: Mapping[str, Any], name: str, path: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise FieldError(f"{path}.{name}" if path else name, f"expected a string, got {_name(value)}")
    return value


def _name(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__


def load_duie(
    data_files: str | Path | Mapping[str, str | Path], *, streaming: bool = False
) -> DatasetDict | IterableDatasetDict:
    """Load DuIE files as `datasets`, with the same features whatever slots a file happens to use.

    Args:
        data_files: one file (split "train") or files by split.
        streaming: read while iterating, without a copy in the cache.
    """
    if isinstance(data_files, str | Path):
        data_files = {"train": data_files}
    files = {split: str(path) for split, path in data_files.items()}
    return load_dataset("json", data_files=files, features=DUIE_FEATURES, streaming=streaming)
