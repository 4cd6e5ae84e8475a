"""Causes of errors: exactly one for each wrong prediction and each missed gold triple.

Triples are compared by strings, as in strict matching. The first cause that applies to a wrong prediction counts:

direction: a gold triple has the same predicate with subject and object exchanged.
boundary: a gold triple has the same predicate, and both mentions overlap those predicted without being equal to both.
relation: a gold triple has the same subject and the same object with another predicate.
pairing: gold triples of the predicate have the subject and others the object, but none has both.
spurious: none of the above.

Wrong predictions and missed triples are first matched one to one, and both sides of a match get its cause. Each
remaining wrong prediction is compared with all gold triples of the text. A remaining missed triple is a pairing error
if predictions of its predicate have its subject and its object in different triples; otherwise its subject is missed if
no prediction has that subject, else its object.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..model.schema import Mention, Span, Triple
from .triple_f1 import Judgement


class Cause(StrEnum):
    """Cause of a wrong or missed triple, in the order in which they are tried."""

    DIRECTION = "direction"
    BOUNDARY = "boundary"
    RELATION = "relation"
    PAIRING = "pairing"
    SPURIOUS = "spurious"
    SUBJECT_MISSED = "subject missed"
    OBJECT_MISSED = "object missed"


@dataclass(frozen=True, slots=True)
class TripleError:
    """A wrong or missed triple, its cause, and the triple of the other side that it was matched with, if any."""

    triple: Triple
    cause: Cause
    counterpart: Triple | None = None

    def to_dict(self) -> dict[str, object]:
        """Return triple and counterpart for JSON."""
        counterpart = None if self.counterpart is None else self.counterpart.to_dict()
        return {"triple": self.triple.to_dict(), "counterpart": counterpart}


def explain(judgement: Judgement) -> tuple[tuple[TripleError, ...], tuple[TripleError, ...]]:
    """Return the errors of a text: its wrong predictions and its missed triples, each in the original order."""
    text, wrong, missed = judgement.text, judgement.wrong, judgement.missed
    pairs = _matched(text, wrong, missed)
    of_wrong = {ours: (cause, missed[theirs]) for ours, theirs, cause in pairs}
    of_missed = {theirs: (cause, wrong[ours]) for ours, theirs, cause in pairs}
    return (
        tuple(
            TripleError(triple, *(of_wrong.get(index) or _why_wrong(text, triple, judgement.gold)))
            for index, triple in enumerate(wrong)
        ),
        tuple(
            TripleError(triple, *(of_missed.get(index) or (_why_missed(triple, judgement.predicted), None)))
            for index, triple in enumerate(missed)
        ),
    )


def _matched(text: str, wrong: Sequence[Triple], missed: Sequence[Triple]) -> list[tuple[int, int, Cause]]:
    """Match wrong with missed triples one to one, the best ranks first. Returns both indices and the cause."""
    candidates = sorted(
        (rank, ours, theirs)
        for ours, predicted in enumerate(wrong)
        for theirs, gold in enumerate(missed)
        if (rank := _rank(text, predicted, gold)) is not None
    )
    pairs: list[tuple[int, int, Cause]] = []
    for (cause, _), ours, theirs in candidates:
        if all(ours != taken and theirs != other for taken, other, _ in pairs):
            pairs.append((ours, theirs, _ORDER[cause]))
    return pairs


_ORDER = tuple(Cause)


def _rank(text: str, predicted: Triple, gold: Triple) -> tuple[int, float] | None:
    """Return the rank of a gold triple as the explanation of a wrong one, best first; None if it explains nothing."""
    pair = (predicted.subject.text, predicted.object.text)
    if predicted.predicate != gold.predicate:
        same = pair == (gold.subject.text, gold.object.text)
        return (_ORDER.index(Cause.RELATION), 0.0) if same else None
    if pair == (gold.object.text, gold.subject.text):
        return _ORDER.index(Cause.DIRECTION), 0.0
    subject = _overlap(text, predicted.subject, gold.subject)
    value = _overlap(text, predicted.object, gold.object)
    return (_ORDER.index(Cause.BOUNDARY), -subject - value) if subject and value else None


def _why_wrong(text: str, triple: Triple, gold: Sequence[Triple]) -> tuple[Cause, Triple | None]:
    ranks = [(rank, index) for index, other in enumerate(gold) if (rank := _rank(text, triple, other)) is not None]
    if ranks:
        (cause, _), index = min(ranks)
        return _ORDER[cause], gold[index]
    return (Cause.PAIRING if _apart(triple, gold) else Cause.SPURIOUS), None


def _why_missed(triple: Triple, predicted: Sequence[Triple]) -> Cause:
    if _apart(triple, predicted):
        return Cause.PAIRING
    found = any(other.subject.text == triple.subject.text for other in predicted)
    return Cause.OBJECT_MISSED if found else Cause.SUBJECT_MISSED


def _apart(triple: Triple, others: Iterable[Triple]) -> bool:
    """Tell whether other triples of the predicate have the subject and the object, together or in different ones."""
    same = [other for other in others if other.predicate == triple.predicate]
    subjects, values = {other.subject.text for other in same}, {other.object.text for other in same}
    return triple.subject.text in subjects and triple.object.text in values


def _overlap(text: str, one: Mention, other: Mention) -> float:
    """Return the share of characters in common, 1 for equal strings; without offsets, the largest of all places."""
    if one.text == other.text:
        return 1.0
    return max((_shared(a, b) for a in places(text, one) for b in places(text, other)), default=0.0)


def _shared(one: Span, other: Span) -> float:
    common = max(0, min(one.end, other.end) - max(one.start, other.start))
    return common / (len(one) + len(other) - common) if common else 0.0


def places(text: str, mention: Mention) -> list[Span]:
    """Return the span of a mention or, if it has no offsets, every occurrence of its string."""
    if mention.span is not None:
        return [mention.span]
    spans: list[Span] = []
    at = text.find(mention.text) if mention.text else -1
    while at >= 0:
        spans.append(Span(at, at + len(mention.text)))
        at = text.find(mention.text, at + 1)
    return spans
