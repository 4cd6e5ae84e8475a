"""ASGI middleware: each request gets an id, needs the token, has limits for its body, and leaves a line in the log."""

import asyncio
import hmac
import re
import secrets
import time
from base64 import b64decode
from collections.abc import Mapping
from itertools import count
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import RefusedError
from .service import Service
from .service_settings import ServiceSettings

OPEN = frozenset({"/health", "/ready", "/docs", "/openapi.json"})
"""Paths that need no token: health of the service and its documentation."""

CLIENT_GONE = 499
"""Status, in log and metrics only, of a request whose client left before the response."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class AccessMiddleware:
    """Checks and logs the requests to an application.

    Args:
        app: the application.
        service: has the limits of a request's body, and gets an entry in log and metrics for each request.
        paths: that metrics are kept for.
        token: that requests have to bring.
        sends_ids: whether responses get the header X-Request-ID.
    """

    def __init__(
        self, app: ASGIApp, service: Service, paths: frozenset[str], token: str | None, sends_ids: bool
    ) -> None:
        self._app = app
        self._settings, self._log, self._metrics = service.settings, service.log, service.metrics
        self._paths = paths
        self._sends_ids = sends_ids
        self._start, self._numbers = secrets.token_hex(6), count(1)
        self._expected = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on. What others add to `scope["request_log"]` becomes part of the log's line."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        entry: dict[str, Any] = {"id": given if _ID.fullmatch(given) else f"{self._start}-{next(self._numbers)}"}
        scope["request_log"] = entry
        status, began = 0, time.perf_counter()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self._sends_ids:
                    message["headers"] = [*message.get("headers", ()), (b"x-request-id", entry["id"].encode())]
            await send(message)

        try:
            self._check(scope["path"], headers)
            await self._app(scope, _LimitedBody(receive, self._settings), answer)
        except RefusedError as refusal:
            entry["code"] = refusal.code
            await error_response(refusal)(scope, receive, answer)
        except Exception as error:  # the application has answered already
            self._log.failure(entry["id"], error)
        finally:
            self._record(scope, entry, status, time.perf_counter() - began)

    def _check(self, path: str, headers: Headers) -> None:
        if self._expected is not None and path not in OPEN and not _has_token(headers, self._expected):
            message = "expected the header Authorization: Bearer TOKEN with the service's token"
            raise RefusedError(401, "unauthorized", message, headers={"WWW-Authenticate": "Bearer"})
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._settings.max_body:
            raise _too_large(self._settings)

    def _record(self, scope: Scope, entry: Mapping[str, Any], status: int, seconds: float) -> None:
        path = scope["path"]
        self._metrics.request(path if path in self._paths else "other", status, seconds)
        if "code" in entry:
            self._metrics.rejected(entry["code"])
        line = {"method": scope["method"][:20], "path": path[:200], "status": status, "ms": round(seconds * 1000, 1)}
        self._log.event("request", **{"id": entry["id"], **line, **entry})


def _has_token(headers: Headers, expected: bytes) -> bool:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    token = given.strip().encode("latin-1")
    if scheme.lower() == "basic":  # which is all that Label Studio can send: the token is the password
        try:
            token = b64decode(token, validate=True).partition(b":")[2]
        except ValueError:
            return False
    return hmac.compare_digest(token, expected) and scheme.lower() in ("bearer", "basic")


class _LimitedBody:
    """Receives a request's body within the limits of bytes and time.

    Raises:
        RefusedError: when called, if the body is too long or takes too long.
    """

    def __init__(self, receive: Receive, settings: ServiceSettings) -> None:
        self._receive = receive
        self._settings = settings
        self._size = 0
        self._is_whole = False
        self._deadline = asyncio.get_running_loop().time() + settings.receive_time

    async def __call__(self) -> Message:
        if self._is_whole:  # what comes next is that the client leaves
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            reason = f"the body did not arrive within {self._settings.receive_time:g} s"
            raise RefusedError(408, "request_timeout", reason, headers={"Connection": "close"}) from None
        self._size += len(message.get("body", b""))
        if self._size > self._settings.max_body:
            raise _too_large(self._settings)
        self._is_whole = not message.get("more_body")
        return message


def _too_large(settings: ServiceSettings) -> RefusedError:
    message = f"the body has more than {settings.max_body:,} bytes; send fewer texts in a request"
    return RefusedError(413, "body_too_large", message)


def error_response(refusal: RefusedError) -> Response:
    """Return the response of a request that is refused."""
    return Response(refusal.body(), refusal.status, refusal.headers, "application/json")
