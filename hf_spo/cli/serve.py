"""hf-spo serve."""

import ipaddress
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ..model.options import BATCH_TOKENS
from ..service.service_settings import TOKEN_VARIABLE, ServiceSettings
from .models import ModelChoice
from .options import FILE, MODEL_PANEL, BatchTokens, command, option

if TYPE_CHECKING:
    from ..service.label_studio import LabelStudioBackend
    from ..service.service import Service

_DEFAULTS = ServiceSettings()
_MOST_WORKERS = 4
"""More workers only take memory: their batches become smaller."""


def _number(text: str) -> Any:
    return option(text, min=1, metavar="N")


def _seconds(text: str) -> Any:
    return option(text, min=0.01, metavar="SECONDS")


@dataclass(frozen=True, slots=True)
class LimitOptions:
    """Limits of the service."""

    PANEL: ClassVar = "Limits"

    batch_chars: Annotated[int, _number("Characters of a batch, of one request or several.")] = (
        _DEFAULTS.batch_characters
    )
    max_body: Annotated[int, _number("Bytes of the body of a request.")] = _DEFAULTS.max_body
    max_texts: Annotated[int, _number("Texts of a request.")] = _DEFAULTS.max_texts
    max_chars: Annotated[int, _number("Characters of a text.")] = _DEFAULTS.max_characters
    max_queue: Annotated[int, _number("Waiting requests.")] = _DEFAULTS.max_queue
    max_connections: Annotated[int, _number("Open connections.")] = _DEFAULTS.max_connections
    time_limit: Annotated[float, _seconds("Time from a request to its response.")] = _DEFAULTS.time_limit
    receive_time: Annotated[float, _seconds("Time to receive the body of a request.")] = _DEFAULTS.receive_time
    keep_alive: Annotated[float, _seconds("Time until an idle connection is closed.")] = _DEFAULTS.keep_alive
    grace: Annotated[float, _seconds("Time to finish accepted requests after SIGTERM or Ctrl-C.")] = _DEFAULTS.grace

    def settings(self, batch_tokens: int, workers: int, *, log_texts: bool) -> ServiceSettings:
        """Return the settings of the service."""
        return ServiceSettings(
            self.max_texts, self.max_chars, self.max_body, self.max_queue, self.max_connections, batch_tokens,
            self.batch_chars, workers, time_limit=self.time_limit, receive_time=self.receive_time,
            keep_alive=self.keep_alive, grace=self.grace, log_texts=log_texts,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelStudioOptions:
    """The service as a backend of Label Studio."""

    PANEL: ClassVar = "Label Studio"

    label_studio: Annotated[
        bool, option("Also answer Label Studio's ML backend protocol: /setup, /predict, /webhook.", "--label-studio")
    ] = False
    recipe: Annotated[Path | None, option("Recipe of trainings on annotations.", **FILE)] = None
    annotations: Annotated[
        Path | None, option("JSON export of Label Studio, to train on besides new annotations.", **FILE)
    ] = None
    runs: Annotated[Path, option("Folder for annotations and trained models.", metavar="FOLDER")] = Path("label-studio")

    def backend(self, service: "Service") -> "LabelStudioBackend | None":
        """Return what answers Label Studio; None if it was not asked for.

        Raises:
            typer.BadParameter: an option lacks the one that it belongs to.
        """
        if not self.label_studio:
            if self.recipe or self.annotations:
                raise typer.BadParameter("--recipe and --annotations need --label-studio")
            return None
        if self.annotations and not self.recipe:
            raise typer.BadParameter("--annotations needs --recipe FILE to train by")
        from ..service.label_studio import LabelStudioBackend
        from ..service.retraining import Retraining

        training = None if self.recipe is None else Retraining(self.recipe, self.runs, self.annotations)
        return LabelStudioBackend(service, training)


@command()
def serve(
    host: Annotated[
        str,
        option(
            f"Address to listen on; for other machines, the environment variable {TOKEN_VARIABLE} must be set.",
            metavar="ADDRESS",
        ),
    ] = "127.0.0.1",
    port: Annotated[int, option("Port to listen on; 0: any free port.", min=0, max=65535, metavar="N")] = 8000,
    log_texts: Annotated[
        bool, option("Also log texts, and error messages, which may contain texts.", "--log-texts")
    ] = False,
    *,
    choice: ModelChoice,
    batch_tokens: BatchTokens = BATCH_TOKENS,
    workers: Annotated[
        int | None,
        option(
            "Batches computed in parallel on the CPU; they share the threads.", panel=MODEL_PANEL,
            default="up to 4; on an accelerator 1", min=1, metavar="N",
        ),
    ] = None,
    label_studio: LabelStudioOptions,
    limits: LimitOptions,
) -> None:  # fmt: skip
    """Answer requests over HTTP: POST /extract; the page /docs describes the interface.

    Concurrent requests are computed in common batches. Logs are lines of JSON on stderr, without texts. If the
    environment variable HF_SPO_TOKEN is set, requests must send it: Authorization: Bearer TOKEN.

    Examples:
      hf-spo serve
      hf-spo serve --model lite --port 9000
      hf-spo serve --label-studio --port 9090 --recipe recipe.yaml
      HF_SPO_TOKEN=… hf-spo serve --host 0.0.0.0
      curl localhost:8000/extract -H 'Content-Type: application/json' -d '{"texts": ["《战狼2》的主演是吴京。"]}'
    """
    token = _token(host)
    from ..service.server import open_socket, run_server
    from ..service.service import Service

    # Before the model, which takes seconds to load: the port may be taken.
    with open_socket(host, port) as listening:
        cores = choice.threads or os.cpu_count() or 1
        in_parallel = workers or min(cores, _MOST_WORKERS)
        pipe = replace(choice, threads=max(1, cores // in_parallel)).load()
        if workers is None and str(getattr(pipe, "device", "cpu")) != "cpu":
            in_parallel = 1
        service = Service(pipe, limits.settings(batch_tokens, in_parallel, log_texts=log_texts))
        backend = label_studio.backend(service)
        service.warm_up()
        url = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
        ready = f"hf-spo: {choice.name} answers at {url}, see {url}/docs; Ctrl-C stops it"
        run_server(service, listening, token, lambda: typer.echo(ready), backend)


def _token(host: str) -> str | None:
    """Return the token that requests must send; None if they need none.

    Raises:
        typer.BadParameter: the token is empty, or missing while other machines can reach the address.
    """
    token = os.environ.get(TOKEN_VARIABLE)
    if token is not None and not token.strip():
        raise typer.BadParameter(f"the environment variable {TOKEN_VARIABLE} is empty; unset it, or set a token")
    if token is None and not _is_loopback(host):
        raise typer.BadParameter(
            f"--host {host} can be reached from other machines: set the environment variable {TOKEN_VARIABLE} to a "
            f"token that requests must send"
        )
    return None if token is None else token.strip()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
