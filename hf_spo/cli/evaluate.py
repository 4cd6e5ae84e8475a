"""hf-spo evaluate."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from ..console import BadLines, is_terminal, json_line, progress_bar, scores_table, whole_file
from ..extraction import OnTruncation
from ..metrics import Match
from .app import app
from .models import load_pipeline
from .options import (
    FILES_PANEL,
    AsJson,
    BatchSize,
    Device,
    Model,
    ObjectEnd,
    ObjectStart,
    Precision,
    SkipBadLines,
    SubjectEnd,
    SubjectStart,
    Threshold,
    Truncation,
    decoding_parameters,
)

if TYPE_CHECKING:
    from ..pipeline import TripleExtractionPipeline


@app.command()
def evaluate(
    data: Annotated[
        Path,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="Labelled texts to score on.", rich_help_panel=FILES_PANEL
        ),
    ],
    match: Annotated[
        list[Match] | None,
        typer.Option(
            help="When a triple is right. strict: subject, predicate and object are those of the data; lenient: so are "
            "their tokens; span: they stand at the same place, too; full: strict, with types and qualifiers. "
            "May be repeated.",
            show_default="strict",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", dir_okay=False, help="Write the scores here as JSON.", rich_help_panel=FILES_PANEL
        ),
    ] = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
    model: Model = None,
    batch_size: BatchSize = 32,
    device: Device = None,
    dtype: Precision = None,
    threshold: Threshold = None,
    subject_start_threshold: SubjectStart = None,
    subject_end_threshold: SubjectEnd = None,
    object_start_threshold: ObjectStart = None,
    object_end_threshold: ObjectEnd = None,
    on_truncation: Truncation = OnTruncation.WARN,
) -> None:
    """Score a model on labelled texts: precision, recall and F1 of its triples.

    [dim]hf-spo evaluate --model my-model --data dev.jsonl --match strict --match full[/]
    """
    parameters = decoding_parameters(
        threshold,
        subject_start_threshold=subject_start_threshold,
        subject_end_threshold=subject_end_threshold,
        object_start_threshold=object_start_threshold,
        object_end_threshold=object_end_threshold,
    )
    bad_lines = BadLines(output.parent if output else Path()) if skip_bad_lines else None
    with ExitStack() as stack:
        if bad_lines is not None:
            stack.callback(bad_lines.write)
        file = stack.enter_context(whole_file(output)) if output else None
        pipe = load_pipeline(model, device, dtype)
        report = _score(pipe, data, match or [Match.STRICT], batch_size, bad_lines, on_truncation, parameters)
        if file:
            file.write(json_line(report) + "\n")
    if is_terminal(sys.stdout) if as_json is None else not as_json:
        Console().print(scores_table(report["scores"]))
    else:
        typer.echo(json_line(report))


def _score(
    pipe: "TripleExtractionPipeline",
    data: Path,
    matches: list[Match],
    batch_size: int,
    bad_lines: BadLines | None,
    on_truncation: OnTruncation,
    parameters: dict[str, float],
) -> dict[str, Any]:
    """Extract once, and score in each way of matching."""
    from ..data import read_examples
    from ..metrics import TripleScorer

    assert pipe.tokenizer is not None
    tokenize = pipe.tokenizer.tokenize
    examples = list(read_examples(data, bad_lines))
    if not examples:
        raise ValueError(f"{data} holds no labelled text; expected one JSON object a line")
    scorers = {match: TripleScorer(match, tokenize) for match in dict.fromkeys(matches)}
    extractor = pipe.extractor(on_truncation=on_truncation.value, **parameters)
    found = extractor((example.text for example in examples), batch_size)
    for example, triples in zip(progress_bar(examples, len(examples), "evaluating"), found, strict=True):
        for scorer in scorers.values():
            scorer.add(triples, example.triples)
    scores = {match.value: scorer.score().to_dict() for match, scorer in scorers.items()}
    return {"model": pipe.model.name_or_path, "data": str(data), "texts": len(examples), "scores": scores}
