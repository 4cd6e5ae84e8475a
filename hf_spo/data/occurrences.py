"""Gold strings without offsets get them here, under a stated policy."""

from enum import StrEnum
from itertools import product

from ..schema import Mention, Span, Triple


class OccurrencePolicy(StrEnum):
    """Which occurrences of a triple's strings in its text are labelled.

    FIRST: the first of each. NEAREST: the subject and object that stand closest together without overlapping, if any
    do. ALL: every pair.
    """

    FIRST = "first"
    NEAREST = "nearest"
    ALL = "all"


def locate(text: str, triple: Triple, policy: OccurrencePolicy) -> list[Triple]:
    """Return the triple with offsets: once, or for ALL once a pair of occurrences; empty if a string is not in the text.

    Offsets that the data gives are kept as they are. Qualifiers take the occurrence nearest to the object.
    """
    subjects, objects = _spans(text, triple.subject), _spans(text, triple.object)
    pairs = list(product(subjects, objects))
    if policy == OccurrencePolicy.FIRST:
        pairs = pairs[:1]
    elif policy == OccurrencePolicy.NEAREST and pairs:
        pairs = [min(pairs, key=_closeness)]
    located = []
    for subject, value in pairs:
        qualifiers = {}
        for slot, mention in triple.qualifiers.items():
            spans = _spans(text, mention)
            if not spans:
                return []
            span = spans[0] if policy == OccurrencePolicy.FIRST else min(spans, key=lambda s: _closeness((value, s)))
            qualifiers[slot] = Mention(mention.text, span, mention.type)
        located.append(
            Triple(
                Mention(triple.subject.text, subject, triple.subject.type),
                triple.predicate,
                Mention(triple.object.text, value, triple.object.type),
                qualifiers,
            )
        )
    return located


def _spans(text: str, mention: Mention) -> list[Span]:
    if mention.span is not None:
        return [mention.span]
    spans: list[Span] = []
    at = text.find(mention.text) if mention.text else -1
    while at >= 0:
        spans.append(Span(at, at + len(mention.text)))
        at = text.find(mention.text, at + 1)
    return spans


def _closeness(pair: tuple[Span, Span]) -> tuple[bool, int, Span, Span]:
    one, other = pair
    overlap = one.start < other.end and other.start < one.end
    return overlap, one.distance(other), one, other
