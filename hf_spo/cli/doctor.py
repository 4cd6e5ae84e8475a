"""hf-spo doctor."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ..model.fields import json_line
from ..support.files import whole_file
from .console import count_lines, print_report, progress_bar, say
from .doctor_tables import report
from .models import find_model, silence_libraries
from .options import (
    FILE,
    FILES_PANEL,
    LABELLED,
    MODEL_METAVAR,
    MODEL_PANEL,
    NEW_FOLDER,
    AsJson,
    DataFormat,
    command,
    option,
)

if TYPE_CHECKING:
    from ..doctor.diagnosis import Diagnosis
    from ..doctor.overfit import Overfitting
    from ..model.schema import Example, Schema


@dataclass(frozen=True, slots=True)
class OverfitOptions:
    """The overfitting test."""

    PANEL: ClassVar = "Overfitting test"

    overfit: Annotated[
        bool,
        option(
            "Train on 32 of the texts until the model has memorised them (minutes); report the stage that fails.",
            "--overfit",
        ),
    ] = False
    learning_rate: Annotated[
        float | None,
        option(
            "Learning rate of the encoder; that of the heads is five times as high.",
            default="1e-4 and 1e-3 for the heads; 1e-3 for both with a DGCNN", min=0, metavar="RATE",
        ),
    ] = None  # fmt: skip
    steps: Annotated[int, option("Largest number of steps.", min=1, metavar="N")] = 300


@command()
def doctor(
    data: Annotated[Path, option("Labelled texts.", **LABELLED)],
    test: OverfitOptions,
    schema: Annotated[
        Path | None,
        option("Relations to train.", panel=FILES_PANEL, default="all relations of the data", **FILE),
    ] = None,
    output: Annotated[
        Path | None,
        option("Write doctor.json and doctor.html to this folder.", "--output", "-o", panel=FILES_PANEL, **NEW_FOLDER),
    ] = None,
    form: DataFormat = None,
    as_json: AsJson = None,
    encoder: Annotated[
        str | None, option("Encoder to train, with new heads.", panel=MODEL_PANEL, metavar="FOLDER|NAME")
    ] = None,
    model: Annotated[
        str | None,
        option(
            "Triple-extraction model to train further.",
            "--model",
            "-m",
            panel=MODEL_PANEL,
            default="base",
            metavar=MODEL_METAVAR,
        ),
    ] = None,
    max_length: Annotated[
        int | None,
        option(
            "Largest number of tokens that the model reads at once.",
            panel=MODEL_PANEL,
            default="the model's; 256 with --encoder",
            min=3,
            metavar="N",
        ),
    ] = None,
) -> None:
    """Find out why training fails: check labelled texts, and test whether a model can learn them.

    No file is changed, and no model is kept. A line that cannot be read is a finding, not an error.

    Examples:
      hf-spo doctor --data train.jsonl --schema schema.jsonl --encoder google-bert/bert-base-chinese --overfit
    """
    if encoder is not None and model is not None:
        raise typer.BadParameter("got both --encoder and --model; give one of them")
    silence_libraries()
    source = find_model(encoder or model)
    relations, examples, found = _diagnose(data, form, schema, source, max_length)
    about = {
        "data": str(data),
        "schema": str(schema or "of the data"),
        "encoder" if encoder else "model": encoder or model or "base",
        "max_length": found.figures.max_length,
    }
    learning = None
    if test.overfit and found.figures.aligned:
        learning = _overfit(source, examples, relations, test, max_length)
    elif test.overfit:
        say("hf-spo: the overfitting test was left out: no triple can be learnt")
    result = {**about, **found.to_dict(), "overfit": learning.to_dict() if learning else None}
    if output:
        _write(output, result, about, found, learning)
    print_report(result, as_json, lambda: report(about, found, learning))


def _diagnose(
    data: Path, form: str | None, schema: Path | None, source: str, max_length: int | None
) -> tuple["Schema", list["Example"], "Diagnosis"]:
    from transformers import AutoConfig, AutoTokenizer

    from ..doctor.checks import diagnose
    from ..doctor.reading import read_as_it_is
    from ..model.configuration_spo import SpoConfig
    from ..model.schema import Schema

    bad_lines: list[Any] = []
    found = read_as_it_is(data, bad_lines.append, form)
    # Only the number of lines is known before reading.
    examples = list(progress_bar(found, count_lines(data), "reading") if data.suffix == ".jsonl" else found)
    if not any(example.triples for example in examples):
        first = f"; line {bad_lines[0].number}: {bad_lines[0].problem}" if bad_lines else ""
        raise ValueError(f"{data}: {len(examples)} labelled texts, none with a triple{first}")
    relations = Schema.from_file(schema) if schema else Schema.infer(examples)
    if max_length is None:
        config = AutoConfig.from_pretrained(source)
        limit = getattr(config, "max_position_embeddings", None) or SpoConfig.max_length
        max_length = config.max_length if isinstance(config, SpoConfig) else min(limit, SpoConfig.max_length)
    diagnosis = diagnose(
        progress_bar(examples, len(examples), "examining"),
        AutoTokenizer.from_pretrained(source),
        relations,
        max_length=max_length,
        bad_lines=bad_lines,
    )
    return relations, examples, diagnosis


def _overfit(
    source: str,
    examples: list["Example"],
    schema: "Schema",
    test: OverfitOptions,
    max_length: int | None,
) -> "Overfitting":
    from ..doctor.overfit import overfit

    def tell(step: int, metrics: dict[str, float]) -> None:
        parts = {"F1": "eval_f1", "subjects": "eval_subject_f1", "objects": "eval_object_f1"}
        say(f"hf-spo: step {step}: " + ", ".join(f"{name} {metrics[key]:.3f}" for name, key in parts.items()))

    return overfit(
        source,
        examples,
        schema,
        max_steps=test.steps,
        learning_rate=test.learning_rate,
        max_length=max_length,
        on_evaluation=tell,
    )


def _write(
    folder: Path, result: dict[str, Any], about: dict[str, Any], found: "Diagnosis", learning: "Overfitting | None"
) -> None:
    from ..doctor.diagnosis import render

    folder.mkdir(parents=True, exist_ok=True)
    page = render(about, found, learning.to_dict() if learning else None)
    for name, content in (("doctor.json", json_line(result) + "\n"), ("doctor.html", page)):
        with whole_file(folder / name) as file:
            file.write(content)
    say(f"hf-spo: the report is in {folder / 'doctor.html'}")
