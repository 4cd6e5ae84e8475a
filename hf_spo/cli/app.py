"""The command-line application: errors in one line, exit codes, help texts."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from inspect import cleandoc
from io import TextIOWrapper
from threading import current_thread, main_thread
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from ..support.errors import as_exception
from ..support.lazy import explain_missing
from .console import LogHandler, say

COMMANDS = (
    "extract", "show", "demo", "graph", "convert", "train", "evaluate", "compare", "doctor", "tune", "kfold",
    "relabel", "distill", "ensemble", "export", "serve", "publish", "rules",
)  # fmt: skip
"""Names of all commands, each with a module of its own, in the order in which a newcomer needs them."""


class Command(TyperCommand):
    """A command whose help has options in sections, never cuts a name and never wraps an example."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line; a required argument is its bare name."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write the description, and the examples line by line."""
        text, _, examples = cleandoc(self.help or "").partition("\nExamples:\n")
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(text.strip())
        if examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {line.strip()}\n" for line in examples.splitlines()))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, each in the section of its panel."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            name = "Arguments" if parameter.param_type_name == "argument" else "Options"
            record = parameter.get_help_record(ctx)
            if record is not None:
                if name == "Arguments":
                    record = record[0].partition(" <")[0], record[1]
                panel = getattr(parameter, "rich_help_panel", None) or name
                sections.setdefault(panel, []).append(record)
        for name, records in sections.items():
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)


class CommandGroup(TyperGroup):
    """Commands whose errors are one readable line on stderr, and whose exit code tells wrong usage from failed work."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order in which a newcomer needs them."""
        return sorted(super().list_commands(ctx), key=COMMANDS.index)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each command with the first sentence of its help, uncut."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, (self.commands[name].help or "").split("\n\n")[0]) for name in self.list_commands(ctx)]
            )

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command line and exit: 0 success, 1 failed work, 2 wrong usage, 143 terminated."""
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except typer.TyperException as error:
            path = getattr(getattr(error, "ctx", None), "command_path", "hf-spo")
            say(f"{path}: {error.format_message().rstrip('.')}; see {path} --help")
            code = error.exit_code
        sys.exit(code or 0)

    def invoke(self, ctx: Any) -> Any:
        """Run the command, turning exceptions into a line and an exit code unless --debug is given."""
        try:
            with _exit_on_sigterm():
                result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader of stdout closed it. Nothing more may be written to it, not even at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except (typer.TyperException, typer.Exit, typer.Abort):
            raise
        except BaseException as raised:
            error = as_exception(raised)  # a panic of Rust code, such as a tokenizer's, is not an Exception
            if ctx.params.get("debug"):
                raise
            say(f"hf-spo: error: {_explain(error)}")
            raise typer.Exit(1) from None
        return result


app = typer.Typer(
    cls=CommandGroup,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        # --batch_size is --batch-size, as in scripts of transformers.
        "token_normalize_func": lambda name: name.replace("_", "-"),
    },
    epilog="hf-spo COMMAND --help explains a command.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hf-spo {version('hf-spo')}")
        raise typer.Exit


@app.callback()
def hf_spo(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
) -> None:
    """Extract (subject, predicate, object) triples from text."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        # JSON is UTF-8 whatever the locale says; other bytes survive as lone surrogates.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(newline="\n")  # as in files: a carriage return inside a line does not end it
    logging.getLogger("hf_spo").handlers = [LogHandler()]


@contextmanager
def _exit_on_sigterm() -> Iterator[None]:
    """Let SIGTERM raise SystemExit, so that files that are being written are removed."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _explain(error: Exception) -> str:
    """Put an exception into words: its message, and its type unless the message was written for users."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return explain_missing(error, "this command")
    message = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if isinstance(error, ValueError | OSError | TypeError | ImportError) and message:
        return message
    return f"{type(error).__name__}: {message} (run `hf-spo --debug …` for the traceback)"
