"""Triples, in short."""

from typing import Any

from hf_spo import Example, Mention, Span, Triple


def mention(part: str | tuple[Any, ...]) -> Mention:
    """Return a mention: a string, or a string with its start (None for none) and its type."""
    text, start, kind = (*((part,) if isinstance(part, str) else part), None, "")[:3]
    return Mention(text, None if start is None else Span(start, start + len(text)), kind or "")


def triple(subject, predicate, value, score=None, **qualifiers) -> Triple:
    """Return a triple of mentions as above."""
    slots = {slot: mention(part) for slot, part in qualifiers.items()}
    return Triple(mention(subject), predicate, mention(value), slots, score)


def example(text: str, *triples: Triple) -> Example:
    """Return a labelled text."""
    return Example(text, triples)
