"""Mentions located and trimmed, as formats with offsets need them."""

from dataclasses import replace

from ..occurrences import OccurrencePolicy, locate, occurrences
from ..offsets import without_edges
from .base import ConversionReport, Record


def placed(record: Record, report: ConversionReport) -> Record:
    """Return a record in which all mentions have offsets; those without are looked up by their words.

    Of a triple, the subject and object that are closest together are taken; of an entity, the first occurrence that no
    other entity of the same words and type has. Mentions that are not in the text are lost. The report counts both.
    """
    triples = []
    for triple in record.triples:
        mentions = (triple.subject, triple.object, *triple.qualifiers.values())
        found = locate(record.text, triple, OccurrencePolicy.NEAREST)
        if not found:
            report.lose("triples whose words are not in the text")
        elif any(mention.span is None for mention in mentions):
            report.correct("triples placed by looking their words up")
        triples.extend(found)
    entities = []
    for entity in record.entities:
        spans = occurrences(record.text, entity)
        if not spans:
            report.lose("entities whose words are not in the text")
            continue
        if entity.span is None:
            report.correct("entities placed by looking their words up")
        options = [replace(entity, text=record.text[span.start : span.end], span=span) for span in spans]
        entities.append(next((option for option in options if option not in entities), options[0]))
    return replace(record, triples=tuple(triples), entities=tuple(entities))


def trimmed(record: Record, report: ConversionReport) -> Record:
    """Return a record in which no mention begins or ends with white space, see [`without_edges`]."""
    mentions = [one for triple in record.triples for one in (triple.subject, *(value for _, value in triple.slots()))]
    count = sum(without_edges(mention) is not mention for mention in (*mentions, *record.entities))
    if not count:
        return record
    report.correct("white space at the ends of mentions", count)
    triples = tuple(
        replace(
            triple,
            subject=without_edges(triple.subject),
            object=without_edges(triple.object),
            qualifiers={slot: without_edges(mention) for slot, mention in triple.qualifiers.items()},
        )
        for triple in record.triples
    )
    return replace(record, triples=triples, entities=tuple(map(without_edges, record.entities)))
