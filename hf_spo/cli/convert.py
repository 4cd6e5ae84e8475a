"""hf-spo convert."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, Group
from rich.table import Table

from ..data.splitting import Split
from ..model.fields import json_line
from .console import is_terminal, new_table, print_report, printable, set_aside
from .options import AsJson, SkipBadLines, command, format_name, labelled_data, option

if TYPE_CHECKING:
    from ..data.conversion import Conversion

_FORMAT_PANEL = "Formats"


def _print_formats(wanted: bool) -> None:
    if not wanted:
        return
    from ..data.formats.registry import find_format, format_names

    formats = [find_format(name) for name in format_names()]
    if is_terminal(sys.stdout):
        table = new_table("name", "can be", "about")
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
        option(
            "Format of IN.", "--from", "--format", panel=_FORMAT_PANEL, default="recognised by the content",
            metavar="NAME", parser=format_name,
        ),
    ] = None,
    to: Annotated[
        str | None,
        option(
            "Format of OUT.", panel=_FORMAT_PANEL,
            default="by the suffix: .jsonl hf-spo, .tsv, .parquet, .spacy docbin", metavar="NAME", parser=format_name,
        ),
    ] = None,
    list_: Annotated[
        bool, option("Show all formats.", "--list", panel=_FORMAT_PANEL, callback=_print_formats, is_eager=True)
    ] = False,
    split: Annotated[
        Split | None,
        option(
            "Split the texts: 0.9/0.1 into train and dev, 0.8/0.1/0.1 with test. Equal texts go to the same part.",
            metavar="SHARES", parser=_shares,
        ),
    ] = None,
    mend_offsets: Annotated[
        bool,
        option(
            "Correct offsets that were counted in UTF-16 units or bytes, from 1, with an inclusive end, or with other "
            "line ends.",
            "--mend-offsets",
        ),
    ] = False,
    text_column: Annotated[
        str | None,
        option(
            "Column of the text in a Label Studio export with several columns.", metavar="NAME",
            default="the one in which the annotated words stand",
        ),
    ] = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
) -> None:  # fmt: skip
    """Convert labelled texts between the formats of annotation tools, data sets and tables.

    The report counts texts and triples, and what the format of OUT cannot hold. Commands that take labelled texts read
    all of these formats directly.

    Examples:
      hf-spo convert --list
      hf-spo convert export.json train.jsonl
      hf-spo convert train.jsonl table.tsv
      hf-spo convert train.jsonl data --to casrel --split 0.8/0.1/0.1
    """
    from ..data.conversion import convert
    from ..data.formats.base import ConversionReport

    with set_aside(skip_bad_lines, target) as bad_lines, Console(stderr=True).status("converting"):
        report = ConversionReport(bad_lines, correct_offsets=mend_offsets, text_column=text_column)
        done = convert(source, target, source_format=from_, target_format=to, split=split, report=report)
    print_report(done.to_dict(), as_json, lambda: Group(_table(done), *map(printable, _remarks(done))))


def _table(done: "Conversion") -> Table:
    columns = ("texts", "triples", "entities in no triple")
    table = new_table(f"{done.source_format} → {done.target_format}", numbers=columns)
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
        yield f"corrected or looked up: {tally(done.corrected)}"
    if done.read.doubtful:
        yield f"read as they are, and perhaps wrong: {tally(done.read.doubtful)}"
    if done.read.skipped:
        yield f"skipped because they cannot be read: {done.read.skipped:,}"
