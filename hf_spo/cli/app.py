"""The command line's frame: one-line errors, exit codes, and what holds for every command."""

import logging
import os
import sys
from importlib.metadata import version
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..support.lazy import explain_missing
from .console import LogHandler, say

_ORDER = (
    "extract",
    "show",
    "demo",
    "graph",
    "convert",
    "train",
    "evaluate",
    "compare",
    "doctor",
    "tune",
    "kfold",
    "relabel",
    "ensemble",
    "export",
    "serve",
    "publish",
    "rules",
)


class OneLineErrors(TyperGroup):
    """Commands whose errors are one readable line on stderr, and whose exit code says whose fault it was."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order in which a newcomer needs them."""
        return sorted(super().list_commands(ctx), key=_ORDER.index)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command line and exit: 0 done, 1 the work failed, 2 wrong usage."""
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except typer.TyperException as error:
            path = getattr(getattr(error, "ctx", None), "command_path", "hf-spo")
            if error.format_message():  # empty where the help was shown instead
                say(f"{path}: {error.format_message().rstrip('.')}; see {path} --help")
            code = error.exit_code
        sys.exit(code or 0)

    def invoke(self, ctx: Any) -> Any:
        """Run the command, turning exceptions into a line and an exit code unless --debug asks for them."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read our output has enough. Nothing more may reach the closed pipe, not even at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except (typer.TyperException, typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            say(f"hf-spo: error: {_explain(error)}")
            raise typer.Exit(1) from None
        return result


app = typer.Typer(
    cls=OneLineErrors,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every command explains itself: [bold]hf-spo extract --help[/]",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hf-spo {version('hf-spo')}")
        raise typer.Exit


@app.callback()
def hf_spo(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
) -> None:
    """Extract (subject, predicate, object) triples from text."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        # JSON is UTF-8 whatever the locale says; bytes that are not survive as lone surrogates.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(newline="\n")  # as in files: a carriage return inside a line ends no line
    logging.getLogger("hf_spo").handlers = [LogHandler()]


def _explain(error: Exception) -> str:
    """Put an exception into words: its own, where it was raised for a reader; else its kind as well."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return explain_missing(error, "this command")
    message = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if isinstance(error, ValueError | OSError | TypeError | ImportError) and message:
        return message
    return f"{type(error).__name__}: {message} (run `hf-spo --debug …` for the traceback)"
