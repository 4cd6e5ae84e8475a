"""Options that several commands take, and groups of options that are declared as dataclasses."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import typer

from ..data.formats.registry import find_format
from ..model.options import OPTIONS, ExtractionOptions
from .app import Command, app

_Function = TypeVar("_Function", bound=Callable[..., Any])


def command(**settings: Any) -> Callable[[_Function], _Function]:
    """Add a function to the application as a command; takes the settings of `typer.Typer.command`.

    A parameter whose type is a dataclass stands for a group of options, one for each field. Fields are annotated as
    parameters are; `PANEL` of the class is the heading of its options in the help. The fields of [`ExtractionOptions`]
    declare their options themselves.
    """

    def add(function: _Function) -> _Function:
        groups: dict[str, tuple[Any, list[Parameter]]] = {}
        parameters: list[Parameter] = []
        for parameter in signature(function, eval_str=True).parameters.values():
            if is_dataclass(parameter.annotation):
                group = _group_options(parameter.annotation)
                groups[parameter.name] = parameter.annotation, group
                parameters += group
            else:
                parameters.append(parameter.replace(kind=Parameter.KEYWORD_ONLY))

        @wraps(function)
        def run(**given: Any) -> Any:
            for name, (kind, options) in groups.items():
                given[name] = kind(**{option.name: given.pop(option.name) for option in options})
            return function(**given)

        run.__signature__ = signature(function).replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(cls=Command, **settings)(run)
        return function

    return add


def _group_options(group: Any) -> list[Parameter]:
    hints, panel = get_type_hints(group, include_extras=True), getattr(group, "PANEL", None)
    if group is ExtractionOptions:
        hints = {name: _of_extraction(name) for name in OPTIONS}
    for hint in hints.values():
        for declared in getattr(hint, "__metadata__", ()):
            declared.rich_help_panel = declared.rich_help_panel or panel
    return [
        Parameter(one.name, Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name])
        for one in fields(group)
    ]


def option(text: str, *names: str, panel: str | None = None, default: str | None = None, **settings: Any) -> Any:
    """Declare an option.

    Args:
        text: its help.
        names: other than `--` and the parameter's name.
        panel: the heading of its section in the help.
        default: what happens without it, where the default value itself does not say so.
        settings: further settings of `typer.Option`.
    """
    if default is not None:
        text, settings["show_default"] = f"{text}  [default: {default}]", False
    return typer.Option(*names, help=text, rich_help_panel=panel, **settings)


class DType(StrEnum):
    """Number formats that a model can be loaded in."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


class Backend(StrEnum):
    """What runs a model: torch, or onnxruntime a model that `hf-spo export` wrote."""

    TORCH = "torch"
    ONNX = "onnx"


def format_name(name: str) -> str:
    """Return the name of a format of labelled texts, if there is such a format.

    Raises:
        typer.BadParameter: there is none.
    """
    try:
        return find_format(name).name
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def labelled_data(value: str) -> Path:
    """Return where labelled texts lie, if that exists: a file, a folder, or hub:NAME, which is asked for later.

    Raises:
        typer.BadParameter: there is no such file or folder.
    """
    if not value.startswith("hub:") and not Path(value).exists():
        raise typer.BadParameter(f"there is no file or folder {value!r}")
    return Path(value)


MODEL_PANEL, DECODING_PANEL, FILES_PANEL = "Model", "Decoding", "Input and output"

Model = Annotated[
    str | None,
    typer.Option(
        metavar="base|lite|FOLDER|NAME",
        help="base or lite, the models inside the package; or the folder of a trained model, or its name on the Hub.",
        show_default="base",
        rich_help_panel=MODEL_PANEL,
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="At most this many texts in one forward pass.",
        show_default="as many as --batch-tokens allows",
        rich_help_panel=MODEL_PANEL,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        metavar="DEVICE",
        help="cpu, cuda, cuda:1, mps, …",
        show_default="the fastest there is",
        rich_help_panel=MODEL_PANEL,
    ),
]
Precision = Annotated[
    DType | None,
    typer.Option(
        "--dtype",
        help="Number format to compute in; auto: bfloat16 where the hardware computes in it, else float32.",
        show_default="auto",
        rich_help_panel=MODEL_PANEL,
    ),
]
Runtime = Annotated[
    Backend | None,
    typer.Option(
        "--backend",
        help="What runs the model: torch, or onnxruntime a model that hf-spo export wrote.",
        show_default="what the model's folder is for",
        rich_help_panel=MODEL_PANEL,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Threads that compute on the CPU.",
        show_default="one for each core",
        rich_help_panel=MODEL_PANEL,
    ),
]
LABELLED: dict[str, Any] = {"metavar": "FILE", "parser": labelled_data, "rich_help_panel": FILES_PANEL}
"""Of options that take labelled texts in any format."""
DATA_FORMAT: dict[str, Any] = {
    "metavar": "NAME",
    "parser": format_name,
    "show_default": "what they look like",
    "rich_help_panel": FILES_PANEL,
}
DataFormat = Annotated[
    str | None,
    typer.Option("--format", help="Format of the labelled texts; hf-spo convert --list names them.", **DATA_FORMAT),
]
SkipBadLines = Annotated[
    bool,
    typer.Option(
        "--skip-bad-lines",
        help="Set lines that cannot be read aside in FILE.bad.jsonl, next to the output or in the current folder, "
        "instead of stopping at the first.",
        rich_help_panel=FILES_PANEL,
    ),
]
AsJson = Annotated[
    bool | None,
    typer.Option(
        "--json/--table",
        help="Print JSON, or a table.",
        show_default="a table on a terminal, JSON elsewhere",
        rich_help_panel=FILES_PANEL,
    ),
]


def _of_extraction(name: str) -> Any:
    """Return the annotated type of the option for a field of [`ExtractionOptions`]."""
    declared = OPTIONS[name]
    schema = declared.metadata["schema"]
    kind = schema["type"]
    types = {"number": float, "integer": int, "boolean": bool, "array": list[str], "string": str}
    value: Any = Literal[tuple(schema["enum"])] if "enum" in schema else types[kind]
    information = option(
        schema["description"] + (" May be repeated." if kind == "array" else ""),
        f"--{name}/--no-{name}" if kind == "boolean" else f"--{name.replace('_', '-')}",
        panel=MODEL_PANEL if name == "batch_tokens" else DECODING_PANEL,
        default=declared.metadata["default_text"] or None,
        min=schema.get("minimum"),
        max=schema.get("maximum"),
        metavar={"number": "P", "integer": "N", "array": "NAME"}.get(kind),
    )
    return Annotated[value if declared.default is not None else value | None, information]


BatchTokens: Any = _of_extraction("batch_tokens")


def changed_options(options: ExtractionOptions) -> list[str]:
    """Return the names, on the command line, of the options that are not at their defaults."""
    return [f"--{'no-' * (value is False)}{name.replace('_', '-')}" for name, value in options.to_dict().items()]
