"""hf-spo doctor."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from ..model.fields import json_line
from ..support.files import whole_file
from .console import count_lines, is_terminal, progress_bar, say
from .doctor_tables import report
from .models import find_model, silence_libraries
from .options import FILES_PANEL, LABELLED, MODEL_PANEL, AsJson, DataFormat, command

if TYPE_CHECKING:
    from ..doctor.diagnosis import Diagnosis
    from ..doctor.overfit import Overfitting
    from ..model.schema import Example, Schema

_OVERFIT_PANEL = "Overfitting test"


@command()
def doctor(
    data: Annotated[Path, typer.Option(help="Labelled texts.", **LABELLED)],
    schema: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Relations to train.",
            show_default="those of the data",
            rich_help_panel=FILES_PANEL,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            file_okay=False,
            help="Write doctor.json and doctor.html here.",
            rich_help_panel=FILES_PANEL,
        ),
    ] = None,
    form: DataFormat = None,
    as_json: AsJson = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER|NAME", help="Encoder that is to be trained, with fresh heads.", rich_help_panel=MODEL_PANEL
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="base|lite|FOLDER|NAME",
            help="Triple-extraction model that is to be trained on.",
            show_default="base",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option(
            min=3,
            metavar="N",
            help="Tokens that the model is to read of a text.",
            show_default="the model's own, 256 with --encoder",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = None,
    overfit: Annotated[
        bool,
        typer.Option(
            "--overfit",
            help="Train on 32 of the texts until the model has memorised them, or report which stage fails (minutes).",
            rich_help_panel=_OVERFIT_PANEL,
        ),
    ] = False,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="RATE",
            help="Of the encoder; the heads' is five times that.",
            show_default="1e-4 and 1e-3 for the heads, 1e-3 for both with a DGCNN",
            rich_help_panel=_OVERFIT_PANEL,
        ),
    ] = None,
    steps: Annotated[
        int, typer.Option(min=1, metavar="N", help="Steps to give up after.", rich_help_panel=_OVERFIT_PANEL)
    ] = 300,
) -> None:
    """Find out why training fails: look through labelled texts, and try whether a model can learn them.

    Nothing is changed, and no model is kept. A line that cannot be read is a finding, not an error.

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
    if overfit and found.figures.aligned:
        learning = _overfit(source, examples, relations, steps, learning_rate, max_length)
    elif overfit:
        say("hf-spo: no overfitting test, since no triple can be learnt")
    result = {**about, **found.to_dict(), "overfit": learning.to_dict() if learning else None}
    if output:
        _write(output, result, about, found, learning)
    if is_terminal(sys.stdout) if as_json is None else not as_json:
        Console(highlight=False).print(report(about, found, learning))
    else:
        typer.echo(json_line(result))


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
    # Only of lines it is known how many there are.
    examples = list(progress_bar(found, count_lines(data), "reading") if data.suffix == ".jsonl" else found)
    if not any(example.triples for example in examples):
        first = f"; line {bad_lines[0].number}: {bad_lines[0].problem}" if bad_lines else ""
        raise ValueError(f"{data}: {len(examples)} labelled texts, none of them with a triple{first}")
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
    steps: int,
    learning_rate: float | None,
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
        max_steps=steps,
        learning_rate=learning_rate,
        max_length=max_length,
        on_evaluation=tell,
    )


def _write(
    folder: Path, result: dict[str, Any], about: dict[str, Any], found: "Diagnosis", learning: "Overfitting | None"
) -> None:
    from ..doctor.page import render

    folder.mkdir(parents=True, exist_ok=True)
    page = render(about, found, learning.to_dict() if learning else None)
    for name, content in (("doctor.json", json_line(result) + "\n"), ("doctor.html", page)):
        with whole_file(folder / name) as file:
            file.write(content)
    say(f"hf-spo: see {folder / 'doctor.html'}")
