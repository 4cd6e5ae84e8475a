"""Parts of records that some formats cannot hold, and how they are counted."""

import json
from collections.abc import Mapping
from enum import StrEnum

from ...support.safe_text import SURROGATE
from .base import ConversionReport, Record
from .native import record_from_native, row_of


class Part(StrEnum):
    """A part of records that many formats have no field for; the value is its name in reports."""

    IDENTIFIERS = "identifiers"
    OFFSETS = "offsets of mentions"
    TYPES = "types of mentions"
    QUALIFIERS = "qualifiers"
    SCORES = "scores"
    ENTITIES = "entities in no triple"
    PARTIAL = "which predicates' labels are complete"


def lose_parts(record: Record, report: ConversionReport, *parts: Part) -> None:
    """Count what is left out if a record is written without these parts.

    For mentions that are left out as qualifiers or entities, offsets and types are not counted again.
    """
    counts = _counts(record, set(parts))
    for part in parts:
        report.lose(part.value, counts[part])


def _counts(record: Record, left_out: set[Part]) -> Mapping[Part, int]:
    triples = record.triples
    mentions = [mention for triple in triples for mention in (triple.subject, triple.object)]
    qualifiers = [mention for triple in triples for mention in triple.qualifiers.values()]
    if Part.QUALIFIERS not in left_out:
        mentions += qualifiers
    if Part.ENTITIES not in left_out:
        mentions += record.entities
    return {
        Part.IDENTIFIERS: record.id is not None,
        Part.OFFSETS: sum(mention.span is not None for mention in mentions),
        Part.TYPES: sum(mention.type != "" for mention in mentions),
        Part.QUALIFIERS: len(qualifiers),
        Part.SCORES: sum(triple.score is not None for triple in triples),
        Part.ENTITIES: len(record.entities),
        Part.PARTIAL: record.annotated_predicates is not None,
    }


def encodable(record: Record, report: ConversionReport) -> Record:
    """Return a record that UTF-8 can hold: each lone surrogate becomes U+FFFD, and offsets stay right."""
    content = json.dumps(row_of(record), ensure_ascii=False)
    if not SURROGATE.search(content):
        return record
    report.lose("lone surrogates, written as U+FFFD", len(SURROGATE.findall(record.text)) or 1)
    return record_from_native(json.loads(SURROGATE.sub("\ufffd", content)), ConversionReport())
