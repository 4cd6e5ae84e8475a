"""hf-spo serve."""

import ipaddress
import os
from typing import Annotated, Any

import typer

from ..model.options import BATCH_TOKENS
from ..service.service_settings import TOKEN_VARIABLE, ServiceSettings
from .models import ModelChoice
from .options import MODEL_PANEL, BatchTokens, Device, Model, Precision, Runtime, Threads, command

_DEFAULTS = ServiceSettings()
_LIMITS = "Limits"
# More of them take memory rather than less time: batches become smaller.
_MOST_WORKERS = 4


def _number(what: str) -> Any:
    return typer.Option(min=1, metavar="N", help=what, rich_help_panel=_LIMITS)


def _seconds(what: str) -> Any:
    return typer.Option(min=0.01, metavar="SECONDS", help=what, rich_help_panel=_LIMITS)


@command()
def serve(
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help=f"Where to listen. Beyond this machine, the variable {TOKEN_VARIABLE} has to be set.",
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="0 takes any that is free.")] = 8000,
    log_texts: Annotated[
        bool, typer.Option("--log-texts", help="Log texts, too, and messages of errors, which may hold texts.")
    ] = False,
    model: Model = None,
    batch_tokens: BatchTokens = BATCH_TOKENS,
    device: Device = None,
    dtype: Precision = None,
    backend: Runtime = None,
    threads: Threads = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Batches that are computed side by side on the CPU, by as many of the threads each.",
            show_default="up to 4, on an accelerator 1",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = None,
    batch_chars: Annotated[
        int, _number("Characters that go through the model together, of one request or several.")
    ] = _DEFAULTS.batch_characters,
    max_body: Annotated[int, _number("Bytes of a request's body.")] = _DEFAULTS.max_body,
    max_texts: Annotated[int, _number("Texts of a request.")] = _DEFAULTS.max_texts,
    max_chars: Annotated[int, _number("Characters of a text.")] = _DEFAULTS.max_characters,
    max_queue: Annotated[int, _number("Requests that wait for the model.")] = _DEFAULTS.max_queue,
    max_connections: Annotated[int, _number("Connections that are open at once.")] = _DEFAULTS.max_connections,
    time_limit: Annotated[float, _seconds("Until a request has its answer.")] = _DEFAULTS.time_limit,
    receive_time: Annotated[float, _seconds("Until a request's body has arrived.")] = _DEFAULTS.receive_time,
    keep_alive: Annotated[float, _seconds("Until a connection that is not used is closed.")] = _DEFAULTS.keep_alive,
    grace: Annotated[float, _seconds("To finish what was taken, after SIGTERM or Ctrl-C.")] = _DEFAULTS.grace,
) -> None:
    """Answer requests over HTTP: POST /extract, and a page at /docs that says more.

    Concurrent requests go through the model together. Logs are lines of JSON on stderr, without texts. If the
    environment variable HF_SPO_TOKEN is set, requests have to bring it: Authorization: Bearer TOKEN.

    Examples:
      hf-spo serve
      hf-spo serve --model lite --port 9000
      HF_SPO_TOKEN=… hf-spo serve --host 0.0.0.0
      curl localhost:8000/extract -H 'Content-Type: application/json' -d '{"texts": ["《战狼2》的主演是吴京。"]}'
    """
    token = _token(host)
    from ..service.server import open_socket, run_server
    from ..service.service import Service

    # Before the model, which takes seconds to load.
    with open_socket(host, port) as listening:
        cores = threads or os.cpu_count() or 1
        side_by_side = workers or min(cores, _MOST_WORKERS)
        choice = ModelChoice(model, device, dtype, backend, max(1, cores // side_by_side))
        pipe = choice.load()
        if workers is None and str(getattr(pipe, "device", "cpu")) != "cpu":
            side_by_side = 1
        settings = ServiceSettings(
            max_texts, max_chars, max_body, max_queue, max_connections, batch_tokens, batch_chars, side_by_side,
            time_limit=time_limit, receive_time=receive_time, keep_alive=keep_alive, grace=grace, log_texts=log_texts,
        )  # fmt: skip
        service = Service(pipe, settings)
        service.warm_up()
        url = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
        ready = f"hf-spo: {choice.name} answers at {url}, see {url}/docs; Ctrl-C stops it"
        run_server(service, listening, token, lambda: typer.echo(ready))


def _token(host: str) -> str | None:
    """Return the token that requests have to bring.

    Raises:
        typer.BadParameter: there is none, and the address can be reached from elsewhere; or it is empty.
    """
    token = os.environ.get(TOKEN_VARIABLE)
    if token is not None and not token.strip():
        raise typer.BadParameter(f"the environment variable {TOKEN_VARIABLE} is empty; unset it, or set a token")
    if token is None and not _is_loopback(host):
        raise typer.BadParameter(
            f"--host {host} can be reached from other machines: set the environment variable {TOKEN_VARIABLE} to a "
            f"token that requests have to bring"
        )
    return None if token is None else token.strip()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
