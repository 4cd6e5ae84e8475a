"""What the doctor says of a data set: findings, figures and suggestions, as plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How bad a finding is.

    ERROR: training stops, or cannot learn. WARNING: it learns less than it could. NOTE: worth knowing.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with the data, or may be.

    Args:
        severity: how bad it is.
        topic: a short name, the same in every diagnosis.
        what: one line that says what it is.
        advice: one line that says what to do.
        count: how often it occurs.
        examples: the first few places, one line each.
    """

    severity: Severity
    topic: str
    what: str
    advice: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A setting to train with, and the figure that speaks for it."""

    setting: str
    value: str | int | float | bool
    reason: str


@dataclass(frozen=True, slots=True)
class Cut:
    """Texts that are longer than a number of tokens, and their triples that no window of that many tokens holds."""

    max_length: int
    texts: int
    triples: int


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of texts in tokens, special tokens included.

    Args:
        quantiles: by name, such as "95 %".
        histogram: pairs of a length and the number of texts up to it and above the length before.
        cuts: what some choices of max_length would cut.
    """

    quantiles: Mapping[str, int]
    histogram: tuple[tuple[int, int], ...]
    cuts: tuple[Cut, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted.

    Args:
        max_length: tokens that the model reads of a text.
        texts, triples: how many there are.
        aligned: triples that become labels.
        attainable: F1 that a model would reach that gives probability 1 to every labelled border and 0 to all else.
        attainable_either: the same with `span_pairing: either`.
        without_triples: texts that state nothing.
        overlap: texts by class, see [`overlap_classes`].
        relations: triples by relation of the schema, slots of their own, the most frequent first.
        subjects: mean number of labelled subjects, in texts that have any.
        nested: texts in which a labelled mention lies within another.
        ambiguous: triples without offsets of which a mention occurs several times in its text.
        moved: those of them that the occurrence policy "nearest" places elsewhere than "first".
        restated: triples that another text states, too.
        several_types: texts with triples in which one string has several types.
        tokens, unknown: how many there are, special tokens left out, and how many of them are [UNK].
        unknown_characters: the most frequent characters that become [UNK], with their counts.
        lengths: of texts, in tokens.
    """

    max_length: int
    texts: int
    triples: int
    aligned: int
    attainable: float
    attainable_either: float
    without_triples: int
    overlap: Mapping[str, int]
    relations: tuple[tuple[str, int], ...]
    subjects: float
    nested: int
    ambiguous: int
    moved: int
    restated: int
    several_types: int
    tokens: int
    unknown: int
    unknown_characters: tuple[tuple[str, int], ...]
    lengths: Lengths


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that the doctor found; findings are sorted, the worst first."""

    figures: Figures
    findings: tuple[Finding, ...]
    suggestions: tuple[Suggestion, ...]

    @property
    def verdict(self) -> str:
        """One line for a reader in a hurry."""
        topics = {level: [item.topic for item in self.findings if item.severity == level] for level in Severity}
        learnt = f"{self.figures.aligned:,} of {counted(self.figures.triples, 'triple')} can be learnt"
        if topics[Severity.ERROR]:
            return f"training on these data goes wrong: {', '.join(topics[Severity.ERROR])}; {learnt}"
        if topics[Severity.WARNING]:
            return f"a model can be trained; worth a look: {', '.join(topics[Severity.WARNING])}; {learnt}"
        return f"no trouble found; {learnt}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"verdict": self.verdict, **asdict(self)}


def counted(count: int, noun: str) -> str:
    """Write a number with its noun: "1 triple", "2,000 triples"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def beginning(text: str, length: int = 24) -> str:
    """Return the beginning of a text, to show which one is meant."""
    return text if len(text) <= length else text[:length] + "…"
