"""Mentions that do not stand where the data say, and mentions whose place is a matter of choice."""

from collections import Counter
from itertools import combinations

from ..data.labels import Labels
from ..data.occurrences import OccurrencePolicy, locate, missing, occurrences
from ..data.offsets import absence, offset_fault
from ..model.schema import Example, Mention, Triple
from .diagnosis import Finding, Severity, beginning, counted

_SHOWN = 5


class MentionChecks:
    """Counts what is odd about the places of mentions, text by text."""

    def __init__(self) -> None:
        self.ambiguous = self.moved = self.nested = 0
        self._empty, self._absent, self._misplaced = _Faults(), _Faults(), _Faults()

    def add(self, example: Example, labels: Labels) -> None:
        """Count one text; its labels are those of its whole length."""
        for triple in example.triples:
            mention = missing(example.text, triple)
            if mention is not None:
                self._add_missing(example.text, triple, mention)
                continue
            ends = (triple.subject, triple.object)
            if any(len(occurrences(example.text, end)) > 1 for end in ends):
                self.ambiguous += 1
                first = locate(example.text, triple, OccurrencePolicy.FIRST)
                self.moved += first != locate(example.text, triple, OccurrencePolicy.NEAREST)
        self.nested += _has_nested(labels)

    def _add_missing(self, text: str, triple: Triple, mention: Mention) -> None:
        place = f"in the text beginning {beginning(text)!r}"
        if not mention.text:
            self._empty.add("empty", place)
        elif mention.span is None:
            self._absent.add(absence(text, mention.text), f"{mention.text!r} {place}")
        else:
            span = mention.span
            found = text[span.start : span.end]
            cause = _EXCHANGED if _exchanged(text, triple) else offset_fault(text, mention.text, span)
            self._misplaced.add(cause, f"{mention.text!r} {place}: [{span.start}:{span.end}] is {found!r}")

    def findings(self, triples: int, texts: int) -> list[Finding]:
        """Say what was found, given how many triples and texts there are in all."""
        found = []
        if self._misplaced.count:
            found.append(
                Finding(
                    Severity.ERROR,
                    "wrong offsets",
                    f"offsets that do not cut their mention from the text: {self._misplaced}",
                    "count Unicode code points of the text as it stands in the file, from 0, the end excluded; "
                    "or leave offsets out, and strings are looked up",
                    self._misplaced.count,
                    tuple(self._misplaced.places),
                )
            )
        if self._absent.count:
            found.append(
                Finding(
                    by_share(self._absent.count, triples),
                    "not in the text",
                    f"a mention that is not in its text: {self._absent}",
                    "write mentions as the text does, or delete the triples: they are not learnt, and count as missed",
                    self._absent.count,
                    tuple(self._absent.places),
                )
            )
        if self._empty.count:
            found.append(
                Finding(
                    Severity.WARNING,
                    "empty mentions",
                    f"an empty mention, which is never found: {counted(self._empty.count, 'triple')}",
                    "fill it in, or delete the triple",
                    self._empty.count,
                    tuple(self._empty.places),
                )
            )
        return [*found, *self._notes(triples, texts)]

    def _notes(self, triples: int, texts: int) -> list[Finding]:
        found = []
        if self.ambiguous:
            found.append(
                Finding(
                    Severity.NOTE,
                    "ambiguous occurrences",
                    f"no offsets, and a mention that occurs several times: {counted(self.ambiguous, 'triple')} "
                    f"({self.ambiguous / triples:.1%}); the policies first and nearest differ in {self.moved:,}",
                    "offsets would settle it; without, occurrence_policy does",
                    self.ambiguous,
                )
            )
        if self.nested:
            found.append(
                Finding(
                    Severity.NOTE,
                    "nested mentions",
                    f"one labelled mention within another: {counted(self.nested, 'text')} ({self.nested / texts:.1%})",
                    "they are found as long as they share no border; see the attainable F1",
                    self.nested,
                )
            )
        return found


class _Faults:
    """Counts triples by what is wrong with them, and keeps the first few places."""

    def __init__(self) -> None:
        self.causes: Counter[str] = Counter()
        self.places: list[str] = []

    def add(self, cause: str, place: str) -> None:
        self.causes[cause] += 1
        if len(self.places) < _SHOWN:
            self.places.append(place)

    @property
    def count(self) -> int:
        return self.causes.total()

    def __str__(self) -> str:
        causes = ", ".join(f"{count:,} {cause}" for cause, count in self.causes.most_common(_SHOWN))
        return f"{counted(self.count, 'triple')} ({causes})"


def by_share(count: int, total: int) -> Severity:
    """Rate a loss of triples: from a tenth it is an error, from a hundredth a warning."""
    share = count / max(total, 1)
    return Severity.ERROR if share >= 0.1 else Severity.WARNING if share >= 0.01 else Severity.NOTE


_EXCHANGED = "those of subject and object are exchanged"


def _exchanged(text: str, triple: Triple) -> bool:
    one, other = triple.subject, triple.object
    return bool(occurrences(text, Mention(one.text, other.span)) and occurrences(text, Mention(other.text, one.span)))


def _has_nested(labels: Labels) -> bool:
    spans = {(span.start, span.end) for span in labels} | {
        (value.start, value.end) for objects in labels.values() for value, _ in objects
    }
    return any(
        (one[0] <= other[0] and other[1] <= one[1]) or (other[0] <= one[0] and one[1] <= other[1])
        for one, other in combinations(spans, 2)
    )
