"""A diagnosis laid out for a terminal: the verdict, the findings, the figures."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .console import new_table, printable

if TYPE_CHECKING:
    from ..doctor.diagnosis import Diagnosis, Figures, Finding, Suggestion
    from ..doctor.overfit import Overfitting

_STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}
_EXAMPLES, _RELATIONS, _BAR = 3, 10, 24


def report(about: Mapping[str, object], found: "Diagnosis", learning: "Overfitting | None") -> Group:
    """Lay out a diagnosis and, if it was made, the overfitting test."""
    return Group(*_parts(about, found, learning))


def _parts(about: Mapping[str, object], found: "Diagnosis", learning: "Overfitting | None") -> Iterator[RenderableType]:
    yield Text(" · ".join(f"{name}: {value}" for name, value in about.items()), style="dim")
    severity = found.findings[0].severity.value if found.findings else "note"
    yield Text(found.verdict, style=_STYLES[severity] if severity != "note" else "bold green")
    if learning is not None:
        yield Text(learning.verdict, style="bold green" if learning.learnt else _STYLES["error"])
        yield from (Text(f"  {line}") for line in learning.explanation)
    if found.findings:
        yield _heading("Findings")
        yield _findings(found.findings)
    if found.suggestions:
        yield _heading("Suggested settings")
        yield _suggestions(found.suggestions)
    yield from _figures(found.figures)


def _heading(title: str) -> RenderableType:
    return Padding(Text(title, style="bold"), (1, 0, 0, 0))


def _findings(findings: Iterable["Finding"]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        level = finding.severity.value
        lines = [printable(finding.what), Text("→ " + finding.advice, style="green")]
        examples = [Padding(printable(line), (0, 0, 0, 2), style="dim") for line in finding.examples[:_EXAMPLES]]
        table.add_row(Text(level, style=_STYLES[level]), Group(*lines, *examples))
    return table


def _suggestions(suggestions: Iterable["Suggestion"]) -> Table:
    table = new_table("setting", "value", "reason")
    for suggestion in suggestions:
        value = str(suggestion.value).lower() if isinstance(suggestion.value, bool) else str(suggestion.value)
        table.add_row(Text(suggestion.setting), Text(value, style="bold"), Text(suggestion.reason))
    return table


def _figures(figures: "Figures") -> Iterator[RenderableType]:
    yield _heading("Figures")
    yield _pairs(
        {
            "texts": f"{figures.texts:,}, {figures.without_triples:,} of them without triples",
            "triples": f"{figures.triples:,}, {figures.aligned:,} of them can be learnt",
            "attainable F1": f"{figures.attainable:.4f} for a model that learns every label",
            "overlap": ", ".join(
                f"{name} {count / figures.texts:.1%}" for name, count in figures.overlap.items() if count
            ),
            "subjects": f"{figures.subjects:.2f} in a text that has any",
            "unknown tokens": f"{figures.unknown:,} of {figures.tokens:,}"
            + (f": {' '.join(character for character, _ in figures.unknown_characters)}" if figures.unknown else ""),
            "length in tokens": ", ".join(f"{name} {length}" for name, length in figures.lengths.quantiles.items()),
        }
    )
    yield _bars("tokens of a text", [(f"to {length}", count) for length, count in figures.lengths.histogram], "texts")
    cuts = new_table("max_length", "longer texts", "triples out of reach")
    for cut in figures.lengths.cuts:
        cuts.add_row(*(Text(f"{value:,}") for value in (cut.max_length, cut.texts, cut.triples)))
    yield cuts
    yield _bars("relation", figures.relations[:_RELATIONS], "triples")
    rest = figures.relations[_RELATIONS:]
    if rest:
        count = sum(number for _, number in rest)
        yield Text(f"and {len(rest)} more relations with {count:,} triples", style="dim")


def _pairs(pairs: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in pairs.items():
        table.add_row(Text(name), printable(value))
    return table


def _bars(name: str, counts: Iterable[tuple[str, int]], of: str) -> Table:
    counts = list(counts)
    most = max((count for _, count in counts), default=0) or 1
    table = new_table(name, of, "")
    for label, count in counts:
        bar = Text("█" * max(round(_BAR * count / most), 1 if count else 0), style="cyan")
        table.add_row(printable(label), Text(f"{count:,}", justify="right"), bar)
    return table
