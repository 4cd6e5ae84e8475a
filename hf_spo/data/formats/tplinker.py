"""TPLinker's data: rows with `relation_list`, with or without character spans."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...model.fields import FieldError, items, kind, string
from ...model.schema import Mention, Span, Triple
from ..offsets import place
from .base import ConversionReport, Record
from .json_rows import identifier, json_format
from .losses import Part, lose_parts

_NO_TYPE = "DEFAULT"
_SPANS = {"subject": "subj_char_span", "object": "obj_char_span", "text": "char_span"}
"""Fields with the offsets of the words in a field."""

Place = tuple[str, Span | None]
"""Words and offsets of a mention: its key in `entity_list`, which has its type."""


def record_from_tplinker(row: Mapping[str, Any], report: ConversionReport) -> Record:
    """Read one row: text, triples of words, with offsets if the file has them, and their types from `entity_list`.

    Token spans are ignored: they depend on a tokenizer, and follow from the character spans.

    Raises:
        FieldError: a field is missing or of the wrong type, or a span does not match the text.
    """
    text = string(row, "text")
    listed = items(row, "entity_list", "entities") if row.get("entity_list") is not None else []
    entities = [_mention(text, entry, "text", path, report) for path, entry in listed]
    types: dict[Place, str] = {}
    for entity in entities:
        types.setdefault(_place(entity), entity.type)
    triples = tuple(_triple(text, entry, path, types, report) for path, entry in items(row, "relation_list"))
    used = {_place(mention) for triple in triples for mention in (triple.subject, triple.object)}
    free = tuple(entity for entity in entities if _place(entity) not in used)
    return Record(text, triples, free, identifier(row))


def _triple(
    text: str, entry: Mapping[str, Any], path: str, types: Mapping[Place, str], report: ConversionReport
) -> Triple:
    subject, object_ = (_mention(text, entry, role, path, report) for role in ("subject", "object"))
    return Triple(
        replace(subject, type=types.get(_place(subject), "")),
        string(entry, "predicate", path),
        replace(object_, type=types.get(_place(object_), "")),
    )


def _mention(text: str, entry: Mapping[str, Any], field: str, path: str, report: ConversionReport) -> Mention:
    words = string(entry, field, path)
    type_ = "" if entry.get("type") in (None, _NO_TYPE) else string(entry, "type", path)
    span = entry.get(_SPANS[field])
    if span is None:
        return Mention(words, None, type_)
    if not isinstance(span, list) or [type(offset) for offset in span] != [int, int]:
        raise FieldError(f"{path}.{_SPANS[field]}", f"expected two whole numbers, got {kind(span)} {span!r:.40}")
    return place(text, span[0], span[1], words, type_, f"{path}.{field}", report)


def _place(mention: Mention) -> Place:
    return mention.text, mention.span


def _row(record: Record, report: ConversionReport) -> dict[str, Any]:
    lose_parts(record, report, Part.QUALIFIERS, Part.SCORES, Part.PARTIAL)
    entities: dict[Place, Mention] = {}
    for mention in (*_ends(record.triples), *record.entities):
        if entities.setdefault(_place(mention), mention).type != mention.type:
            report.lose("further types of a mention")
    return {
        **({} if record.id is None else {"id": record.id}),
        "text": record.text,
        "relation_list": [
            {
                "subject": triple.subject.text,
                "object": triple.object.text,
                **_span(triple.subject, "subject"),
                **_span(triple.object, "object"),
                "predicate": triple.predicate,
            }
            for triple in record.triples
        ],
        "entity_list": [
            {"text": mention.text, "type": mention.type or _NO_TYPE, **_span(mention, "text")}
            for mention in entities.values()
        ],
    }


def _ends(triples: Iterable[Triple]) -> Iterator[Mention]:
    for triple in triples:
        yield triple.subject
        yield triple.object


def _span(mention: Mention, field: str) -> dict[str, list[int]]:
    return {} if mention.span is None else {_SPANS[field]: [mention.span.start, mention.span.end]}


FORMAT = json_format(
    "tplinker",
    "TPLinker: relation_list with or without character spans, types in entity_list",
    lambda sample: sample.any_row(lambda row: "relation_list" in row),
    record_from_tplinker,
    _row,
    as_list=True,
)
