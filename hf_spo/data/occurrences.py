"""Offsets for gold strings that have none, by a policy."""

from enum import StrEnum
from itertools import product

from ..model.schema import Mention, Span, Triple
from .offsets import is_torn, without_edges


class OccurrencePolicy(StrEnum):
    """Which occurrences of a triple's strings in its text are labelled.

    FIRST: the first of each. NEAREST: the subject and object with the smallest distance, without overlap if possible.
    ALL: every pair.
    """

    FIRST = "first"
    NEAREST = "nearest"
    ALL = "all"


def locate(text: str, triple: Triple, policy: OccurrencePolicy) -> list[Triple]:
    """Return the triple with offsets: once, or with ALL for each pair of occurrences; empty if a string is missing.

    Offsets in the data are kept. Qualifiers get the occurrence nearest to the object, or the first one with FIRST.
    """
    if missing(text, triple) is not None:
        return []
    pairs = list(product(occurrences(text, triple.subject), occurrences(text, triple.object)))
    if policy == OccurrencePolicy.FIRST:
        pairs = pairs[:1]
    elif policy == OccurrencePolicy.NEAREST:
        pairs = [min(pairs, key=_closeness)]
    return [_placed(text, triple, subject, value, policy) for subject, value in pairs]


def missing(text: str, triple: Triple) -> Mention | None:
    """Return the first of a triple's mentions that is not in the text, if one is not."""
    mentions = (triple.subject, *(mention for _, mention in triple.slots()))
    return next((mention for mention in mentions if not occurrences(text, mention)), None)


def occurrences(text: str, mention: Mention) -> list[Span]:
    """Return the occurrences of a mention: its offsets, if they are right, or those of its string.

    White space at its ends is ignored. If the string occurs as whole words, occurrences inside other words do not
    count: Rome is not in Romero.
    """
    mention = without_edges(mention)
    if not mention.text:
        return []
    if mention.span is not None:
        return [mention.span] if text[mention.span.start : mention.span.end] == mention.text else []
    spans: list[Span] = []
    at = text.find(mention.text)
    while at >= 0:
        spans.append(Span(at, at + len(mention.text)))
        at = text.find(mention.text, at + 1)
    if len(spans) < 2 or (_is_han(mention.text[0]) and _is_han(mention.text[-1])):  # there are no spaces between words
        return spans
    return [span for span in spans if not is_torn(text, span)] or spans


def _is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def _placed(text: str, triple: Triple, subject: Span, value: Span, policy: OccurrencePolicy) -> Triple:
    qualifiers = {}
    for slot, mention in triple.qualifiers.items():
        spans = occurrences(text, mention)
        span = spans[0] if policy == OccurrencePolicy.FIRST else min(spans, key=lambda s: _closeness((value, s)))
        qualifiers[slot] = _at(text, span, mention)
    return Triple(
        _at(text, subject, triple.subject),
        triple.predicate,
        _at(text, value, triple.object),
        qualifiers,
        triple.score,
    )


def _at(text: str, span: Span, mention: Mention) -> Mention:
    return Mention(text[span.start : span.end], span, mention.type)


def _closeness(pair: tuple[Span, Span]) -> tuple[bool, int, Span, Span]:
    one, other = pair
    overlap = one.start < other.end and other.start < one.end
    return overlap, one.distance(other), one, other
