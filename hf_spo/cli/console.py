"""What the command line shows: reports, tables, progress, messages, and the lines that could not be read."""

import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ..model.fields import json_line
from ..support.files import whole_file
from ..support.safe_text import printable_line
from ..support.unreadable import UnreadableRecord


def is_terminal(stream: IO[str]) -> bool:
    """Tell whether a stream goes to a terminal rather than to a file or another program."""
    return stream.isatty()


def wants_table(as_json: bool | None, stream: IO[str]) -> bool:
    """Tell whether to write a table: as --json or --table say; without them, if the stream is a terminal."""
    return is_terminal(stream) if as_json is None else not as_json


def print_report(
    report: Mapping[str, Any],
    as_json: bool | None,
    layout: Callable[[], RenderableType],
    stream: IO[str] | None = None,
) -> None:
    """Print a report as one line of JSON, or laid out for a terminal; see [`wants_table`]."""
    stream = stream or sys.stdout
    if wants_table(as_json, stream):
        Console(file=stream, highlight=False).print(layout())
    else:
        typer.echo(json_line(report), file=stream)


def say(message: str) -> None:
    """Write a message to stderr as one line."""
    # Through rich, which keeps a progress bar below the line.
    Console(stderr=True, highlight=False).print(Text(" ".join(message.split())), soft_wrap=True)


class LogHandler(logging.Handler):
    """Shows log records as one line each on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        say(self.format(record))


def printable(text: str) -> Text:
    """Return a text for rich to show as it is: no markup, no control characters."""
    return Text(printable_line(text))


def new_table(*names: str, numbers: Iterable[str] = ()) -> Table:
    """Return an empty table with columns of text and then columns of numbers."""
    table = Table(header_style="bold cyan", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def file_sizes(files: Mapping[str, int]) -> Table:
    """Lay out names and sizes of files."""
    table = new_table("file", numbers=["size"])
    for name, size in files.items():
        unit, symbol = next(((unit, name) for unit, name in ((1e6, "MB"), (1e3, "kB")) if size >= unit), (1, "B"))
        table.add_row(printable(name), f"{size / unit:.{0 if unit == 1 else 1}f} {symbol}")
    return table


def triples_table(text: str, triples: Sequence[Mapping[str, Any]]) -> Group:
    """Lay out a text and its triples, in the JSON form of [`Triple.to_dict`]."""
    heading = printable(text)
    heading.stylize("bold")
    if not triples:
        return Group(heading, Text("no triples", style="dim"), "")
    qualified = any(triple["qualifiers"] for triple in triples)
    table = new_table()
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
    """Lay out precision, recall, F1 and their counts: a row for each entry, under a heading that says what it is."""
    table = new_table(of, numbers=("precision", "recall", "F1", "correct", "predicted", "gold"))
    for name, score in scores.items():
        ratios = (f"{score[ratio]:.4f}" for ratio in ("precision", "recall", "f1"))
        table.add_row(name, *ratios, *(f"{score[count]:,}" for count in ("correct", "predicted", "gold")))
    return table


def progress_bar(items: Iterable[Any], total: int | None, label: str) -> Iterator[Any]:
    """Yield the items while a bar on stderr counts them; no bar is drawn if stderr is not a terminal."""
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


@contextmanager
def set_aside(wanted: bool, output: Path | None) -> Iterator["BadLines | None"]:
    """Collect the lines that cannot be read and write them next to an output; without one, in the current folder."""
    if not wanted:
        yield None
        return
    bad_lines = BadLines(output.parent if output else Path())
    try:
        yield bad_lines
    finally:
        bad_lines.write()


class BadLines:
    """Collects records that cannot be read, and their problems; those of data.jsonl go to data.jsonl.bad.jsonl.

    Args:
        folder: folder of the files; it is created when there is something to write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows: dict[Path, list[str]] = {}
        self._units: dict[Path, str] = {}

    def __call__(self, bad: UnreadableRecord) -> None:
        """Add a record."""
        path = Path(bad.source)
        self._units[path] = bad.unit
        row = {"file": bad.source, bad.unit: bad.number, "problem": bad.problem, "content": bad.content.rstrip("\n")}
        self._rows.setdefault(path, []).append(json_line(row))

    def write(self) -> None:
        """Write the files, and say how many records each has."""
        taken: set[str] = set()
        for source, rows in self._rows.items():
            name = f"{source.name}.bad.jsonl"
            if name in taken:  # two data files have this name, in different folders
                name = f"{source.parent.name}-{name}"
            taken.add(name)
            self.folder.mkdir(parents=True, exist_ok=True)
            with whole_file(self.folder / name) as file:
                file.writelines(f"{row}\n" for row in rows)
            unit = self._units[source]
            skipped = f"1 {unit}" if len(rows) == 1 else f"{len(rows)} {unit}s"
            say(f"hf-spo: skipped {skipped} of {source} that could not be read; see {self.folder / name}")
