"""hf-spo evaluate."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ..metrics import Match, TripleScore, TripleScorer, evaluate_report, read_aliases
from ..metrics.rule_effects import rule_effects
from ..metrics.triple_f1 import Tokenize
from ..model.fields import json_line
from ..model.options import ExtractionOptions
from ..model.rules import apply_rules
from ..model.schema import Example, Schema, Triple
from ..support.files import whole_file
from .console import BadLines, is_terminal, progress_bar, say, scores_table
from .models import ModelChoice
from .options import (
    FILES_PANEL,
    LABELLED,
    AsJson,
    BatchSize,
    DataFormat,
    Device,
    Model,
    Precision,
    Runtime,
    SkipBadLines,
    Threads,
    changed_options,
    command,
)
from .predictions import read_labelled, read_predictions

if TYPE_CHECKING:
    from ..model.pipeline import TripleExtractionPipeline
    from ..onnx import OnnxTripleExtractionPipeline

_REPORT_PANEL = "Report"


@dataclass(frozen=True, slots=True)
class _Answers:
    """Triples for each labelled text, and what they came from; schema and tokenizer are a model's.

    unruled: the triples as they were before the schema's rules were applied, if any were.
    """

    source: Mapping[str, str]
    triples: Sequence[Sequence[Triple]]
    schema: Schema | None = None
    tokenize: Tokenize | None = None
    unruled: Sequence[Sequence[Triple]] | None = None


@command()
def evaluate(
    data: Annotated[
        Path,
        typer.Option(help="Labelled texts to score on.", **LABELLED),
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
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            file_okay=False,
            help="Write report.html, report.json, predictions.jsonl and plots/ here: intervals, breakdowns, errors by "
            "cause, calibration, the official DuIE measure. Needs pip install 'hf-spo[report]'.",
            rich_help_panel=_REPORT_PANEL,
        ),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            help="The texts the model was trained on, to tell seen entities from new ones.",
            **{**LABELLED, "rich_help_panel": _REPORT_PANEL},
        ),
    ] = None,
    aliases: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Other names of entities for the official measure: a name and its aliases a line, tab-separated.",
            rich_help_panel=_REPORT_PANEL,
        ),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Score these triples, as extract writes them, instead of a model's.",
            rich_help_panel=FILES_PANEL,
        ),
    ] = None,
    form: DataFormat = None,
    as_json: AsJson = None,
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
    """Score a model, or a file of predictions, on labelled texts: precision, recall and F1 of its triples.

    Examples:
      hf-spo evaluate --model my-model --data dev.jsonl --match strict --match full
      hf-spo evaluate --model my-model --data dev.jsonl --train train.jsonl --report report
      hf-spo evaluate --predictions triples.jsonl --data dev.jsonl
    """
    matches = list(dict.fromkeys(match or [Match.STRICT]))
    if predictions is not None:
        choice = {"--model": model, "--device": device, "--dtype": dtype, "--backend": backend}
        _refuse_a_model(matches, [*(name for name, value in choice.items() if value), *changed_options(extraction)])
    if report is None and (train is not None or aliases is not None):
        raise typer.BadParameter("--train and --aliases are for the report; pass --report FOLDER")
    bad_lines = BadLines((output.parent if output else report) or Path()) if skip_bad_lines else None
    with ExitStack() as stack:
        if bad_lines is not None:
            stack.callback(bad_lines.write)
        file = stack.enter_context(whole_file(output)) if output else None
        if report:
            # Now rather than after the work: that matplotlib is missing should not take minutes to say.
            from ..metrics.writing import write_report
        examples = read_labelled(data, bad_lines, form)
        if extraction.relations is not None:
            examples = [_of_relations(example, extraction.relations) for example in examples]
        if predictions is not None:
            answers = _Answers({"predictions": str(predictions)}, read_predictions(predictions, examples, bad_lines))
        else:
            pipe = ModelChoice(model, device, dtype, backend, threads).load()
            answers = _extract(examples, pipe, batch_size, extraction)
        about = {**answers.source, "data": str(data)}
        scores = {match.value: _score(examples, answers, match) for match in matches}
        if report:
            found = evaluate_report(
                examples,
                answers.triples,
                answers.schema,
                train=read_labelled(train, bad_lines, form) if train else None,
                aliases=read_aliases(aliases) if aliases else None,
                tokenize=answers.tokenize,
                about=about,
            )
            write_report(replace(found, rules=_rule_effects(examples, answers)), report)
            say(f"hf-spo: the report is in {report / 'report.html'}")
        result = {**about, "texts": len(examples), "scores": scores}
        if file:
            file.write(json_line(result) + "\n")
    if is_terminal(sys.stdout) if as_json is None else not as_json:
        Console().print(scores_table(scores))
    else:
        typer.echo(json_line(result))


def _of_relations(example: Example, predicates: Sequence[str]) -> Example:
    return replace(example, triples=tuple(one for one in example.triples if one.predicate in predicates))


def _refuse_a_model(matches: list[Match], given: list[str]) -> None:
    """Refuse options that need a model."""
    if given:
        raise typer.BadParameter(f"--predictions is scored without a model; leave out {', '.join(given)}")
    if Match.LENIENT in matches:
        raise typer.BadParameter("--match lenient takes a model's tokenizer, and --predictions has no model")


def _extract(
    examples: Sequence[Example],
    pipe: "TripleExtractionPipeline | OnnxTripleExtractionPipeline",
    batch_size: int | None,
    options: ExtractionOptions,
) -> _Answers:
    assert pipe.tokenizer is not None
    found = pipe.extractor(**{**options.to_dict(), "rules": False})((example.text for example in examples), batch_size)
    unruled = list(progress_bar(found, len(examples), "evaluating"))
    source, schema, tokenize = {"model": pipe.name_or_path}, pipe.schema, pipe.tokenizer.tokenize
    if not (options.rules and schema.has_rules):
        return _Answers(source, unruled, schema, tokenize)
    return _Answers(source, [apply_rules(triples, schema) for triples in unruled], schema, tokenize, unruled)


def _rule_effects(examples: Sequence[Example], answers: _Answers) -> dict[str, TripleScore] | None:
    if answers.schema is None or answers.unruled is None:
        return None
    return rule_effects(examples, answers.unruled, answers.schema)


def _score(examples: Sequence[Example], answers: _Answers, match: Match) -> dict[str, float | int]:
    scorer = TripleScorer(match, answers.tokenize)
    for example, triples in zip(examples, answers.triples, strict=True):
        scorer.add(example.judged(triples), example.triples)
    return scorer.score().to_dict()
