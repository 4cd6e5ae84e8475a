"""hf-spo convert."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..data.splitting import Split
from ..model.fields import json_line
from .console import BadLines, is_terminal, printable
from .options import AsJson, SkipBadLines, command, format_name, labelled_data

if TYPE_CHECKING:
    from ..data.conversion import Conversion

_FORMAT_PANEL = "Formats"


def _print_formats(wanted: bool) -> None:
    if not wanted:
        return
    from ..data.formats.registry import find_format, format_names

    formats = [find_format(name) for name in format_names()]
    if is_terminal(sys.stdout):
        table = Table("name", "can be", "about", header_style="bold cyan", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for found in formats:
            table.add_row(found.name, "read, written" if found.write else "read", printable(found.about))
        Console().print(table)
    else:
        for found in formats:
            row = {"name": found.name, "about": found.about, "written": found.write is not None}
            typer.echo(json_line({**row, "suffix": found.suffix} if found.write else row))
    raise typer.Exit


def _shares(value: str) -> Split:
    try:
        return Split.parse(value)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@command()
def convert(
    source: Annotated[
        Path,
        typer.Argument(metavar="IN", parser=labelled_data, help="Labelled texts: a file, a folder, or hub:NAME."),
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="File to write. With --split, a folder for train, dev and test, or a name such as {split}.jsonl.",
        ),
    ],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            "--format",
            metavar="NAME",
            parser=format_name,
            help="Format of IN.",
            show_default="what it looks like",
            rich_help_panel=_FORMAT_PANEL,
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            parser=format_name,
            help="Format of OUT.",
            show_default="by its suffix: .jsonl hf-spo, .tsv, .parquet, .spacy docbin",
            rich_help_panel=_FORMAT_PANEL,
        ),
    ] = None,
    list_: Annotated[
        bool,
        typer.Option(
            "--list", callback=_print_formats, is_eager=True, help="Show all formats.", rich_help_panel=_FORMAT_PANEL
        ),
    ] = False,
    split: Annotated[
        Split | None,
        typer.Option(
            metavar="SHARES",
            parser=_shares,
            help="Divide the texts: 0.9/0.1 into train and dev, 0.8/0.1/0.1 with test. Equal texts stay together.",
        ),
    ] = None,
    mend_offsets: Annotated[
        bool,
        typer.Option(
            "--mend-offsets",
            help="Put offsets right that were counted in UTF-16, in bytes, from 1, with the end included, or with "
            "other line ends.",
        ),
    ] = False,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
) -> None:
    """Turn labelled texts from one format into another: annotation tools, data sets, tables.

    What is printed says how much there is, and what OUT cannot hold of it. Commands that take labelled texts read all
    of these formats by themselves.

    Examples:
      hf-spo convert --list
      hf-spo convert export.json train.jsonl
      hf-spo convert train.jsonl table.tsv
      hf-spo convert train.jsonl data --to casrel --split 0.8/0.1/0.1
    """
    from ..data.conversion import convert
    from ..data.formats.base import ConversionReport

    bad_lines = BadLines(target.parent) if skip_bad_lines else None
    report = ConversionReport(bad_lines, correct_offsets=mend_offsets)
    try:
        with Console(stderr=True).status("converting"):
            done = convert(source, target, source_format=from_, target_format=to, split=split, report=report)
    finally:
        if bad_lines is not None:
            bad_lines.write()
    if is_terminal(sys.stdout) if as_json is None else not as_json:
        console = Console(highlight=False)
        console.print(_table(done))
        for line in _remarks(done):
            console.print(printable(line))
    else:
        typer.echo(json_line(done.to_dict()))


def _table(done: "Conversion") -> Table:
    table = Table(header_style="bold cyan", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(f"{done.source_format} → {done.target_format}", overflow="fold")
    for name in ("texts", "triples", "entities in no triple"):
        table.add_column(name, justify="right")
    names = ("records", "triples", "entities")
    for counts in done.files.values():
        table.add_row(printable(str(counts.path)), *(f"{getattr(counts, name):,}" for name in names))
    if len(done.files) > 1:
        table.add_section()
        table.add_row("all", *(f"{done.total(name):,}" for name in names))
    return table


def _remarks(done: "Conversion") -> Iterator[str]:
    from ..data.formats.base import tally

    if done.read.lost:
        yield f"not read: {tally(done.read.lost)}"
    if done.written.lost:
        yield f"{done.target_format} cannot hold: {tally(done.written.lost)}"
    if done.corrected:
        yield f"put right or looked up: {tally(done.corrected)}"
    if done.read.skipped:
        yield f"skipped, since they could not be read: {done.read.skipped:,}"
