"""hf-spo extract."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..corpus.job import PART_SIZE
from ..corpus.parts import PartFormat
from ..corpus.parts import Rows as RowsOf
from ..data.documents import ReadOptions, SourceFormat
from ..data.formats.csv_rows import Quoting
from ..model.options import ExtractionOptions
from .console import BadLines, is_terminal
from .corpus import EngineName, Layout, Workers, extract_corpus
from .models import ModelChoice
from .options import (
    FILES_PANEL,
    AsJson,
    BatchSize,
    Device,
    Model,
    Precision,
    Runtime,
    SkipBadLines,
    Threads,
    command,
)
from .stream import ExtractionInputs, Tool, extract_stream, extract_suggestions

_CORPUS_PANEL = "Corpus: --output names a folder"
_LINES = (".jsonl", ".ndjson")
_NO_FOLDERS = (".csv", ".json", ".parquet", ".tsv", ".txt")


@command(no_args_is_help=False)
def extract(
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT…", help="Texts; - reads lines from stdin.", show_default=False)
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="SOURCE",
            help="Documents to read: .txt, one a line, .jsonl, .json, .csv, .tsv, .parquet, a folder or a glob of such "
            "files, hub:NAME for a data set of the Hub, - for stdin. May be repeated.",
            rich_help_panel=FILES_PANEL,
        ),
    ] = None,
    input_format: Annotated[
        SourceFormat | None,
        typer.Option(
            help="What --input is; text has a document a line.",
            show_default="what its suffix says; stdin: text",
            rich_help_panel=FILES_PANEL,
        ),
    ] = None,
    text_column: Annotated[
        str, typer.Option(metavar="NAME", help="Column, or JSON field, with the text.", rich_help_panel=FILES_PANEL)
    ] = "text",
    id_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Column with what a document is called, which goes along.",
            show_default="id if there is one, else FILE:LINE",
            rich_help_panel=FILES_PANEL,
        ),
    ] = None,
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="Encoding of text files and stdin.", rich_help_panel=FILES_PANEL)
    ] = "utf-8",
    quoting: Annotated[
        Quoting,
        typer.Option(
            help="Whether quotation marks in CSV and TSV enclose fields or are part of the text; auto: they enclose "
            "fields in CSV, and in TSV if most of them can.",
            rich_help_panel=FILES_PANEL,
        ),
    ] = Quoting.AUTO,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="A .jsonl file is written all or nothing. A folder gets parts, can be of any size, and what was "
            "stopped goes on when the same command is run again.",
            rich_help_panel=FILES_PANEL,
        ),
    ] = None,
    tool: Annotated[
        Tool | None,
        typer.Option(
            "--to",
            help="Write a file that this annotation tool opens as suggestions, the most uncertain first.",
            show_default=False,
            rich_help_panel=FILES_PANEL,
        ),
    ] = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
    rows: Annotated[
        RowsOf, typer.Option(help="What has a row of the output.", rich_help_panel=_CORPUS_PANEL)
    ] = RowsOf.DOCUMENT,
    output_format: Annotated[
        PartFormat, typer.Option(help="What the parts are.", rich_help_panel=_CORPUS_PANEL)
    ] = PartFormat.JSONL,
    part_size: Annotated[
        int, typer.Option(min=1, metavar="N", help="Documents in a part.", rich_help_panel=_CORPUS_PANEL)
    ] = PART_SIZE,
    engine: Annotated[
        EngineName,
        typer.Option(
            help="Where the work is done: on this machine, or by a Ray cluster (pip install 'hf-spo[ray]').",
            rich_help_panel=_CORPUS_PANEL,
        ),
    ] = EngineName.LOCAL,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Processes, or workers of the cluster, each with a model. As many as there are cores are fastest on a "
            "CPU, if memory allows.",
            show_default="1; with ray, one a machine",
            rich_help_panel=_CORPUS_PANEL,
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Of a running Ray cluster; auto for the one of this machine.",
            show_default="a cluster is started here",
            rich_help_panel=_CORPUS_PANEL,
        ),
    ] = None,
    model: Model = None,
    batch_size: BatchSize = None,
    device: Device = None,
    dtype: Precision = None,
    backend: Runtime = None,
    threads: Threads = None,
    *,
    extraction: ExtractionOptions,
) -> None:
    """Extract triples from texts: a table on a terminal, elsewhere one line of JSON a text.

    Scores are probabilities; offsets count characters of the text as it was given.

    Examples:
      hf-spo extract 《战狼2》的导演和主演都是吴京。
      hf-spo extract --input texts.txt --output triples.jsonl
      hf-spo extract --input 'news/*.parquet' --text-column body --output triples --rows triple
      hf-spo extract --input texts.txt --to label-studio --output suggestions.json
      cat texts.txt | hf-spo extract - | jq .triples
    """
    if inputs and texts:
        raise typer.BadParameter("got both TEXT and --input; give one of them")
    if not inputs and not texts:
        if is_terminal(sys.stdin):
            raise typer.BadParameter(
                "nothing to extract from; give a TEXT, --input SOURCE, or - to read lines from stdin"
            )
        texts = ["-"]
    choice = ModelChoice(model, device, dtype, backend, threads)
    given = ExtractionInputs(
        texts or [], inputs or [], input_format, ReadOptions(text_column, id_column, encoding, quoting)
    )
    layout, helpers = Layout(rows, output_format, part_size), Workers(engine, workers, address)
    if output is not None and tool is None and _is_folder(output):
        if not inputs:
            raise typer.BadParameter(f"--output {output} is a folder, which is for --input; name a .jsonl file")
        extract_corpus(choice, extraction.to_dict(), batch_size, given, output, layout, helpers)
        return
    if (layout, helpers) != (Layout(), Workers()):
        raise typer.BadParameter(
            "--rows, --output-format, --part-size, --engine, --workers and --address are for a folder; name one with "
            "--output"
        )
    bad_lines = BadLines(output.parent if output else Path()) if skip_bad_lines else None
    try:
        if tool is None:
            extract_stream(choice, extraction.to_dict(), batch_size, given, output, as_json, bad_lines)
        elif output is None:
            raise typer.BadParameter(f"--to {tool} takes an --output FILE")
        else:
            extract_suggestions(choice, extraction.to_dict(), batch_size, given, output, tool, bad_lines)
    finally:
        if bad_lines is not None:
            bad_lines.write()


def _is_folder(output: Path) -> bool:
    """Tell whether a path is meant as a folder.

    Raises:
        typer.BadParameter: it is meant as a file of a kind that is not written.
    """
    if output.is_dir() or output.exists():
        return output.is_dir()
    if output.suffix in _NO_FOLDERS:
        raise typer.BadParameter(
            f"--output {output}: expected a .jsonl file, or a folder, whose parts can be Parquet by --output-format"
        )
    return output.suffix not in _LINES
