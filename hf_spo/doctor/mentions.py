"""Checks of mentions: absent, misplaced, ambiguous and nested ones."""

from itertools import combinations

from ..data.labels import Labels
from ..data.occurrences import OccurrencePolicy, locate, missing, occurrences
from ..data.offsets import absence, offset_fault
from ..model.schema import Example, Mention, Triple
from .diagnosis import Cases, Finding, Severity, beginning, by_share


class MentionChecks:
    """Collect problems with the places of mentions, text by text."""

    def __init__(self) -> None:
        self.moved = 0
        self.ambiguous, self.nested = Cases("triple"), Cases("text")
        self._empty, self._absent, self._misplaced = Cases("triple"), Cases("triple"), Cases("triple")

    def add(self, example: Example, labels: Labels) -> None:
        """Check one text. `labels` are those of the whole text, without a limit of its length."""
        for triple in example.triples:
            mention = missing(example.text, triple)
            if mention is not None:
                self._add_missing(example.text, triple, mention)
            elif any(len(occurrences(example.text, end)) > 1 for end in (triple.subject, triple.object)):
                self.ambiguous.add()
                first = locate(example.text, triple, OccurrencePolicy.FIRST)
                self.moved += first != locate(example.text, triple, OccurrencePolicy.NEAREST)
        if _has_nested(labels):
            self.nested.add()

    def _add_missing(self, text: str, triple: Triple, mention: Mention) -> None:
        place = f"in the text beginning {beginning(text)!r}"
        if not mention.text:
            self._empty.add(place)
        elif mention.span is None:
            self._absent.add(f"{mention.text!r} {place}", absence(text, mention.text))
        else:
            span = mention.span
            cause = _EXCHANGED if _exchanged(text, triple) else offset_fault(text, mention.text, span)
            found = text[span.start : span.end]
            self._misplaced.add(f"{mention.text!r} {place}: [{span.start}:{span.end}] is {found!r}", cause)

    def findings(self, triples: int, texts: int) -> list[Finding]:
        """Return the findings, given the numbers of all triples and texts."""
        return [
            *self._misplaced.finding(
                Severity.ERROR,
                "wrong offsets",
                f"offsets where the text differs from the mention: {self._misplaced}",
                "count Unicode code points of the text as it is in the file, from 0, the end excluded; or leave the "
                "offsets out, so that mentions are searched by their strings",
            ),
            *self._absent.finding(
                by_share(self._absent.count, triples),
                "not in the text",
                f"a mention that does not occur in its text: {self._absent}",
                "write mentions as the text does, or delete the triples: they are not learnt and count as missed",
            ),
            *self._empty.finding(
                Severity.WARNING,
                "empty mentions",
                f"an empty mention, which no model can find: {self._empty}",
                "fill in the mention, or delete the triple",
            ),
            *self.ambiguous.finding(
                Severity.NOTE,
                "ambiguous occurrences",
                f"a mention without offsets that occurs several times: {self.ambiguous} "
                f"({self.ambiguous.count / max(triples, 1):.1%}); the policies first and nearest differ for "
                f"{self.moved:,}",
                "add offsets, or choose an occurrence_policy",
            ),
            *self.nested.finding(
                Severity.NOTE,
                "nested mentions",
                f"a labelled mention inside another: {self.nested} ({self.nested.count / max(texts, 1):.1%})",
                "the model can find them unless they share a border; see the attainable F1",
            ),
        ]


_EXCHANGED = "those of subject and object are exchanged"


def _exchanged(text: str, triple: Triple) -> bool:
    one, other = triple.subject, triple.object
    return bool(occurrences(text, Mention(one.text, other.span)) and occurrences(text, Mention(other.text, one.span)))


def _has_nested(labels: Labels) -> bool:
    spans = {*labels, *(value for objects in labels.values() for value, _ in objects)}
    # The first of two spans in this order does not lie inside the second.
    ordered = sorted({(span.start, -span.end) for span in spans})
    return any(other[1] >= one[1] for one, other in combinations(ordered, 2))
