"""hf-spo demo."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from .console import say
from .models import ModelChoice, find_model
from .options import MODEL_PANEL, Device, Precision, Threads, command

_LOCAL = ("127.0.0.1", "localhost", "::1")


@command()
def demo(
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="base|lite|FOLDER|NAME",
            help="Model to choose from; may be repeated. The first is chosen at the beginning.",
            show_default="base and lite",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, metavar="N", show_default="the first that is free from 7860")
    ] = None,
    device: Device = None,
    dtype: Precision = None,
    threads: Threads = None,
) -> None:
    """Try models out in the browser: a text or a file in, marked sentences, tables and graphs out.

    It needs no network, and what is typed stays on this machine.

    Examples:
      hf-spo demo
      hf-spo demo --model my-model --model base --port 8000
    """
    from ..demo import launch

    if host not in _LOCAL:
        say(f"hf-spo: whoever reaches {host} can use this page; there is no password")
    chosen = models or ["base", "lite"]
    for model in chosen:
        find_model(model)
    choices = {
        name: ModelChoice(model, device, dtype, None, threads).load
        for name, model in zip(_names(chosen), chosen, strict=True)
    }
    launch(choices, host, port, lambda line: say(f"hf-spo: {line}"))


def _names(models: Sequence[str]) -> list[str]:
    """Return what models are called on the page: folders by their last name, unless two have the same."""
    short = [Path(model).name or model for model in models]
    return [name if short.count(name) == 1 else model for name, model in zip(short, models, strict=True)]
