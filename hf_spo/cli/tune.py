"""hf-spo tune."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from ..model.fields import json_line
from .console import BadLines, is_terminal, say, scores_table
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
    SkipBadLines,
    command,
)
from .predictions import read_labelled

if TYPE_CHECKING:
    from ..model.pipeline import TripleExtractionPipeline


class CalibrateBy(StrEnum):
    """How scores are calibrated."""

    ISOTONIC = "isotonic"
    TEMPERATURE = "temperature"
    NONE = "none"


@command()
def tune(
    data: Annotated[
        Path,
        typer.Option(help="Labelled texts that the model was not trained on.", **LABELLED),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            file_okay=False,
            help="Where the model goes with the settings found in its config; may be the model's own folder.",
            show_default="nothing is written",
            rich_help_panel=FILES_PANEL,
        ),
    ] = None,
    min_precision: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, metavar="P", help="Find as much as possible at this precision, rather than the best F1."
        ),
    ] = None,
    calibration: Annotated[
        CalibrateBy,
        typer.Option(
            help="How scores become probabilities of being right: isotonic, for some thousand triples; temperature, "
            "for some hundred; none."
        ),
    ] = CalibrateBy.ISOTONIC,
    form: DataFormat = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
    model: Model = None,
    batch_size: BatchSize = None,
    device: Device = None,
    dtype: Precision = None,
) -> None:
    """Find a model's thresholds on labelled texts, and calibrate its scores.

    The gain to expect on other texts is shown by cross-validation; what does not pay there is not taken.

    Examples:
      hf-spo tune --model my-model --data dev.jsonl --output my-model
      hf-spo tune --model base --data dev.jsonl --min-precision 0.9 --output careful-model
    """
    from ..model.calibration import CalibrationMethod
    from ..training.tuning import Tuner

    bad_lines = BadLines(output.parent if output else Path())
    examples = read_labelled(data, bad_lines if skip_bad_lines else None, form)
    bad_lines.write()
    pipe = ModelChoice(model, device, dtype).load_torch()
    method = None if calibration == CalibrateBy.NONE else CalibrationMethod(calibration.value)
    tuner = Tuner(
        pipe.extractor(), examples, pipe.schema, min_precision=min_precision, method=method, batch_size=batch_size
    )
    with Console(stderr=True).status("searching") as status:
        tuner.on_step = lambda tried: status.update(f"searching: {tried} settings tried")
        found = tuner.run()
    report = found.to_dict()
    if output is not None:
        pipe.model.config.decode_by(found.settings)
        _save(pipe, output)
        report["model"] = str(output)
    if not (is_terminal(sys.stdout) if as_json is None else not as_json):
        typer.echo(json_line(report))
        return
    rows = {"before": report["before"], "after": report["after"]}
    Console().print("[bold]On these texts[/], which the search has seen", scores_table(rows, "settings"))
    Console().print("[bold]To expect on others[/], by cross-validation", scores_table(report["cross_validated"], "way"))
    _explain(report)


def _save(pipe: "TripleExtractionPipeline", output: Path) -> None:
    if output.is_dir() and Path(pipe.model.name_or_path or "").resolve() == output.resolve():
        pipe.model.config.save_pretrained(output)
    else:
        pipe.save_pretrained(str(output))
    say(f"hf-spo: the settings are in {output / 'config.json'}")


def _explain(report: dict[str, Any]) -> None:
    borders = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in report["thresholds"].items())
    scores = report["score_thresholds"]
    cut = (
        "none" if not scores else f"{scores[0]:.3f}" if len(scores) == 1 else f"{min(scores):.3f} to {max(scores):.3f}"
    )
    typer.echo(f"taken: {report['choice']}")
    typer.echo(f"border thresholds: {borders}")
    typer.echo(f"score threshold: {cut}")
    if report["ece_after"] is not None:
        typer.echo(f"calibration error of scores: {report['ece_before']:.3f} before, {report['ece_after']:.3f} after")
