"""DuIE 1.0, DuIE 2.0 and CMeIE: rows with `spo_list`, without offsets."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ...model.fields import FieldError, kind, names, string
from ...model.schema import VALUE_SLOT, Example, Mention, Triple
from ..occurrences import OccurrencePolicy, locate
from .base import ConversionReport, Record, Sample
from .casrel import bare_triple
from .json_rows import json_format, values
from .losses import Part, lose_parts
from .placing import trimmed

_COMBINED = "Combined"
"""CMeIE's flag of a triple whose mentions are in different sentences."""


def example_from_duie(row: Mapping[str, Any]) -> Example:
    """Read one row of DuIE 1.0 (string objects) or 2.0 (objects of slots).

    Raises:
        FieldError: a field is missing or of the wrong type.
    """
    return trimmed(record_from_duie(row, ConversionReport()), ConversionReport()).example


def record_from_duie(row: Mapping[str, Any], report: ConversionReport) -> Record:
    """Read a row of DuIE or CMeIE, whose marks of triples across sentences are counted as lost.

    As other projects write such rows, an entry may be a list of subject, predicate and object, or lack the types.
    """
    entries = values(row, "spo_list", required=True)
    record = Record(
        string(row, "text"),
        tuple(_triple(entry, path) for path, entry in entries),
        annotated_predicates=names(row, "annotated_predicates"),
    )
    marks = sum(isinstance(entry, Mapping) and entry.get(_COMBINED) is True for _, entry in entries)
    report.lose("marks of triples across sentences", marks)
    return record


def _triple(entry: Any, path: str) -> Triple:
    if isinstance(entry, list | tuple):
        return bare_triple(entry, path)
    if not isinstance(entry, Mapping):
        raise FieldError(path, f"expected an object, got {kind(entry)}")
    subject_type = "" if entry.get("subject_type") is None else string(entry, "subject_type", path)
    subject = Mention(string(entry, "subject", path), type=subject_type)
    slots = _slots(entry, "object", path)
    types = dict.fromkeys(slots, "") if entry.get("object_type") is None else _slots(entry, "object_type", path)
    for slot in slots:
        if slot not in types:
            raise FieldError(f"{path}.object_type", f'has no "{slot}", which the object has; it has {sorted(types)}')
    mentions = {slot: Mention(value, type=types[slot]) for slot, value in slots.items()}
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


Entry = Callable[[Record, Triple], dict[str, Any]]
"""Makes the entry of a triple in `spo_list`."""


def _entry_1(record: Record, triple: Triple) -> dict[str, Any]:
    return {
        "predicate": triple.predicate,
        "object_type": triple.object.type,
        "subject_type": triple.subject.type,
        "object": triple.object.text,
        "subject": triple.subject.text,
    }


def _entry_2(record: Record, triple: Triple) -> dict[str, Any]:
    return {
        "predicate": triple.predicate,
        "object_type": {slot: mention.type for slot, mention in triple.slots()},
        "subject_type": triple.subject.type,
        "object": {slot: mention.text for slot, mention in triple.slots()},
        "subject": triple.subject.text,
    }


def _entry_cmeie(record: Record, triple: Triple) -> dict[str, Any]:
    return {_COMBINED: _across_sentences(record.text, triple), **_entry_2(record, triple)}


def _across_sentences(text: str, triple: Triple) -> bool:
    for found in locate(text, triple, OccurrencePolicy.NEAREST):
        spans = sorted(mention.span for mention in (found.subject, found.object) if mention.span)
        return any(mark in text[spans[0].end : spans[-1].start] for mark in _SENTENCE_ENDS)
    return False


_SENTENCE_ENDS = "。！？!?\n"


def _row(record: Record, report: ConversionReport, *, entry: Entry, lost: tuple[Part, ...]) -> dict[str, Any]:
    lose_parts(record, report, *lost)
    partial = record.annotated_predicates
    return {
        "text": record.text,
        "spo_list": [entry(record, triple) for triple in record.triples],
        **({} if partial is None else {"annotated_predicates": list(partial)}),
    }


def _entries(sample: Sample) -> list[Any]:
    lists = [row["spo_list"] for row in sample.rows if isinstance(row.get("spo_list"), list)]
    return [entry for entries in lists for entry in entries]


def _is_cmeie(sample: Sample) -> bool:
    return any(isinstance(entry, Mapping) and _COMBINED in entry for entry in _entries(sample))


def _is_duie1(sample: Sample) -> bool:
    entries = _entries(sample)
    return any(
        isinstance(entry, list) or (isinstance(entry, Mapping) and isinstance(entry.get("object"), str))
        for entry in entries
    )


def _is_duie2(sample: Sample) -> bool:
    return sample.any_row(lambda row: "spo_list" in row)


_NEVER = (Part.IDENTIFIERS, Part.OFFSETS, Part.SCORES, Part.ENTITIES)

DUIE1 = json_format(
    "duie1",
    "DuIE 1.0: spo_list with objects that are strings; no offsets, no qualifiers",
    _is_duie1,
    record_from_duie,
    partial(_row, entry=_entry_1, lost=(*_NEVER, Part.QUALIFIERS)),
)
DUIE2 = json_format(
    "duie2",
    "DuIE 2.0: spo_list with objects of slots (@value, inWork, …); no offsets",
    _is_duie2,
    record_from_duie,
    partial(_row, entry=_entry_2, lost=_NEVER),
)
CMEIE = json_format(
    "cmeie",
    "CMeIE (CBLUE): as DuIE 2.0, with a mark of triples across sentences",
    _is_cmeie,
    record_from_duie,
    partial(_row, entry=_entry_cmeie, lost=_NEVER),
)
