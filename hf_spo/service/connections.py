"""Connections with patience that ends: uvicorn's own wait for ever for a request's head, and answer in plain text."""

import asyncio
from collections.abc import Callable
from typing import Any

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Protocol
except ImportError:  # it is faster, but not everywhere; the other is used in the same way, and is no subclass of it
    from uvicorn.protocols.http.h11_impl import H11Protocol as _Protocol  # type: ignore[assignment]

from .errors import RefusedError

_HEAD_BYTES = 1 << 16
Report = Callable[[RefusedError], None]
"""Is told of requests that were refused before they came to the application."""


class PatientProtocol(asyncio.Protocol):
    """What is put before one of uvicorn's protocols; see [`connections`]."""

    # Of uvicorn's.
    transport: Any
    cycle: Any
    connections: set[Any]
    loop: asyncio.AbstractEventLoop

    # Of the service's.
    max_connections: int
    receive_time: float
    report: Any
    _head_timer: asyncio.TimerHandle | None = None
    _unread_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self.refuse(
                RefusedError(503, "too_many_connections", "too many connections are open", headers={"Retry-After": "1"})
            )
            return
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Take what comes, and see that the head of a request comes in time."""
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_awaiting()
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > _HEAD_BYTES:
            self.refuse(RefusedError(431, "head_too_large", f"the request's head has more than {_HEAD_BYTES:,} bytes"))
        elif self._head_timer is None:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._stop_awaiting()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for answers to be read."""
        super().pause_writing()
        self._unread_timer = self.loop.call_later(self.receive_time, self.transport.abort)

    def resume_writing(self) -> None:
        """Answers are read."""
        super().resume_writing()
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that is not used any more, whether or not the last answer was read."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer to what is no HTTP."""
        self.refuse(RefusedError(400, "invalid_http", "what came is no valid HTTP request"))

    def refuse(self, refusal: RefusedError) -> None:
        """Answer in the application's place, and close the connection."""
        self.report(refusal)
        body = refusal.body()
        named = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
        lines = [f"HTTP/1.1 {refusal.status} ", *(f"{k}: {v}" for k, v in {**refusal.headers, **named}.items())]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.transport.close()

    def _await_head(self) -> None:
        late = RefusedError(408, "request_timeout", f"the request's head was not there after {self.receive_time:g} s")
        self._head_timer = self.loop.call_later(self.receive_time, self._give_up, late)

    def _give_up(self, refusal: RefusedError) -> None:
        # A connection without a byte is one that somebody holds ready for later: there is nothing to answer to.
        if self._head_bytes:
            self.refuse(refusal)
        else:
            self.transport.close()

    def _stop_awaiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def connections(max_connections: int, receive_time: float, report: Report) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol with limits.

    Args:
        max_connections: that are open at once.
        receive_time: until the head of a request has to be there, and until an answer has to be read.
        report: is told of requests that are refused here.
    """
    limits = {"max_connections": max_connections, "receive_time": receive_time, "report": staticmethod(report)}
    return type("Connection", (PatientProtocol, _Protocol), limits)
