"""hf-spo tune."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from rich.console import Console, Group

from .console import print_report, say, scores_table, set_aside
from .models import ModelChoice
from .options import (
    FILES_PANEL,
    LABELLED,
    NEW_FOLDER,
    AsJson,
    BatchSize,
    DataFormat,
    Device,
    Model,
    Precision,
    SkipBadLines,
    command,
    option,
)  # fmt: skip
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
    data: Annotated[Path, option("Labelled texts that the model was not trained on.", **LABELLED)],
    output: Annotated[
        Path | None,
        option(
            "Folder for the model with the settings found in its config; may be the model's own folder.",
            "--output", "-o", panel=FILES_PANEL, default="nothing is written", **NEW_FOLDER,
        ),
    ] = None,
    min_precision: Annotated[
        float | None,
        option("Maximise recall at this precision, instead of F1.", min=0, max=1, metavar="P"),
    ] = None,
    calibration: Annotated[
        CalibrateBy,
        option(
            "How scores become probabilities of being right: isotonic, for thousands of triples; temperature, for "
            "hundreds; none."
        ),
    ] = CalibrateBy.ISOTONIC,
    form: DataFormat = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
    model: Model = None,
    batch_size: BatchSize = None,
    device: Device = None,
    dtype: Precision = None,
) -> None:  # fmt: skip
    """Find the thresholds of a model on labelled texts, and calibrate its scores.

    Cross-validation estimates the gain on other texts; a setting without gain there is not used.

    Examples:
      hf-spo tune --model my-model --data dev.jsonl --output my-model
      hf-spo tune --model base --data dev.jsonl --min-precision 0.9 --output careful-model
    """
    from ..model.calibration import CalibrationMethod
    from ..training.tuning import Tuner

    with set_aside(skip_bad_lines, output) as bad_lines:
        examples = read_labelled(data, bad_lines, form)
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
    print_report(report, as_json, lambda: _layout(report))


def _save(pipe: "TripleExtractionPipeline", output: Path) -> None:
    if output.is_dir() and Path(pipe.model.name_or_path or "").resolve() == output.resolve():
        pipe.model.config.save_pretrained(output)
    else:
        pipe.save_pretrained(str(output))
    say(f"hf-spo: the settings are in {output / 'config.json'}")


def _layout(report: Mapping[str, Any]) -> Group:
    borders = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in report["thresholds"].items())
    scores = report["score_thresholds"]
    cut = " to ".join(dict.fromkeys(f"{score:.3f}" for score in (min(scores), max(scores)))) if scores else "none"
    lines = [f"chosen: {report['choice']}", f"border thresholds: {borders}", f"score threshold: {cut}"]
    if report["ece_after"] is not None:
        before, after = report["ece_before"], report["ece_after"]
        lines.append(f"calibration error of scores: {before:.3f} before, {after:.3f} after")
    return Group(
        "[bold]On these texts[/], which were used to find the settings",
        scores_table({name: report[name] for name in ("before", "after")}, "settings"),
        "[bold]Expected on other texts[/], by cross-validation",
        scores_table(report["cross_validated"], "settings"),
        *lines,
    )
