"""hf-spo extract."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..model.options import ExtractionOptions
from .console import is_terminal, set_aside
from .corpus import CorpusOptions, extract_corpus
from .models import ModelChoice
from .options import FILES_PANEL, AsJson, BatchSize, SkipBadLines, Texts, command, option
from .stream import DocumentOptions, Extraction, Tool, extract_stream, extract_suggestions

_LINES = (".jsonl", ".ndjson")
_NO_FOLDERS = (".csv", ".json", ".parquet", ".tsv", ".txt")


@command(no_args_is_help=False)
def extract(
    documents: DocumentOptions,
    texts: Texts = None,
    output: Annotated[
        Path | None,
        option(
            "A .jsonl file, written whole or not at all; or a folder, for any number of documents: it gets a file for "
            "every --part-size documents, and the same command continues a run that was stopped.",
            "--output", "-o", panel=FILES_PANEL, metavar="PATH",
        ),
    ] = None,
    tool: Annotated[
        Tool | None,
        option(
            "Write a file of suggestions for this annotation tool, the most uncertain text first.",
            "--to", panel=FILES_PANEL, show_default=False,
        ),
    ] = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
    batch_size: BatchSize = None,
    *,
    corpus: CorpusOptions,
    choice: ModelChoice,
    options: ExtractionOptions,
) -> None:  # fmt: skip
    """Extract triples from texts: a table on a terminal, else one line of JSON per text.

    Scores are probabilities. Offsets count the characters of the text as it was given.

    Examples:
      hf-spo extract 《战狼2》的导演和主演都是吴京。
      hf-spo extract --input texts.txt --output triples.jsonl
      hf-spo extract --input 'news/*.parquet' --text-column body --output triples --rows triple
      hf-spo extract --input texts.txt --to label-studio --output suggestions.json
      cat texts.txt | hf-spo extract - | jq .triples
    """
    if documents.inputs and texts:
        raise typer.BadParameter("got both TEXT and --input; give one of them")
    if not documents.inputs and not texts:
        if is_terminal(sys.stdin):
            raise typer.BadParameter("no input; give a TEXT, --input SOURCE, or - to read lines from stdin")
        texts = ["-"]
    extraction = Extraction(choice, options.to_dict(), batch_size, texts or [], documents)
    if output is not None and tool is None and _is_folder(output):
        if not documents.inputs:
            raise typer.BadParameter(f"--output {output} is a folder, which needs --input; name a .jsonl file")
        extract_corpus(extraction, output, corpus)
        return
    if corpus != CorpusOptions():
        raise typer.BadParameter(
            "--rows, --output-format, --part-size, --engine, --workers and --address need a folder; name one with "
            "--output"
        )
    if tool is not None and output is None:
        raise typer.BadParameter(f"--to {tool} needs --output FILE")
    with set_aside(skip_bad_lines, output) as bad_lines:
        if tool is None or output is None:
            extract_stream(extraction, output, as_json, bad_lines)
        else:
            extract_suggestions(extraction, output, tool, bad_lines)


def _is_folder(output: Path) -> bool:
    """Tell whether a path is, or will be, a folder.

    Raises:
        typer.BadParameter: its suffix is that of a file that extract does not write.
    """
    if output.is_dir() or output.exists():
        return output.is_dir()
    if output.suffix in _NO_FOLDERS:
        raise typer.BadParameter(
            f"--output {output}: expected a .jsonl file, or a folder, whose files can be Parquet by --output-format"
        )
    return output.suffix not in _LINES
