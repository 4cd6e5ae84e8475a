"""What the command line shows: tables, progress, and what became of lines that could not be read."""

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ..model.fields import json_line
from ..support.files import whole_file
from ..support.safe_text import printable_line
from ..support.unreadable import UnreadableRecord


def is_terminal(stream: IO[str]) -> bool:
    """Tell whether a person rather than a program reads what is written to a stream."""
    return stream.isatty()


def say(message: str) -> None:
    """Write one line to stderr, whatever line breaks the message has."""
    # Through rich, so that a progress bar at work makes room.
    Console(stderr=True, highlight=False).print(Text(" ".join(message.split())), soft_wrap=True)


class LogHandler(logging.Handler):
    """Shows log records as one line each on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        say(self.format(record))


def printable(text: str) -> Text:
    """Return a text as rich shows it: no markup, no control characters."""
    return Text(printable_line(text))


def triples_table(text: str, triples: Sequence[Mapping[str, Any]]) -> Group:
    """Lay out a text and its triples, in the JSON form of [`Triple.to_dict`]."""
    heading = printable(text)
    heading.stylize("bold")
    if not triples:
        return Group(heading, Text("no triples", style="dim"), "")
    qualified = any(triple["qualifiers"] for triple in triples)
    table = Table(header_style="bold cyan", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("subject", "type", "predicate", "object", "type", *(["qualifiers"] if qualified else [])):
        table.add_column(name, overflow="fold", min_width=4, style="dim" if name == "type" else None)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("offsets", overflow="fold", min_width=5, style="dim")
    for triple in triples:
        subject, value = triple["subject"], triple["object"]
        qualifiers = [printable(f"{slot}: {mention['text']}") for slot, mention in triple["qualifiers"].items()]
        table.add_row(
            printable(subject["text"]),
            printable(subject["type"]),
            printable(triple["predicate"]),
            printable(value["text"]),
            printable(value["type"]),
            *([Text("\n").join(qualifiers)] if qualified else []),
            f"{triple['score']:.3f}",
            f"{subject['start']}–{subject['end']} {value['start']}–{value['end']}",
        )
    return Group(heading, table)


def scores_table(scores: Mapping[str, Mapping[str, float]], of: str = "match") -> Table:
    """Lay out precision, recall, F1 and their counts, a row for each way of matching or whatever the scores are of."""
    table = Table(of, header_style="bold cyan", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("precision", "recall", "F1", "correct", "predicted", "gold"):
        table.add_column(name, justify="right")
    for match, score in scores.items():
        ratios = (f"{score[name]:.4f}" for name in ("precision", "recall", "f1"))
        table.add_row(match, *ratios, *(f"{score[name]:,}" for name in ("correct", "predicted", "gold")))
    return table


def progress_bar(items: Iterable[Any], total: int | None, label: str) -> Iterator[Any]:
    """Pass items through while a bar on stderr counts them; where stderr is no terminal, just pass them."""
    console = Console(stderr=True)
    if not is_terminal(sys.stderr):
        yield from items
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        yield from progress.track(items, total=total, description=label)


def count_lines(path: Path) -> int:
    """Count a file's lines."""
    with path.open("rb") as lines:
        return sum(1 for _ in lines)


class BadLines:
    """Sets lines that cannot be read aside, with what is wrong: those of data.jsonl go to data.jsonl.bad.jsonl.

    Args:
        folder: where the files go; it is created when there is something to write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows: dict[Path, list[str]] = {}
        self._units: dict[Path, str] = {}

    def __call__(self, bad: UnreadableRecord) -> None:
        """Set one line aside."""
        path = Path(bad.source)
        self._units[path] = bad.unit
        row = {"file": bad.source, bad.unit: bad.number, "problem": bad.problem, "content": bad.content.rstrip("\n")}
        self._rows.setdefault(path, []).append(json_line(row))

    def write(self) -> None:
        """Write the lines set aside and say how many there are and where they lie."""
        taken: set[str] = set()
        for source, rows in self._rows.items():
            name = f"{source.name}.bad.jsonl"
            if name in taken:  # two data files of one name, in different folders
                name = f"{source.parent.name}-{name}"
            taken.add(name)
            self.folder.mkdir(parents=True, exist_ok=True)
            with whole_file(self.folder / name) as file:
                file.writelines(f"{row}\n" for row in rows)
            unit = self._units[source]
            skipped = f"1 {unit}" if len(rows) == 1 else f"{len(rows)} {unit}s"
            say(f"hf-spo: skipped {skipped} of {source} that could not be read; see {self.folder / name}")
