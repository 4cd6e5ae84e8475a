"""DuIE 1.0 and 2.0 and CMeIE, as they are published: rows with `spo_list`, without offsets."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ...model.fields import FieldError, items, kind, names, string
from ...model.schema import VALUE_SLOT, Example, Mention, Triple
from ..occurrences import OccurrencePolicy, locate
from .base import ConversionReport, Format, Record, Sample
from .losses import Part, lose_parts
from .rows import parsed_rows
from .writing import write_lines

_COMBINED = "Combined"
"""CMeIE's mark of a triple that no single sentence states."""


def example_from_duie(row: Mapping[str, Any]) -> Example:
    """Read one row of DuIE 1.0 (string objects) or 2.0 (objects of slots).

    Raises:
        FieldError: a field is missing or of the wrong type.
    """
    return record_from_duie(row, ConversionReport()).example


def record_from_duie(row: Mapping[str, Any], report: ConversionReport) -> Record:
    """Read the same, or a row of CMeIE, whose marks of triples across sentences are counted as lost."""
    entries = items(row, "spo_list")
    record = Record(
        string(row, "text"),
        tuple(_triple(entry, path) for path, entry in entries),
        annotated_predicates=names(row, "annotated_predicates"),
    )
    report.lose("marks of triples across sentences", sum(entry.get(_COMBINED) is True for _, entry in entries))
    return record


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


def _read(path: Path, report: ConversionReport) -> Iterator[Record]:
    return parsed_rows(path, lambda row: record_from_duie(row, report), report)


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


def _write(
    records: Iterable[Record], path: Path, report: ConversionReport, *, entry: Entry, lost: tuple[Part, ...]
) -> None:
    def row_of(record: Record) -> dict[str, Any]:
        lose_parts(record, report, *lost)
        partial = record.annotated_predicates
        return {
            "text": record.text,
            "spo_list": [entry(record, triple) for triple in record.triples],
            **({} if partial is None else {"annotated_predicates": list(partial)}),
        }

    write_lines(map(row_of, records), path)


def _entries(sample: Sample) -> list[Mapping[str, Any]]:
    lists = [row["spo_list"] for row in sample.rows if isinstance(row.get("spo_list"), list)]
    return [entry for entries in lists for entry in entries if isinstance(entry, Mapping)]


def _is_cmeie(sample: Sample) -> bool:
    return any(_COMBINED in entry for entry in _entries(sample))


def _is_duie1(sample: Sample) -> bool:
    return any(isinstance(entry.get("object"), str) for entry in _entries(sample))


def _is_duie2(sample: Sample) -> bool:
    return any("spo_list" in row for row in sample.rows)


_NEVER = (Part.IDENTIFIERS, Part.OFFSETS, Part.SCORES, Part.ENTITIES)

DUIE1 = Format(
    "duie1",
    "DuIE 1.0: spo_list with objects that are strings; no offsets, no qualifiers",
    _is_duie1,
    _read,
    partial(_write, entry=_entry_1, lost=(*_NEVER, Part.QUALIFIERS)),
)
DUIE2 = Format(
    "duie2",
    "DuIE 2.0: spo_list with objects of slots (@value, inWork, …); no offsets",
    _is_duie2,
    _read,
    partial(_write, entry=_entry_2, lost=_NEVER),
)
CMEIE = Format(
    "cmeie",
    "CMeIE (CBLUE): as DuIE 2.0, with a mark of triples across sentences",
    _is_cmeie,
    _read,
    partial(_write, entry=_entry_cmeie, lost=_NEVER),
)
