"""Our own rows: what `Example.to_dict` writes and the command line prints, `triples` with offsets."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ...model.fields import FieldError, items, kind, names, score, string, whole_number
from ...model.schema import Example, Mention, Triple
from ..offsets import place
from .base import Account, Format, Record, Sample
from .rows import identifier, parsed_rows
from .writing import write_lines


def example_from_native(row: Mapping[str, Any]) -> Example:
    """Read one row of our own format. Offsets, type, qualifiers and score may be missing.

    Raises:
        FieldError: a field is missing or of the wrong type, or offsets do not match the text.
    """
    return record_from_native(row, Account()).example


def record_from_native(row: Mapping[str, Any], account: Account) -> Record:
    """Read the same with what an example does not have: `id`, and `entities`, mentions that are in no triple."""
    text = string(row, "text")
    read = partial(_mention, text=text, account=account)
    entities = items(row, "entities", "mentions") if row.get("entities") is not None else []
    return Record(
        text,
        tuple(_triple(entry, path, read) for path, entry in items(row, "triples")),
        tuple(read(entry, path) for path, entry in entities),
        identifier(row),
        names(row, "annotated_predicates"),
    )


def row_of(record: Record) -> dict[str, Any]:
    """Return the JSON form of a record; `id` and `entities` are in it if there are any."""
    return {
        **({} if record.id is None else {"id": record.id}),
        **record.example.to_dict(),
        **({"entities": [mention.to_dict() for mention in record.entities]} if record.entities else {}),
    }


def _triple(entry: Mapping[str, Any], path: str, read: Any) -> Triple:
    qualifiers = entry.get("qualifiers")
    if qualifiers is None:
        qualifiers = {}
    if not isinstance(qualifiers, Mapping):
        raise FieldError(f"{path}.qualifiers", f"expected an object of mentions by slot, got {kind(qualifiers)}")
    return Triple(
        read(entry.get("subject"), f"{path}.subject"),
        string(entry, "predicate", path),
        read(entry.get("object"), f"{path}.object"),
        # Tables fill absent slots with null.
        {slot: read(value, f"{path}.qualifiers.{slot}") for slot, value in qualifiers.items() if value is not None},
        score(entry, path),
    )


def _mention(value: Any, path: str, text: str, account: Account) -> Mention:
    if not isinstance(value, Mapping):
        raise FieldError(path, f'expected a mention such as {{"text": …, "start": …, "end": …}}, got {kind(value)}')
    words = string(value, "text", path)
    type_ = "" if value.get("type") is None else string(value, "type", path)
    if value.get("start") is None and value.get("end") is None:
        return Mention(words, None, type_)
    start, end = whole_number(value, "start", path), whole_number(value, "end", path)
    return place(text, start, end, words, type_, path, account)


def _recognise(sample: Sample) -> bool:
    return any("triples" in row for row in sample.rows)


def _read(path: Path, account: Account) -> Iterator[Record]:
    return parsed_rows(path, lambda row: record_from_native(row, account), account)


def _write(records: Iterable[Record], path: Path, account: Account) -> None:
    write_lines(map(row_of, records), path)


FORMAT = Format(
    "hf-spo",
    "our own, which holds everything: text, triples with offsets, entities, id; also what hf-spo extract writes",
    _recognise,
    _read,
    _write,
)
