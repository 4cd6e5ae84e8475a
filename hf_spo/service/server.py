"""The server: a socket, uvicorn with limits, and an orderly end."""

import asyncio
import logging
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

try:
    import uvicorn
except ImportError:
    raise ImportError("the service needs uvicorn: pip install 'hf-spo[serve]'") from None

from .application import make_app
from .label_studio import LabelStudioBackend
from .logs import LogRecords
from .service import Service

_SWITCH_INTERVAL = 0.0005

_LAST_SECONDS = 5
"""To send the last responses when the grace is over."""


def open_socket(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address.

    Raises:
        OSError: the address is in use or not allowed.
    """
    family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    opened = socket.socket(family, kind, number)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind(address)
        # Several sockets may be bound to one address until one of them listens; here the error should come at once.
        opened.listen(1)
    except OSError as error:
        opened.close()
        raise OSError(f"cannot listen at {host}:{port}: {error.strerror}; choose another --port or --host") from None
    return opened


class _Server(uvicorn.Server):
    """uvicorn that refuses new requests once it was told to stop, and then ends without an error."""

    def __init__(self, config: uvicorn.Config, service: Service, tell: Callable[[], None]) -> None:
        super().__init__(config)
        self._service = service
        self._tell_ready = tell

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept requests."""
        await super().startup(sockets)
        if self.started:
            self._tell_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish the requests in progress, as long as the grace allows."""
        batcher = self._service.batcher
        batcher.drain()
        over = asyncio.get_running_loop().call_later(self._service.settings.grace, batcher.abandon)
        await super().shutdown(sockets)
        over.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End normally after SIGTERM and SIGINT; uvicorn would raise them again."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def run_server(
    service: Service,
    listening: socket.socket,
    token: str | None,
    tell_ready: Callable[[], None],
    label_studio: LabelStudioBackend | None = None,
) -> None:
    """Answer requests until a signal says to stop.

    Args:
        service: answers the requests.
        listening: see [`open_socket`].
        token: see [`make_app`].
        tell_ready: called once requests are accepted.
        label_studio: see [`make_app`].
    """
    # Model threads run Python only for moments between two operations, and should not wait long for them.
    sys.setswitchinterval(_SWITCH_INTERVAL)
    _log_records(service)
    make_server(service, token, tell_ready, label_studio).run([listening])


def make_server(
    service: Service,
    token: str | None = None,
    tell_ready: Callable[[], None] = lambda: None,
    label_studio: LabelStudioBackend | None = None,
) -> uvicorn.Server:
    """Return the server of a service, see [`run_server`]."""
    settings = service.settings
    config = uvicorn.Config(
        make_app(service, token, label_studio=label_studio),
        limit_concurrency=settings.max_connections + 1,  # uvicorn refuses at this number
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=settings.keep_alive,  # type: ignore[arg-type]  # a time for a timer, whole or not
        timeout_graceful_shutdown=int(settings.grace) + _LAST_SECONDS,
    )
    return _Server(config, service, tell_ready)


def _log_records(service: Service) -> None:
    """Write log records of libraries to the service's log."""
    for name in ("", "uvicorn", "hf_spo"):
        logger = logging.getLogger(name)
        logger.handlers = [LogRecords(service.log)]
        logger.propagate = False
