"""hf-spo export."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, Group

from ..onnx.folder import MAX_F1_DROP, OnnxExportError, check_target
from .console import file_sizes, print_report, say, set_aside
from .models import find_model, silence_libraries
from .options import FILES_PANEL, LABELLED, NEW_FOLDER, AsJson, Model, SkipBadLines, command, data_format, option
from .predictions import read_labelled

if TYPE_CHECKING:
    from ..onnx import OnnxReport


class ExportFormat(StrEnum):
    """Formats of exports."""

    ONNX = "onnx"


@command()
def export(
    output: Annotated[
        Path,
        option(
            "Folder for the exported model; an older export in it is replaced.",
            "--output", "-o", panel=FILES_PANEL, **NEW_FOLDER,
        ),
    ],
    model: Model = None,
    format_: Annotated[ExportFormat, option("Format of the export.", "--format")] = ExportFormat.ONNX,
    int8: Annotated[
        bool,
        option(
            "Store weights as 8-bit integers: smaller, faster on most CPUs, slightly less accurate. Needs --data, to "
            "measure the loss.",
            "--int8",
        ),
    ] = False,
    data: Annotated[Path | None, option("Labelled texts that the model was not trained on.", **LABELLED)] = None,
    max_f1_drop: Annotated[
        float, option("--int8: write nothing if strict F1 falls by more than this.", min=0, max=1, metavar="F1")
    ] = MAX_F1_DROP,
    form: Annotated[str | None, data_format("--data-format")] = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
) -> None:  # fmt: skip
    """Export a model to ONNX, to run it without torch; nothing is written unless it finds the same triples.

    The exported folder works like a model's with all commands that extract.

    Examples:
      hf-spo export --model my-model --output my-model-onnx
      hf-spo export --model my-model --output small --int8 --data dev.jsonl
      hf-spo extract --model my-model-onnx 《战狼2》的导演是吴京。
    """
    if int8 and data is None:
        raise typer.BadParameter(
            "--int8 changes what a model finds; give labelled texts with --data FILE to measure it"
        )
    from ..onnx.export import require_packages

    require_packages()
    try:
        check_target(output.resolve())
    except OnnxExportError as error:
        raise typer.BadParameter(str(error)) from None
    with set_aside(skip_bad_lines, None) as bad_lines:
        examples = read_labelled(data, bad_lines, form) if data else []
    report = _export(find_model(model), output, int8=int8, examples=examples, max_f1_drop=max_f1_drop)
    say(f"hf-spo: the exported model is in {output}")
    print_report(report.to_dict(), as_json, lambda: layout(report))


def _export(folder: str, output: Path, **options: Any) -> "OnnxReport":
    """Load a model and export it, while stderr shows the current step."""
    from ..loading.checked import load_checked
    from ..onnx.export import export_onnx

    silence_libraries()
    with Console(stderr=True).status("loading the model") as status:
        model, tokenizer = load_checked(folder)
        return export_onnx(model, tokenizer, output, on_step=status.update, **options)


def layout(report: "OnnxReport") -> Group:
    """Lay out the files of an export, and how it compares with the model."""
    name = "float32" if report.int8 else "the export"
    lines = [
        f"{name} finds the same triples as the model; probabilities differ by {report.largest_difference:.0e} at most"
    ]
    if cost := report.int8:
        lines.append(
            f"int8 has strict F1 {cost.int8_f1:.4f} on {cost.texts} texts, float32 {cost.float32_f1:.4f}; "
            f"{cost.quantized} of {cost.matrices} matrices are int8"
        )
    return Group(file_sizes(report.files), *lines)
