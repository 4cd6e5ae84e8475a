"""Our own rows: what `Example.to_dict` writes and the command line prints, `triples` with offsets."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ...model.fields import items
from ...model.schema import Example, Mention
from ..offsets import place
from .base import ConversionReport, Format, Record, Sample
from .rows import identifier, parsed_rows
from .writing import write_lines


def record_from_native(row: Mapping[str, Any], report: ConversionReport) -> Record:
    """Read one row: an [`Example`], with `id` and `entities`, mentions that are in no triple, if the row has them.

    Raises:
        FieldError: a field is missing or of the wrong type, or offsets do not match the text.
    """
    example = Example.from_dict(row)
    check = partial(_checked, text=example.text, report=report)
    triples = (
        replace(
            triple,
            subject=check(triple.subject, f"triples[{number}].subject"),
            object=check(triple.object, f"triples[{number}].object"),
            qualifiers={
                slot: check(mention, f"triples[{number}].qualifiers.{slot}")
                for slot, mention in triple.qualifiers.items()
            },
        )
        for number, triple in enumerate(example.triples)
    )
    listed = items(row, "entities", "mentions") if row.get("entities") is not None else []
    entities = (check(Mention.from_dict(entry, path), path) for path, entry in listed)
    return Record(example.text, tuple(triples), tuple(entities), identifier(row), example.annotated_predicates)


def _checked(mention: Mention, path: str, text: str, report: ConversionReport) -> Mention:
    if mention.span is None:
        return mention
    return place(text, mention.span.start, mention.span.end, mention.text, mention.type, path, report)


def row_of(record: Record) -> dict[str, Any]:
    """Return the JSON form of a record; `id` and `entities` are in it if there are any."""
    return {
        **({} if record.id is None else {"id": record.id}),
        **record.example.to_dict(),
        **({"entities": [mention.to_dict() for mention in record.entities]} if record.entities else {}),
    }


def _recognise(sample: Sample) -> bool:
    return any("triples" in row for row in sample.rows)


def _read(path: Path, report: ConversionReport) -> Iterator[Record]:
    return parsed_rows(path, lambda row: record_from_native(row, report), report)


def _write(records: Iterable[Record], path: Path, report: ConversionReport) -> None:
    write_lines(map(row_of, records), path)


FORMAT = Format(
    "hf-spo",
    "our own, which holds everything: text, triples with offsets, entities, id; also what hf-spo extract writes",
    _recognise,
    _read,
    _write,
)
