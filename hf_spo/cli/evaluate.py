"""hf-spo evaluate."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ..metrics import Match, TripleScore, TripleScorer, evaluate_report, read_aliases
from ..metrics.rule_effects import rule_effects
from ..metrics.triple_f1 import Tokenize, score_predictions
from ..model.fields import json_line
from ..model.options import ExtractionOptions
from ..model.rules import apply_rules
from ..model.schema import Example, Schema, Triple
from ..support.files import whole_file
from .console import BadLines, print_report, progress_bar, say, scores_table, set_aside
from .models import ModelChoice
from .options import (
    FILE,
    FILES_PANEL,
    LABELLED,
    NEW_FILE,
    NEW_FOLDER,
    AsJson,
    BatchSize,
    DataFormat,
    SkipBadLines,
    changed_options,
    command,
    option,
)  # fmt: skip
from .predictions import read_labelled, read_predictions

if TYPE_CHECKING:
    from ..model.pipeline import TripleExtractionPipeline
    from ..onnx import OnnxTripleExtractionPipeline


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """The report and what it takes."""

    PANEL: ClassVar = "Report"

    report: Annotated[
        Path | None,
        option(
            "Write report.html, report.json, predictions.jsonl and plots/ to this folder: confidence intervals, "
            "breakdowns, errors by cause, calibration, the official DuIE measure. Needs pip install 'hf-spo[report]'.",
            **NEW_FOLDER,
        ),
    ] = None
    train: Annotated[
        Path | None,
        option("Training texts of the model, to tell known entities from new ones.", **{**LABELLED, "panel": "Report"}),
    ] = None
    aliases: Annotated[
        Path | None,
        option("Aliases for the official measure: on each line a name and its aliases, separated by tabs.", **FILE),
    ] = None


@dataclass(frozen=True, slots=True)
class _Predictions:
    """Triples for each labelled text.

    Args:
        source: what found them, for the report.
        triples: the triples of each text.
        schema, tokenize: schema and tokenizer of the model.
        unruled: the triples before the rules of the schema were applied; None if none were.
    """

    source: Mapping[str, str]
    triples: Sequence[Sequence[Triple]]
    schema: Schema | None = None
    tokenize: Tokenize | None = None
    unruled: Sequence[Sequence[Triple]] | None = None


@command()
def evaluate(
    data: Annotated[Path, option("Labelled texts to score on.", **LABELLED)],
    reporting: ReportOptions,
    match: Annotated[
        list[Match] | None,
        option(
            "When a triple counts as correct. strict: subject, predicate and object are equal to those of a label; "
            "lenient: their tokens are; span: their places are, too; full: strict, with types and qualifiers. May be "
            "repeated.",
            default="strict",
        ),
    ] = None,
    output: Annotated[
        Path | None, option("Write the scores to this file as JSON.", "--output", "-o", panel=FILES_PANEL, **NEW_FILE)
    ] = None,
    predictions: Annotated[
        Path | None,
        option("Score the triples of this file, as extract writes it.", panel=FILES_PANEL, **FILE),
    ] = None,
    form: DataFormat = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
    batch_size: BatchSize = None,
    *,
    choice: ModelChoice,
    extraction: ExtractionOptions,
) -> None:
    """Score a model, or a file of predictions, on labelled texts: precision, recall and F1 of the triples.

    Examples:
      hf-spo evaluate --model my-model --data dev.jsonl --match strict --match full
      hf-spo evaluate --model my-model --data dev.jsonl --train train.jsonl --report report
      hf-spo evaluate --predictions triples.jsonl --data dev.jsonl
    """
    matches = list(dict.fromkeys(match or [Match.STRICT]))
    if predictions is not None:
        given = [f"--{name}" for name in ("model", "device", "dtype", "backend") if getattr(choice, name)]
        _refuse_a_model(matches, [*given, *changed_options(extraction)])
    report = reporting.report
    if report is None and (reporting.train is not None or reporting.aliases is not None):
        raise typer.BadParameter("--train and --aliases are for the report; pass --report FOLDER")
    with ExitStack() as stack:
        bad_lines = stack.enter_context(set_aside(skip_bad_lines, output or (report and report / "report.html")))
        file = stack.enter_context(whole_file(output)) if output else None
        if report:
            # Before the work, which may take minutes: matplotlib may be missing.
            from ..metrics.writing import write_report
        examples = read_labelled(data, bad_lines, form)
        if extraction.relations is not None:
            examples = [_of_relations(example, extraction.relations) for example in examples]
        if predictions is not None:
            found = _Predictions({"predictions": str(predictions)}, read_predictions(predictions, examples, bad_lines))
        else:
            found = _extract(examples, choice.load(), batch_size, extraction)
        scores = {match.value: _score(examples, found, match) for match in matches}
        result = {**found.source, "data": str(data), "texts": len(examples), "scores": scores}
        if report:
            write_report(_report(examples, found, str(data), reporting, bad_lines, form), report)
            say(f"hf-spo: the report is in {report / 'report.html'}")
        if file:
            file.write(json_line(result) + "\n")
    print_report(result, as_json, lambda: scores_table(scores))


def _of_relations(example: Example, predicates: Sequence[str]) -> Example:
    return replace(example, triples=tuple(one for one in example.triples if one.predicate in predicates))


def _refuse_a_model(matches: list[Match], given: list[str]) -> None:
    """Refuse options that need a model."""
    if given:
        raise typer.BadParameter(f"--predictions uses no model; leave out {', '.join(given)}")
    if Match.LENIENT in matches:
        raise typer.BadParameter("--match lenient needs the tokenizer of a model; --predictions has none")


def _extract(
    examples: Sequence[Example],
    pipe: "TripleExtractionPipeline | OnnxTripleExtractionPipeline",
    batch_size: int | None,
    options: ExtractionOptions,
) -> _Predictions:
    assert pipe.tokenizer is not None
    found = pipe.extractor(**{**options.to_dict(), "rules": False})((example.text for example in examples), batch_size)
    unruled = list(progress_bar(found, len(examples), "evaluating"))
    source, schema, tokenize = {"model": pipe.name_or_path}, pipe.schema, pipe.tokenizer.tokenize
    if not (options.rules and schema.has_rules):
        return _Predictions(source, unruled, schema, tokenize)
    return _Predictions(source, [apply_rules(triples, schema) for triples in unruled], schema, tokenize, unruled)


def _report(
    examples: Sequence[Example],
    found: _Predictions,
    data: str,
    options: ReportOptions,
    bad_lines: BadLines | None,
    form: str | None,
) -> Any:
    report = evaluate_report(
        examples,
        found.triples,
        found.schema,
        train=read_labelled(options.train, bad_lines, form) if options.train else None,
        aliases=read_aliases(options.aliases) if options.aliases else None,
        tokenize=found.tokenize,
        about={**found.source, "data": data},
    )
    effects: dict[str, TripleScore] | None = None
    if found.schema is not None and found.unruled is not None:
        effects = rule_effects(examples, found.unruled, found.schema)
    return replace(report, rules=effects)


def _score(examples: Sequence[Example], found: _Predictions, match: Match) -> dict[str, float | int]:
    return score_predictions(examples, found.triples, TripleScorer(match, found.tokenize)).to_dict()
