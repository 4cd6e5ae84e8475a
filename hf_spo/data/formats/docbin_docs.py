"""Documents of spaCy as records.

Entities are the spans of `doc.ents` and of all groups of `doc.spans`. Relations are `doc._.triples`, which the spaCy
component of this package sets, or else `doc._.rel` in the form of spaCy's tutorial on relation extraction:
{(first token of subject, first token of object): {predicate: score}}, where a qualifier leads from object to value
with the name predicate@slot. Written documents have both, entities in `doc.spans["sc"]`, and the longest entities
that do not overlap in `doc.ents`. Tokens end at the borders of mentions and between kinds of characters.

A DocBin holds msgpack, never pickles, so that reading one runs no code.
"""

import gc
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...model.fields import FieldError, kind, names
from ...model.schema import Mention
from ...support.files import whole_path
from ..offsets import place
from .annotation import Annotation, Link, from_annotation, label, to_annotation
from .base import ConversionReport, DataFormatError, Record
from .json_rows import identifier
from .losses import encodable
from .native import record_from_native, row_of
from .placing import placed, trimmed
from .tokens import spaced

try:
    from spacy.tokens import Doc, DocBin, Span
    from spacy.util import filter_spans
    from spacy.vocab import Vocab
except ImportError:
    raise ImportError("DocBin files need spaCy: pip install 'hf-spo[spacy]'") from None

_GROUP = "sc"
_RELATIONS, _TRIPLES = ("._.", "rel", None, None), ("._.", "triples", None, None)
"""Where `doc.user_data` keeps extension attributes, which need not be registered."""


def read_docs(path: Path, report: ConversionReport) -> Iterator[Record]:
    """Yield the documents of a DocBin; one with wrong relations cannot be read.

    Raises:
        DataFormatError: the file is not a DocBin; or a document is wrong, and the report has no `on_bad_line`.
        FileNotFoundError: there is no such file.
    """
    for number, doc in enumerate(_docs(path), 1):
        try:
            record = _record(doc, report)
        except ValueError as error:
            report.skip(error, path, number, doc.text, "document")
        else:
            yield record


def write_docs(records: Iterable[Record], path: Path, report: ConversionReport) -> None:
    """Write a DocBin; on failure there is no file."""
    vocab = Vocab()
    docs = DocBin(store_user_data=True)
    for record in records:
        docs.add(_doc(placed(trimmed(encodable(record, report), report), report), vocab))
    with whole_path(path) as part:
        part.write_bytes(docs.to_bytes())


def _docs(path: Path) -> Iterator[Doc]:
    content = path.read_bytes()
    collecting = gc.isenabled()
    try:
        yield from DocBin().from_bytes(content).get_docs(Vocab())
    except Exception as error:  # of msgpack or of what it contains
        problem = f"{path}: not a DocBin of spaCy, or a damaged one ({type(error).__name__}: {error})"
        raise DataFormatError(problem) from None
    finally:
        if collecting:
            gc.enable()  # srsly leaves it off when it fails


def _record(doc: Doc, report: ConversionReport) -> Record:
    data: dict[Any, Any] = doc.user_data
    report.lose("categories of texts", len(doc.cats))
    name = identifier(data)
    entities: dict[Mention, int] = {}
    first: dict[int, int] = {}
    # Relations name entities by their first tokens: meant are those of `doc.ents`, and of others the longest.
    groups = sorted((span for group in doc.spans.values() for span in group), key=len, reverse=True)
    for span in (*doc.ents, *groups):
        mention = place(doc.text, span.start_char, span.end_char, None, span.label_, "entity", report)
        first.setdefault(span.start, entities.setdefault(mention, len(entities)))
    triples = data.get(_TRIPLES)
    if isinstance(triples, list | tuple):
        found = record_from_native({"text": doc.text, "triples": list(triples)}, report).triples
        mentions = {mention for triple in found for mention in (triple.subject, *(one for _, one in triple.slots()))}
        others = from_annotation(doc.text, Annotation(list(entities), ()), report).entities
        free = tuple(one for one in others if one not in mentions)
        return Record(doc.text, found, free, name, names(data, "annotated_predicates"))
    links = _links(data.get(_RELATIONS), first, report)
    return from_annotation(doc.text, Annotation(list(entities), list(links)), report, name)


def _links(relations: Any, first: Mapping[int, int], report: ConversionReport) -> Iterator[Link]:
    if relations is None:
        return
    if not isinstance(relations, Mapping):
        raise FieldError("doc._.rel", f"expected scores by label by tokens, got {kind(relations)}")
    for pair, scores in relations.items():
        path = f"doc._.rel[{pair}]"
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(scores, Mapping):
            raise FieldError(path, "expected two token numbers with scores by label")
        stated = {name: score for name, score in scores.items() if score}
        report.lose("relations stated not to hold", len(scores) - len(stated))
        for name, score in stated.items():
            if pair[0] not in first or pair[1] not in first:
                raise FieldError(path, "no entity begins with one of these tokens")
            if not isinstance(name, str) or not isinstance(score, int | float):
                raise FieldError(path, f"expected scores by label, got {dict(scores)!r:.60}")
            yield Link(first[pair[0]], name, first[pair[1]], None if score == 1 else float(score))


def _doc(record: Record, vocab: Vocab) -> Doc:
    # An report of its own: triples are written as they are too, so that nothing of them is lost.
    annotation = to_annotation(record, ConversionReport(), twins=False, scores=True)
    tokens = spaced(record.text, [span for _, span in annotation.placed])
    words = [record.text[span.start : span.end] for span, _ in tokens]
    doc = Doc(vocab, words=words, spaces=[space for _, space in tokens])
    start = {span.start: number for number, (span, _) in enumerate(tokens)}
    end = {span.end: number for number, (span, _) in enumerate(tokens, 1)}
    spans = [Span(doc, start[span.start], end[span.end], label=label(one.type)) for one, span in annotation.placed]
    doc.spans[_GROUP] = spans
    doc.ents = filter_spans(spans)
    relations: dict[tuple[int, int], dict[str, float]] = {}
    for link in annotation.links:
        scores = relations.setdefault((spans[link.head].start, spans[link.tail].start), {})
        scores[link.name] = 1.0 if link.score is None else link.score
    data: dict[Any, Any] = doc.user_data
    data.update({_RELATIONS: relations, _TRIPLES: row_of(record)["triples"]})
    if record.id is not None:
        data["id"] = record.id
    if record.annotated_predicates is not None:
        data["annotated_predicates"] = list(record.annotated_predicates)
    return doc
