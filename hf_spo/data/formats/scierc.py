"""SciERC: documents as sentences of tokens, with entities and relations as token ranges; it is read, not written.

The tokens of a document are joined to its text as for SpERT.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from ...model.fields import FieldError, kind, whole_number
from ...model.schema import Mention
from .annotation import Annotation, Link, from_annotation
from .base import ConversionReport, Record
from .json_rows import identifier, json_format, other_fields, strings, values
from .spert import covered
from .tokens import joined

_KNOWN = ("sentences", "ner", "relations", "clusters", "doc_key")


def _record(row: Mapping[str, Any], report: ConversionReport) -> Record:
    sentences = [strings({path: tokens}, path) for path, tokens in _lists(row, "sentences")]
    text, spans = joined(list(chain.from_iterable(sentences)))
    entities: dict[Mention, int] = {}
    by_tokens: dict[tuple[int, int], int] = {}
    for path, (start, end, type_) in _entries(row, "ner", 2, report):
        mention = covered(text, spans, start, end + 1, type_, path)
        report.lose("entities marked twice", mention in entities)
        by_tokens.setdefault((start, end), entities.setdefault(mention, len(entities)))
    links = []
    for path, (start, end, other_start, other_end, name) in _entries(row, "relations", 4, report):
        ends = []
        for tokens in ((start, end), (other_start, other_end)):
            if tokens not in by_tokens:  # a mention that is only in relations
                mention = covered(text, spans, tokens[0], tokens[1] + 1, "", path)
                by_tokens[tokens] = entities.setdefault(mention, len(entities))
            ends.append(by_tokens[tokens])
        links.append(Link(ends[0], name, ends[1]))
    report.lose("clusters of coreferent mentions", len(values(row, "clusters")))
    other_fields(row, _KNOWN, report)
    return from_annotation(text, Annotation(list(entities), links), report, identifier(row, "doc_key"))


def _lists(row: Mapping[str, Any], name: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield the lists of a field, one for each sentence."""
    if name not in row:
        raise FieldError(name, "expected a list with a list for each sentence, got nothing")
    for path, value in values(row, name):
        if not isinstance(value, list):
            raise FieldError(path, f"expected a list, got {kind(value)}")
        yield path, value


def _entries(
    row: Mapping[str, Any], name: str, numbers: int, report: ConversionReport
) -> Iterator[tuple[str, list[Any]]]:
    """Yield the entries of all sentences: token numbers, ends included, and a label."""
    for place, sentence in _lists(row, name):
        for path, entry in values({place: sentence}, place):
            if not isinstance(entry, list) or len(entry) <= numbers or not isinstance(entry[numbers], str):
                raise FieldError(path, f"expected {numbers} token numbers and a label, got {kind(entry)} {entry!r:.60}")
            report.lose("scores of entities and relations", len(entry) > numbers + 1)
            yield path, [*(whole_number({path: value}, path) for value in entry[:numbers]), entry[numbers]]


FORMAT = json_format(
    "scierc",
    "JSON lines of SciERC: documents with entities and relations",
    lambda sample: sample.any_row(lambda row: {"sentences", "ner", "relations"} <= set(row)),
    _record,
)
