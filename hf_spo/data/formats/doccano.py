"""doccano: JSON lines with entities and relations; older exports, which have entities only, are read too.

Written files are imported into a project for sequence labelling with relations; if entities overlap, the project has to
allow that. Offsets are code points.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from ...model.fields import FieldError, kind, string, whole_number
from ...model.schema import Span
from ..offsets import OFFSETS_REMEDY, explain_without_words, is_torn, place
from ..uncertainty import uncertainty
from .annotation import Annotation, Link, from_annotation, label, to_annotation
from .base import ConversionReport, Record, Sample
from .json_rows import claim, identifier, json_format, objects, other_fields, referred, values, write_lines

_SPANS = ("entities", "labels", "label", "annotations")
_COMMENTS = ("Comments", "comments")
_Entry = tuple[str, Mapping[str, Any]]
"""An entity with its path."""

_KNOWN = ("id", "text", "data", "relations", "cats", *_SPANS, *_COMMENTS)


def _recognise(sample: Sample) -> bool:
    return sample.any_row(_fits)


def _fits(row: Mapping[str, Any]) -> bool:
    row = _unpacked(row)
    lists = [row[name] for name in _SPANS if isinstance(row.get(name), list)]
    entries = [entry for found in lists for entry in found]
    if not isinstance(row.get("text", row.get("data")), str) or not lists:
        return False
    # Without an entity, only the pair of lists tells a row from others'.
    return all(map(_is_span, entries)) if entries else {"id", "entities", "relations"} <= set(row)


def _is_span(entry: Any) -> bool:
    if isinstance(entry, Mapping):
        return "start_offset" in entry
    return isinstance(entry, list) and len(entry) == 3 and isinstance(entry[0], int) and isinstance(entry[2], str)


def _unpacked(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row of versions before 1.7, which have entities and relations under "label", as later ones write it."""
    label = row.get("label")
    if not isinstance(label, Mapping):
        return row
    return {**{name: value for name, value in row.items() if name != "label"}, **label}


def _record(row: Mapping[str, Any], report: ConversionReport) -> Record:
    row = _unpacked(row)
    text = string(row, "data" if "data" in row and "text" not in row else "text")
    found = list(_spans(row, report))
    places: dict[str | int, int] = {}
    for number, (path, entry) in enumerate(found):
        if entry.get("id") is not None:
            claim(places, entry, "id", path, number)
    entities = [
        place(text, start, end, _words(entry), _type(entry, path, report), path, report)
        for (path, entry), (start, end) in zip(found, _offsets(text, found, report), strict=True)
    ]
    links = []
    for path, entry in objects(row, "relations"):
        head, tail = (referred(places, entry, name, path) for name in ("from_id", "to_id"))
        links.append(Link(head, string(entry, "type", path), tail))
    report.lose("comments", sum(len(values(row, name)) for name in _COMMENTS))
    other_fields(row, _KNOWN, report)
    return from_annotation(text, Annotation(entities, links), report, identifier(row))


def _words(entry: Mapping[str, Any]) -> str | None:
    words = entry.get("text")
    return words if isinstance(words, str) else None


def _offsets(text: str, found: Sequence[_Entry], report: ConversionReport) -> list[tuple[int, int]]:
    """Return the offsets of entities.

    doccano has no words beside them. A project that counts grapheme clusters shows by offsets that tear words apart.

    Raises:
        FieldError: the offsets fit in another unit only, and are not to be corrected.
    """
    given = [
        (whole_number(entry, "start_offset", path), whole_number(entry, "end_offset", path)) for path, entry in found
    ]
    if any(_words(entry) is not None for _, entry in found):
        return given
    explained = explain_without_words(text, given)
    if explained is not None:
        how, spans = explained
        if not report.correct_offsets:
            raise FieldError(found[0][0], f"the offsets tear words apart, and fit {how}; {OFFSETS_REMEDY}")
        report.correct(f"offsets {how}", len(spans))
        return [(span.start, span.end) for span in spans]
    within = [Span(start, end) for start, end in given if 0 <= start < end <= len(text)]
    report.doubt("mentions that begin or end inside a word", sum(is_torn(text, span) for span in within))
    return given


def _spans(row: Mapping[str, Any], report: ConversionReport) -> Iterator[_Entry]:
    """Yield entities, which may be lists of start, end and label; single labels are categories of the text."""
    if not any(name in row for name in _SPANS):
        raise FieldError("entities", "expected a list of entities, got nothing")
    for path, entry in (found for name in _SPANS for found in values(row, name)):
        if isinstance(entry, list) and len(entry) == 3:
            yield path, dict(zip(("start_offset", "end_offset", "label"), entry, strict=True))
        elif isinstance(entry, Mapping):
            yield path, entry
        elif isinstance(entry, str):
            report.lose("categories of texts")
        else:
            raise FieldError(path, f"expected an object or a list of start, end and label, got {kind(entry)}")
    report.lose("categories of texts", len(values(row, "cats")))


def _type(entry: Mapping[str, Any], path: str, report: ConversionReport) -> str:
    if isinstance(entry.get("label"), int):
        report.lose("names of labels, of which the file has the numbers")
        return str(entry["label"])
    return string(entry, "label", path)


def _write(records: Iterable[Record], path: Path, report: ConversionReport) -> None:
    numbers = count(1)
    write_lines((_row(record, report, numbers) for record in records), path)


def write_predictions(records: Iterable[Record], path: Path, report: ConversionReport, model_version: str) -> None:
    """Write predictions as labels for annotators to approve in doccano.

    doccano shows the other fields next to the text: `model_version`, and `uncertainty` from 0 to 1.

    Args:
        records: with scored triples.
        path: of the file.
        report: counts what cannot be written.
        model_version: name of the model.

    Raises:
        ValueError: a triple has no score.
    """
    numbers = count(1)
    rows = (
        {**_row(record, report, numbers), "model_version": model_version, "uncertainty": uncertainty(record.triples)}
        for record in records
    )
    write_lines(rows, path)


def _row(record: Record, report: ConversionReport, numbers: Iterator[int]) -> dict[str, Any]:
    """Return a row; `numbers` gives each entity and relation of the file its identifier."""
    annotation = to_annotation(record, report)
    entities = [
        {"id": next(numbers), "label": label(one.type), "start_offset": span.start, "end_offset": span.end}
        for one, span in annotation.placed
    ]
    relations = [
        {
            "id": next(numbers),
            "from_id": entities[link.head]["id"],
            "to_id": entities[link.tail]["id"],
            "type": link.name,
        }
        for link in annotation.links
    ]
    name = {} if record.id is None else {"id": record.id}
    return {**name, "text": record.text, "entities": entities, "relations": relations}


FORMAT = replace(
    json_format("doccano", "JSON lines of doccano: entities and relations between them", _recognise, _record),
    write=_write,
)
