"""hf-spo extract."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import tee
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.console import Console

from ..console import BadLines, count_lines, is_terminal, progress_bar, triples_table
from ..extraction import BATCH_TOKENS, OnLong
from ..files import json_line, whole_file
from .app import app
from .models import load_pipeline
from .options import (
    DECODING_PANEL,
    FILES_PANEL,
    AsJson,
    BatchSize,
    BatchTokens,
    Device,
    Long,
    Model,
    ObjectEnd,
    ObjectStart,
    Precision,
    Rules,
    Runtime,
    ScoreThreshold,
    SkipBadLines,
    Stride,
    SubjectEnd,
    SubjectStart,
    Threads,
    Threshold,
    WindowSize,
    decoding_parameters,
)


@app.command(no_args_is_help=False)
def extract(
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
            help='Texts to read: .txt, one a line, or .jsonl, objects with "text".',
            rich_help_panel=FILES_PANEL,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", dir_okay=False, help="Write JSON lines here, all or nothing.", rich_help_panel=FILES_PANEL
        ),
    ] = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
    model: Model = None,
    batch_size: BatchSize = None,
    batch_tokens: BatchTokens = BATCH_TOKENS,
    device: Device = None,
    dtype: Precision = None,
    backend: Runtime = None,
    threads: Threads = None,
    threshold: Threshold = None,
    subject_start_threshold: SubjectStart = None,
    subject_end_threshold: SubjectEnd = None,
    object_start_threshold: ObjectStart = None,
    object_end_threshold: ObjectEnd = None,
    score_threshold: ScoreThreshold = None,
    rules: Rules = True,
    top_k: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Keep this many triples of a text, the best scored.",
            show_default="all",
            rich_help_panel=DECODING_PANEL,
        ),
    ] = None,
    on_long: Long = OnLong.WINDOW,
    window: WindowSize = None,
    stride: Stride = None,
) -> None:
    """Extract triples from texts: a table on a terminal, elsewhere one line of JSON a text.

    Scores are probabilities; offsets count characters of the text as it was given.

    [dim]hf-spo extract 《战狼2》的导演和主演都是吴京。
    hf-spo extract --input texts.txt --output triples.jsonl
    cat texts.txt | hf-spo extract - | jq .triples[/]
    """
    if input_file is not None and input_file.suffix not in (".txt", ".jsonl"):
        raise typer.BadParameter(f'{input_file}: expected .txt, one text a line, or .jsonl, objects with "text"')
    if input_file is not None and texts:
        raise typer.BadParameter("got both TEXT and --input; give one of them")
    if input_file is None and not texts:
        if is_terminal(sys.stdin):
            raise typer.BadParameter(
                "nothing to extract from; give a TEXT, --input FILE, or - to read lines from stdin"
            )
        texts = ["-"]
    parameters = decoding_parameters(
        threshold,
        subject_start_threshold=subject_start_threshold,
        subject_end_threshold=subject_end_threshold,
        object_start_threshold=object_start_threshold,
        object_end_threshold=object_end_threshold,
    )
    if score_threshold is not None:
        parameters["score_threshold"] = score_threshold
    bad_lines = BadLines(output.parent if output else Path()) if skip_bad_lines else None
    with ExitStack() as stack:
        if bad_lines is not None:
            stack.callback(bad_lines.write)
        # Opened before the model is loaded: that a folder is missing should not take seconds to say.
        file = stack.enter_context(whole_file(output)) if output else None
        show = _writer(file, as_json)
        pipe = load_pipeline(model, device, dtype, backend, threads)
        read = _read_texts(texts or [], input_file, bad_lines)
        if input_file is not None:
            read = progress_bar(read, count_lines(input_file), "extracting") if file else read
        ours, theirs = tee(read)
        results = pipe(
            theirs,
            batch_size=batch_size,
            rules=rules,
            top_k=top_k,
            on_long=on_long.value,
            window=window,
            stride=stride,
            batch_tokens=batch_tokens,
            **parameters,
        )
        for text, triples in zip(ours, results, strict=True):
            show(text, triples)


def _read_texts(texts: Iterable[str], path: Path | None, bad_lines: BadLines | None) -> Iterator[str]:
    from ..data import read_texts

    if path is not None:
        yield from read_texts(path, bad_lines)
    for text in texts:
        if text == "-":
            yield from (line.rstrip("\n") for line in sys.stdin)
        else:
            yield text


def _writer(file: IO[str] | None, as_json: bool | None) -> Callable[[str, list[dict[str, Any]]], None]:
    """Choose how a text and its triples are shown: JSON lines in a file or a pipe, a table on a terminal."""
    if file is None and (is_terminal(sys.stdout) if as_json is None else not as_json):
        console = Console(highlight=False)
        return lambda text, triples: console.print(triples_table(text, triples))

    def write(text: str, triples: list[dict[str, Any]]) -> None:
        print(json_line({"text": text, "triples": triples}), file=file or sys.stdout)

    return write
