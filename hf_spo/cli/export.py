"""hf-spo export."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..model.fields import json_line
from ..onnx.folder import MAX_F1_DROP, OnnxExportError, check_target
from .console import BadLines, is_terminal, say
from .models import find_model, silence_libraries
from .options import DATA_FORMAT, FILES_PANEL, LABELLED, AsJson, Model, SkipBadLines, command
from .predictions import read_labelled

if TYPE_CHECKING:
    from ..onnx import OnnxReport


class ExportFormat(StrEnum):
    """What a model can be exported to."""

    ONNX = "onnx"


@command()
def export(
    output: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            file_okay=False,
            help="Where the exported model goes; the place of an older export is taken.",
            rich_help_panel=FILES_PANEL,
        ),
    ],
    model: Model = None,
    format_: Annotated[ExportFormat, typer.Option("--format", help="What to write.")] = ExportFormat.ONNX,
    int8: Annotated[
        bool,
        typer.Option(
            "--int8",
            help="Weights as 8-bit integers: smaller, faster on most CPUs, a little worse. Takes --data, to tell how "
            "much worse.",
        ),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(help="Labelled texts that the model was not trained on.", **LABELLED),
    ] = None,
    max_f1_drop: Annotated[
        float,
        typer.Option(
            min=0, max=1, metavar="F1", help="With --int8: write nothing if strict F1 falls by more than this."
        ),
    ] = MAX_F1_DROP,
    data_format: Annotated[str | None, typer.Option(help="Format of the labelled texts.", **DATA_FORMAT)] = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
) -> None:
    """Export a model to ONNX, to run it without torch; nothing is written unless it finds the same triples.

    The folder is used like a model's, by all commands that extract.

    Examples:
      hf-spo export --model my-model --output my-model-onnx
      hf-spo export --model my-model --output small --int8 --data dev.jsonl
      hf-spo extract --model my-model-onnx 《战狼2》的导演是吴京。
    """
    if int8 and data is None:
        raise typer.BadParameter(
            "--int8 changes what a model finds, and only labelled texts tell by how much; give some by --data FILE"
        )
    try:
        check_target(output.resolve())
    except OnnxExportError as error:
        raise typer.BadParameter(str(error)) from None
    bad_lines = BadLines(Path()) if skip_bad_lines else None
    examples = read_labelled(data, bad_lines, data_format) if data else []
    if bad_lines is not None:
        bad_lines.write()
    report = _export(find_model(model), output, int8=int8, examples=examples, max_f1_drop=max_f1_drop)
    say(f"hf-spo: the exported model is in {output}")
    if is_terminal(sys.stdout) if as_json is None else not as_json:
        show(report)
    else:
        typer.echo(json_line(report.to_dict()))


def _export(folder: str, output: Path, **options: Any) -> "OnnxReport":
    """Load a model and export it, while stderr shows what is being done."""
    from ..onnx.export import export_onnx, require_packages

    require_packages()
    from ..loading.checked import load_checked

    silence_libraries()
    with Console(stderr=True).status("loading the model") as status:
        model, tokenizer = load_checked(folder)
        return export_onnx(model, tokenizer, output, on_step=status.update, **options)


def show(report: "OnnxReport") -> None:
    """Print what was exported, and how it compares with the model."""
    table = Table(header_style="bold cyan", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("file")
    table.add_column("size", justify="right")
    for name, size in report.files.items():
        table.add_row(name, f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB")
    Console().print(table)
    finder, most = "float32" if report.int8 else "it", f"{report.largest_difference:.0e}"
    typer.echo(f"{finder} finds the same triples as the model; probabilities differ by {most} at most")
    if report.int8:
        cost = report.int8
        typer.echo(
            f"int8 has strict F1 {cost.int8_f1:.4f} on {cost.texts} texts, float32 {cost.float32_f1:.4f}; "
            f"{cost.quantized} of {cost.matrices} matrices are int8"
        )
