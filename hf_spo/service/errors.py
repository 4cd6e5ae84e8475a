"""Answers that are no triples: every one is JSON with a code for programs and a message for people."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class RefusedError(Exception):
    """A request that gets an error for an answer.

    Args:
        status: of HTTP.
        code: one word for programs.
        message: for people.
        field: of the request, if one is to blame.
        headers: that the answer gets besides.
        is_unread: whether the request's body has not been read to its end.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        is_unread: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.headers = dict(headers or {})
        self.is_unread = is_unread

    def body(self) -> bytes:
        """Return the answer's content."""
        error = {"code": self.code, "message": self.message}
        if self.field is not None:
            error["field"] = self.field
        return json.dumps({"error": error}).encode()

    def response(self) -> Response:
        """Return the answer."""
        kind = LingeringResponse if self.is_unread else JsonResponse
        return kind(self.body(), self.status, self.headers)


class JsonResponse(Response):
    """An answer whose content is JSON already."""

    media_type = "application/json"


_LINGER_SECONDS, _LINGER_BYTES = 2, 16 << 20
"""How long, and how much of, what is still sent is thrown away after an answer."""


class LingeringResponse(JsonResponse):
    """An answer to a request whose body may still be on its way.

    What comes is thrown away for a while: were the connection closed at once, the answer would be lost on the way.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, then throw away."""
        headers = list(self.raw_headers)
        if any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"]):
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                await _throw_away(receive)
        await send({"type": "http.response.body", "body": b""})


async def _throw_away(receive: Receive) -> None:
    size = 0
    while size < _LINGER_BYTES:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            return


class GoneError(Exception):
    """Whoever asked has left."""


def too_busy(message: str) -> RefusedError:
    """Return the refusal of a request that may come back in a moment."""
    return RefusedError(429, "queue_full", message, headers={"Retry-After": "1"})


def stopping() -> RefusedError:
    """Return the refusal of a service that is about to end."""
    return RefusedError(503, "stopping", "the service is stopping; ask again in a moment", headers={"Retry-After": "5"})
