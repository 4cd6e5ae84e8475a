"""Prodigy: JSON lines of its relations interface, with tokens, spans and relations between spans.

A relation refers to its ends by their last tokens and, in `head_span` and `child_span`, by offsets and label. The head
is the subject. Two spans with the same offsets and label are one entity.
"""

from collections.abc import Mapping
from typing import Any

from ...model.fields import FieldError, string, whole_number
from ...model.schema import Mention
from ..offsets import place
from .annotation import Annotation, Link, from_annotation, label, to_annotation
from .base import ConversionReport, Record
from .json_rows import identifier, json_format, objects, other_fields
from .tokens import spaced

_KNOWN = ("text", "tokens", "spans", "relations", "answer", "meta")


def _record(row: Mapping[str, Any], report: ConversionReport) -> Record | None:
    text = string(row, "text")
    if row.get("answer", "accept") != "accept":
        report.lose(f"texts with the answer {row['answer']}")
        return None
    entities = _Entities(text, row, report)
    links = []
    for path, entry in objects(row, "relations"):
        head, child = (entities.end(entry, name, path) for name in ("head", "child"))
        if entry.get("label"):
            links.append(Link(head, string(entry, "label", path), child))
        else:
            report.lose("relations without a label")
    meta = row.get("meta")
    meta = meta if isinstance(meta, Mapping) else {}
    other_fields(meta, ("id",), report)
    other_fields({name: value for name, value in row.items() if not name.startswith("_")}, _KNOWN, report)
    return from_annotation(text, Annotation(list(entities.places), links), report, identifier(meta))


class _Entities:
    """Entities of a row: its spans, and the tokens that its relations refer to, each once."""

    def __init__(self, text: str, row: Mapping[str, Any], report: ConversionReport) -> None:
        self.text = text
        self.report = report
        self.places: dict[Mention, int] = {}
        self._by_token: dict[int, int] = {}
        for path, entry in objects(row, "spans"):
            found = self._mention(entry, path)
            report.lose("entities marked twice", found in self.places)
            number = self.places.setdefault(found, len(self.places))
            if "token_end" in entry:
                self._by_token[whole_number(entry, "token_end", path)] = number

    def end(self, relation: Mapping[str, Any], name: str, path: str) -> int:
        """Return the index of a relation's head or child; without a span it is a token without a type."""
        span = relation.get(f"{name}_span")
        if isinstance(span, Mapping):
            return self.places.setdefault(self._mention(span, f"{path}.{name}_span"), len(self.places))
        token = whole_number(relation, name, path)
        if token not in self._by_token:
            raise FieldError(f"{path}.{name}", f"no span ends with token {token}")
        return self._by_token[token]

    def _mention(self, entry: Mapping[str, Any], path: str) -> Mention:
        type_ = "" if entry.get("label") is None else string(entry, "label", path)
        start, end = whole_number(entry, "start", path), whole_number(entry, "end", path)
        words = entry.get("text") if isinstance(entry.get("text"), str) else None
        return place(self.text, start, end, words, type_, path, self.report)


def _row(record: Record, report: ConversionReport) -> dict[str, Any]:
    text = record.text
    annotation = to_annotation(record, report, twins=False)
    tokens = spaced(text, [span for _, span in annotation.placed])
    first = {span.start: number for number, (span, _) in enumerate(tokens)}
    last = {span.end: number for number, (span, _) in enumerate(tokens)}
    spans = [
        {
            "start": span.start,
            "end": span.end,
            "text": one.text,
            "token_start": first[span.start],
            "token_end": last[span.end],
            "label": label(one.type),
        }
        for one, span in annotation.placed
    ]
    relations = [
        {
            "head": spans[link.head]["token_end"],
            "child": spans[link.tail]["token_end"],
            "head_span": spans[link.head],
            "child_span": spans[link.tail],
            "label": link.name,
        }
        for link in annotation.links
    ]
    return {
        "text": text,
        "tokens": [
            {"text": text[span.start : span.end], "start": span.start, "end": span.end, "id": number, "ws": space}
            for number, (span, space) in enumerate(tokens)
        ],
        "spans": spans,
        "relations": relations,
        "answer": "accept",
        **({} if record.id is None else {"meta": {"id": record.id}}),
    }


def _fits(row: Mapping[str, Any]) -> bool:
    spans = row.get("spans")
    if not isinstance(row.get("text"), str) or not isinstance(spans, list):
        return False
    return "tokens" in row or "answer" in row or any(isinstance(one, dict) and "token_end" in one for one in spans)


FORMAT = json_format(
    "prodigy",
    "JSON lines of Prodigy's relations interface",
    lambda sample: sample.any_row(_fits),
    _record,
    _row,
)
