"""SpERT: sentences as tokens, with entities and relations, as CoNLL04 and SciERC are published for it.

Tokens are joined to a text with a space between two, except next to a Chinese or Japanese character. Other white space
is lost in writing, and offsets are those of the new text. Where a row has a tag for each token (BIO, BILOU or IOBES) in
place of entities, as CoNLL04 is published too, the entities are those of the tags, numbered in their order.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...model.fields import FieldError, string, whole_number
from ...model.schema import Mention, Span
from .annotation import Annotation, Link, from_annotation, label, to_annotation
from .base import ConversionReport, Record
from .json_rows import identifier, json_format, objects, other_fields, strings
from .tokens import cut, joined

_KNOWN = ("tokens", "tags", "entities", "relations", "orig_id")


def _record(row: Mapping[str, Any], report: ConversionReport) -> Record:
    if "tokens" not in row:
        raise FieldError("tokens", "expected a list of strings, got nothing")
    text, spans = joined(strings(row, "tokens"))
    if "entities" not in row and "tags" in row:
        tags = strings(row, "tags")
        if len(tags) != len(spans):
            raise FieldError("tags", f"expected a tag for each of the {len(spans)} tokens, got {len(tags)}")
        entities = [covered(text, spans, start, end, type_, "tags") for start, end, type_ in _tagged(tags)]
    else:
        entities = [
            covered(
                text,
                spans,
                whole_number(entry, "start", path),
                whole_number(entry, "end", path),
                string(entry, "type", path),
                path,
            )
            for path, entry in objects(row, "entities")
        ]
    links = []
    for path, entry in objects(row, "relations"):
        ends = [whole_number(entry, side, path) for side in ("head", "tail")]
        for side, number in zip(("head", "tail"), ends, strict=True):
            if not 0 <= number < len(entities):
                raise FieldError(f"{path}.{side}", f"there is no entity {number}, but {len(entities)}, counted from 0")
        links.append(Link(ends[0], string(entry, "type", path), ends[1]))
    other_fields(row, _KNOWN, report)
    return from_annotation(text, Annotation(entities, links), report, identifier(row, "orig_id"))


def _tagged(tags: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and type of the entities that tags mark; letters are those of BIO, BILOU or IOBES."""
    start, type_ = 0, ""
    for number, tag in enumerate([*tags, "O"]):
        letter, _, name = tag.partition("-")
        goes_on = letter in ("I", "L", "E") and name == type_
        if type_ and not goes_on:
            yield start, number, type_
            type_ = ""
        if name and not goes_on:
            start, type_ = number, name
        if type_ and letter in ("L", "E", "U", "S"):
            yield start, number + 1, type_
            type_ = ""


def covered(text: str, tokens: list[Span], start: int, end: int, type_: str, path: str) -> Mention:
    """Return the mention of the tokens from `start` to before `end`.

    Raises:
        FieldError: there are no such tokens.
    """
    if not 0 <= start < end <= len(tokens) or tokens[start].start == tokens[end - 1].end:
        raise FieldError(path, f"tokens [{start}:{end}] are not within the {len(tokens)} tokens, or empty")
    span = Span(tokens[start].start, tokens[end - 1].end)
    return Mention(text[span.start : span.end], span, type_)


def _row(record: Record, report: ConversionReport) -> dict[str, Any]:
    annotation = to_annotation(record, report)
    borders = {at for _, span in annotation.placed for at in (span.start, span.end)}
    spans = [span for span in cut(record.text, borders) if not record.text[span.start : span.end].isspace()]
    first = {span.start: number for number, span in enumerate(spans)}
    end = {span.end: number for number, span in enumerate(spans, 1)}
    tokens = [record.text[span.start : span.end] for span in spans]
    report.lose("white space of texts", joined(tokens)[0] != record.text)
    return {
        "tokens": tokens,
        "entities": [
            {"type": label(one.type), "start": first[span.start], "end": end[span.end]}
            for one, span in annotation.placed
        ],
        "relations": [{"type": link.name, "head": link.head, "tail": link.tail} for link in annotation.links],
        **({} if record.id is None else {"orig_id": record.id}),
    }


def _fits(row: Mapping[str, Any]) -> bool:
    tokens, entities, tags = row.get("tokens"), row.get("entities"), row.get("tags")
    if not isinstance(tokens, list) or not isinstance(row.get("relations"), list):
        return False
    if entities is None:
        return isinstance(tags, list) and all(isinstance(one, str) for one in [*tokens, *tags])
    return (
        isinstance(entities, list)
        and all(isinstance(token, str) for token in tokens)
        and all(isinstance(entity, Mapping) and {"type", "start", "end"} <= set(entity) for entity in entities)
    )


FORMAT = json_format(
    "spert",
    "JSON of SpERT: tokens, entities (or a tag for each token) and relations",
    lambda sample: sample.any_row(_fits),
    _record,
    _row,
    as_list=True,
)
