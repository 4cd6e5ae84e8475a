"""Records put into the shape that formats with offsets need."""

from dataclasses import replace

from ..occurrences import OccurrencePolicy, locate, occurrences
from .base import ConversionReport, Record


def placed(record: Record, report: ConversionReport) -> Record:
    """Return a record all of whose mentions have offsets: those it has, or where their words stand in the text.

    A triple without offsets takes the subject and object that stand closest together; an entity takes the first place
    that is not taken by an entity of the same words and type. What is not in the text is lost.

    Args:
        record: of any format.
        report: gets how many were looked up, and how many are lost.
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
        options = [replace(entity, span=span) for span in spans]
        entities.append(next((option for option in options if option not in entities), options[0]))
    return replace(record, triples=tuple(triples), entities=tuple(entities))
