"""hf-spo show."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from ..data.document_readers import read_stdin_lines
from ..data.documents import ReadOptions
from ..drawing import WIDTH, page, render
from ..model.options import ExtractionOptions
from ..support.files import whole_file
from .console import BadLines, say
from .marked import marked
from .models import ModelChoice
from .options import (
    FILES_PANEL,
    BatchSize,
    Device,
    Model,
    Precision,
    Runtime,
    SkipBadLines,
    Threads,
    command,
)

_Row = tuple[str, Sequence[Mapping[str, Any]]]


@command()
def show(
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT…", help="Texts; - reads lines from stdin.", show_default=False)
    ] = None,
    input_file: Annotated[
        Path | None,
        typer.Option(
            "--input",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Draw the triples of this file, as extract writes them; no model is asked.",
            rich_help_panel=FILES_PANEL,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Draw here: .html, a page, or .svg, a picture of one text.",
            show_default="the terminal",
            rich_help_panel=FILES_PANEL,
        ),
    ] = None,
    width: Annotated[
        int, typer.Option(min=160, metavar="PIXELS", help="Width of a picture.", rich_help_panel=FILES_PANEL)
    ] = WIDTH,
    skip_bad_lines: SkipBadLines = False,
    model: Model = None,
    batch_size: BatchSize = None,
    device: Device = None,
    dtype: Precision = None,
    backend: Runtime = None,
    threads: Threads = None,
    *,
    extraction: ExtractionOptions,
) -> None:
    """Show what relates to what: mentions marked in their text, arrows from subjects to objects.

    Examples:
      hf-spo show 《战狼2》的导演和主演都是吴京。
      hf-spo show 《战狼2》的导演和主演都是吴京。 --output picture.svg
      hf-spo show --input triples.jsonl --output page.html
    """
    if output is not None and output.suffix.lower() not in (".html", ".svg"):
        raise typer.BadParameter(f"--output {output}: expected .html, a page, or .svg, a picture of one text")
    if (input_file is None) == (not texts):
        raise typer.BadParameter("expected either TEXT, with - to read lines from stdin, or --input FILE")
    bad_lines = BadLines(output.parent if output else Path()) if skip_bad_lines else None
    with ExitStack() as stack:
        if bad_lines is not None:
            stack.callback(bad_lines.write)
        file = stack.enter_context(whole_file(output)) if output else None
        if input_file is not None:
            rows: Iterable[_Row] = _read(input_file, bad_lines)
        else:
            pipe = ModelChoice(model, device, dtype, backend, threads).load()
            found = pipe(_texts(texts or []), batch_size=batch_size, **extraction.to_dict())
            rows = ((triples.text, triples) for triples in found)
        if file is None:
            console = Console(highlight=False)
            for text, triples in rows:
                console.print(marked(text, triples))
        else:
            assert output is not None
            file.writelines(_drawn(rows, output, width))
    if output is not None:
        say(f"hf-spo: the drawing is in {output}")


def _read(path: Path, bad_lines: BadLines | None) -> Iterator[_Row]:
    from ..data import read_examples

    for example in read_examples(path, bad_lines):
        yield example.text, [triple.to_dict() for triple in example.triples]


def _texts(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        if text == "-":
            yield from read_stdin_lines(ReadOptions())
        else:
            yield text


def _drawn(rows: Iterable[_Row], output: Path, width: int) -> Iterator[str]:
    """Yield the parts of a page, or one picture.

    Raises:
        ValueError: there are several texts, or none, for one picture.
    """
    if output.suffix.lower() == ".html":
        yield from page(rows, title=output.stem, width=width)
        return
    stream = iter(rows)
    first = next(stream, None)
    if first is None or next(stream, None) is not None:
        came = "none" if first is None else "several"
        raise ValueError(f"{output} is a picture of one text, and there are {came}; name a page of many .html")
    yield render(*first, style="svg", width=width)
