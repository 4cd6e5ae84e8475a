"""Options that several commands take, and groups of options that are declared as dataclasses."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import partial, wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import typer

from ..data.formats.registry import find_format
from ..model.options import OPTIONS, ExtractionOptions
from ..onnx.exported import ENGINES
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
        names: its names, if they are not `--` and the name of the parameter.
        panel: heading of its section in the help.
        default: description of the default, where the value alone does not explain it.
        settings: further settings of `typer.Option`.
    """
    if default is not None:
        text, settings["show_default"] = f"{text}  [default: {default}]", False
    return typer.Option(*names, help=text, rich_help_panel=panel, **settings)


class DType(StrEnum):
    """Number formats in which a model can be loaded."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


def format_name(name: str) -> str:
    """Return the full name of a format of labelled texts.

    Raises:
        typer.BadParameter: no format has this name.
    """
    try:
        return find_format(name).name
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def labelled_data(value: str) -> Path:
    """Return the path of labelled texts: an existing file or folder, or hub:NAME, which is not checked here.

    Raises:
        typer.BadParameter: there is no such file or folder.
    """
    if not value.startswith("hub:") and not Path(value).exists():
        raise typer.BadParameter(f"there is no file or folder {value!r}")
    return Path(value)


MODEL_PANEL, DECODING_PANEL, FILES_PANEL = "Model", "Decoding", "Input and output"
MODEL_METAVAR = "base|lite|FOLDER|NAME"
FILE: dict[str, Any] = {"metavar": "FILE", "exists": True, "dir_okay": False}
NEW_FILE: dict[str, Any] = {"metavar": "FILE", "dir_okay": False}
NEW_FOLDER: dict[str, Any] = {"metavar": "FOLDER", "file_okay": False}
LABELLED: dict[str, Any] = {"metavar": "FILE", "parser": labelled_data, "panel": FILES_PANEL}
"""Settings of options that take a file or a folder: an existing file, a new one, labelled texts in any format."""


def not_files(texts: list[str] | None) -> list[str] | None:
    """Check that no text is the name of a file, which somebody wants to be read.

    Raises:
        typer.BadParameter: a file has this name.
    """
    for text in texts or []:
        try:
            is_file = Path(text).is_file()
        except OSError:  # longer than a name can be
            continue
        if is_file:
            raise typer.BadParameter(f"{text} is the name of a file; --input reads files, and - < {text} its lines")
    return texts


Texts = Annotated[
    list[str] | None,
    typer.Argument(metavar="TEXT…", help="Texts; - reads lines from stdin.", show_default=False, callback=not_files),
]

_in_model, _in_files = partial(option, panel=MODEL_PANEL), partial(option, panel=FILES_PANEL)
Model = Annotated[
    str | None,
    _in_model(
        "base or lite, the models of the package; or the folder of a trained model, or its name on the Hub.",
        "--model", "-m", default="base", metavar=MODEL_METAVAR,
    ),
]  # fmt: skip
BatchSize = Annotated[
    int | None,
    _in_model(
        "Largest number of texts in one forward pass.", default="as many as --batch-tokens allows", min=1, metavar="N"
    ),
]
Device = Annotated[
    str | None, _in_model("cpu, cuda, cuda:1, mps, …", default="the fastest available", metavar="DEVICE")
]
Precision = Annotated[
    DType | None,
    _in_model(
        "Number format of the computation; auto: bfloat16 where the hardware computes in it, else float32.",
        "--dtype", default="auto",
    ),
]  # fmt: skip
Threads = Annotated[int | None, _in_model("Threads on the CPU.", default="one per core", min=1, metavar="N")]
data_format = partial(
    _in_files,
    "Format of the labelled texts; hf-spo convert --list shows all.",
    default="recognised by the content",
    metavar="NAME",
    parser=format_name,
)
DataFormat = Annotated[str | None, data_format("--format")]
SkipBadLines = Annotated[
    bool,
    _in_files(
        "Write lines that cannot be read to FILE.bad.jsonl, next to the output or in the current folder, instead of "
        "stopping at the first.",
        "--skip-bad-lines",
    ),
]
AsJson = Annotated[
    bool | None,
    _in_files("Print JSON, or a table.", "--json/--table", default="a table on a terminal, else JSON"),
]


Runtime: Any = Annotated[
    Literal[("torch", *ENGINES)] | None,
    _in_model(
        "What runs the model: torch; or an engine, for a model that hf-spo export wrote.",
        "--backend", default="by the model's folder",
    ),
]  # fmt: skip


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
    """Return the names of the options that differ from their defaults, as on the command line."""
    changed = options.to_dict().items()
    return [f"--{'no-' if value is False else ''}{name.replace('_', '-')}" for name, value in changed]
