"""Rows of this package: what `Example.to_dict` returns and `hf-spo extract` writes."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from ...model.fields import items
from ...model.schema import Example, Mention
from ..offsets import place
from .base import ConversionReport, Record
from .json_rows import identifier, json_format


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


FORMAT = json_format(
    "hf-spo",
    "our own, which holds everything: text, triples with offsets, entities, id; also what hf-spo extract writes",
    lambda sample: sample.any_row(lambda row: "triples" in row),
    record_from_native,
    lambda record, report: row_of(record),
)
