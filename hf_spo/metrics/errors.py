"""Why a predicted triple is wrong, and why a gold one is missed: exactly one cause each.

Triples are compared as strict matching does, by strings. In this order:

direction: a gold triple has the same predicate, its subject for our object and its object for our subject.
boundary: a gold triple has the same predicate, and both its mentions overlap ours, but not both are the same.
relation: a gold triple has the same subject and the same object, under another predicate.
pairing: gold triples of this predicate have this subject, and others of it this object, but none has both.
spurious: none of these.

A wrong and a missed triple that explain one another are matched first, one to one, and both get the cause. A wrong
triple left over is then compared with all gold triples, found and missed ones. A missed one left over is a pairing
error if the predicted triples of its predicate have its subject and its object apart; else its subject is missed if no
predicted triple has it as subject; else its object is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..model.schema import Mention, Span, Triple
from .judging import Judgement


class Cause(StrEnum):
    """Why a triple is wrong or missed; in the order in which causes are tried."""

    DIRECTION = "direction"
    BOUNDARY = "boundary"
    RELATION = "relation"
    PAIRING = "pairing"
    SPURIOUS = "spurious"
    SUBJECT_MISSED = "subject missed"
    OBJECT_MISSED = "object missed"


@dataclass(frozen=True, slots=True)
class TripleError:
    """A wrong or a missed triple, its cause, and the triple of the other side that shows it, if one does."""

    triple: Triple
    cause: Cause
    counterpart: Triple | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the triple, and its counterpart or None, in their JSON form."""
        counterpart = None if self.counterpart is None else self.counterpart.to_dict()
        return {"triple": self.triple.to_dict(), "counterpart": counterpart}


def explain(judgement: Judgement) -> tuple[tuple[TripleError, ...], tuple[TripleError, ...]]:
    """Find the causes of a text's wrong and of its missed triples, in their order."""
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
    """Pair wrong with missed triples, the best explanations first."""
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
    """Return how a gold triple explains a wrong one, the smaller the better; None if it does not."""
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
    """Tell whether others have the subject and the object of a triple under its predicate."""
    same = [other for other in others if other.predicate == triple.predicate]
    subjects, values = {other.subject.text for other in same}, {other.object.text for other in same}
    return triple.subject.text in subjects and triple.object.text in values


def _overlap(text: str, one: Mention, other: Mention) -> float:
    """Return the share of common characters, 1 for the same string; without offsets, wherever strings come closest."""
    if one.text == other.text:
        return 1.0
    return max((_shared(a, b) for a in places(text, one) for b in places(text, other)), default=0.0)


def _shared(one: Span, other: Span) -> float:
    common = max(0, min(one.end, other.end) - max(one.start, other.start))
    return common / (len(one) + len(other) - common) if common else 0.0


def places(text: str, mention: Mention) -> list[Span]:
    """Return where a mention stands: at its offsets, or, without, wherever its string does."""
    if mention.span is not None:
        return [mention.span]
    spans: list[Span] = []
    at = text.find(mention.text) if mention.text else -1
    while at >= 0:
        spans.append(Span(at, at + len(mention.text)))
        at = text.find(mention.text, at + 1)
    return spans
