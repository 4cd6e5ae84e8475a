"""hf-spo demo."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from .console import say
from .models import ModelChoice, find_model
from .options import MODEL_METAVAR, MODEL_PANEL, Device, Precision, Threads, command, option

_LOCAL = ("127.0.0.1", "localhost", "::1")


@command()
def demo(
    models: Annotated[
        list[str] | None,
        option(
            "Model that the page offers; may be repeated. The first is selected at the start.",
            "--model", "-m", panel=MODEL_PANEL, default="base and lite", metavar=MODEL_METAVAR,
        ),
    ] = None,
    host: Annotated[
        str, option("Address to listen on; 0.0.0.0 accepts connections from other machines.", metavar="ADDRESS")
    ] = "127.0.0.1",
    port: Annotated[
        int | None, option("Port to listen on.", default="the first free one from 7860", min=1, max=65535, metavar="N")
    ] = None,
    device: Device = None,
    dtype: Precision = None,
    threads: Threads = None,
) -> None:  # fmt: skip
    """Try models in the browser: enter a text or a file, see marked sentences, tables and graphs.

    The page needs no network, and texts stay on this machine.

    Examples:
      hf-spo demo
      hf-spo demo --model my-model --model base --port 8000
    """
    from ..demo import launch

    if host not in _LOCAL:
        say(f"hf-spo: everyone who can reach {host} can use this page; it has no password")
    chosen = models or ["base", "lite"]
    for model in chosen:
        find_model(model)
    choices = {
        name: ModelChoice(model, device, dtype, None, threads).load
        for name, model in zip(_names(chosen), chosen, strict=True)
    }
    launch(choices, host, port, lambda line: say(f"hf-spo: {line}"))


def _names(models: Sequence[str]) -> list[str]:
    """Return the names of models on the page: the last part of a folder, unless two folders share it."""
    short = [Path(model).name or model for model in models]
    return [name if short.count(name) == 1 else model for name, model in zip(short, models, strict=True)]
