"""Mentions without white space at their ends, for formats that cannot mark it."""

from dataclasses import replace

from ...model.schema import Mention, Span
from .base import ConversionReport, Record
from .placing import placed


def trimmed(record: Record, report: ConversionReport) -> Record:
    """Return a record none of whose mentions begins or ends with white space; what is nothing else becomes empty.

    Mentions without offsets are looked up, see [`placed`].
    """
    record = placed(record, report)

    def trim(mention: Mention) -> Mention:
        text = mention.text.strip()
        if text == mention.text or mention.span is None:
            return mention
        report.lose("white space at the ends of mentions")
        start = mention.span.start + len(mention.text) - len(mention.text.lstrip())
        return replace(mention, text=text, span=Span(start, start + len(text)))

    triples = tuple(
        replace(
            triple,
            subject=trim(triple.subject),
            object=trim(triple.object),
            qualifiers={slot: trim(mention) for slot, mention in triple.qualifiers.items()},
        )
        for triple in record.triples
    )
    return replace(record, triples=triples, entities=tuple(map(trim, record.entities)))
