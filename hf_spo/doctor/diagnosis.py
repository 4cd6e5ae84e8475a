"""Results of the doctor: findings, figures and suggestions, as plain values and as an HTML page."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ..support.safe_text import render_page

_EXAMPLES = 5


class Severity(StrEnum):
    """Severity of a finding.

    ERROR: training stops, or cannot learn. WARNING: the model learns less than it could. NOTE: worth knowing.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of the data, or a possible one.

    Args:
        severity: of the problem.
        topic: short name, the same in every diagnosis.
        what: description, one line.
        advice: what to do, one line.
        count: number of cases.
        examples: the first few cases, one line each.
    """

    severity: Severity
    topic: str
    what: str
    advice: str
    count: int
    examples: tuple[str, ...] = ()


class Cases:
    """The cases of one problem: their number, by cause, and the first few as examples.

    Args:
        noun: for the unit that is counted, such as "triple".
    """

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self.examples: list[str] = []
        self._causes: Counter[str] = Counter()

    def add(self, example: str = "", cause: str = "", times: int = 1) -> None:
        """Count a case, or several; without `times`, one."""
        self._causes[cause] += times
        if example and times and len(self.examples) < _EXAMPLES:
            self.examples.append(example)

    @property
    def count(self) -> int:
        """Number of cases."""
        return self._causes.total()

    def finding(self, severity: Severity, topic: str, what: str, advice: str) -> list[Finding]:
        """Return a list of one finding, or an empty one without cases."""
        return [Finding(severity, topic, what, advice, self.count, tuple(self.examples))] if self.count else []

    def __str__(self) -> str:
        causes = ", ".join(f"{count:,} {cause}" for cause, count in self._causes.most_common(_EXAMPLES) if cause)
        return counted(self.count, self.noun) + (f" ({causes})" if causes else "")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A recommended training setting, and the reason for it."""

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
        histogram: pairs of an upper bound and the number of texts between the previous bound and this one.
        cuts: effects of common values of max_length.
    """

    quantiles: Mapping[str, int]
    histogram: tuple[tuple[int, int], ...]
    cuts: tuple[Cut, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts and statistics of a data set.

    Args:
        max_length: tokens that the model reads of a text.
        texts, triples: their numbers.
        aligned: triples that become labels.
        attainable: F1 of a model that gives probability 1 to every labelled border and 0 to all others.
        attainable_either: the same with `span_pairing: either`.
        without_triples: texts without triples.
        overlap: texts by class, see [`overlap_classes`].
        relations: triples by relation of the schema, each qualifier slot separately, the most frequent first.
        subjects: mean number of labelled subjects in texts with at least one.
        nested: texts with a labelled mention inside another.
        ambiguous: triples without offsets with a mention that occurs several times in the text.
        moved: ambiguous triples whose places differ between the occurrence policies "first" and "nearest".
        restated: triples that occur in another text too.
        several_types: texts with a string that has several types.
        tokens, unknown: number of tokens without special ones, and of [UNK] among them.
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
    """Figures, findings (the most severe first) and suggested settings."""

    figures: Figures
    findings: tuple[Finding, ...]
    suggestions: tuple[Suggestion, ...]

    @property
    def verdict(self) -> str:
        """Summary in one line."""
        topics = {level: [item.topic for item in self.findings if item.severity == level] for level in Severity}
        learnt = f"{self.figures.aligned:,} of {counted(self.figures.triples, 'triple')} can be learnt"
        if topics[Severity.ERROR]:
            return f"training on these data fails or learns little: {', '.join(topics[Severity.ERROR])}; {learnt}"
        if topics[Severity.WARNING]:
            return f"a model can be trained; check: {', '.join(topics[Severity.WARNING])}; {learnt}"
        return f"no problem found; {learnt}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"verdict": self.verdict, **asdict(self)}


def render(about: Mapping[str, Any], diagnosis: Diagnosis, overfit: Mapping[str, Any] | None = None) -> str:
    """Return the diagnosis as one self-contained HTML page.

    Args:
        about: names and values that describe data and model.
        diagnosis: of the data.
        overfit: result of the overfitting test as plain values, if it was run.
    """
    template = Path(__file__).with_name("page.html.jinja")
    return render_page(template, about=about, diagnosis=diagnosis, figures=diagnosis.figures, overfit=overfit)


def by_share(count: int, total: int) -> Severity:
    """Return the severity of a loss of triples: from 10 % an error, from 1 % a warning."""
    share = count / max(total, 1)
    return Severity.ERROR if share >= 0.1 else Severity.WARNING if share >= 0.01 else Severity.NOTE


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: "1 triple", "2,000 triples"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def beginning(text: str, length: int = 24) -> str:
    """Return the beginning of a text, to identify it in a message."""
    return text if len(text) <= length else text[:length] + "…"
