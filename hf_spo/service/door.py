"""The door of the service: every request gets an id, has to show its token, and leaves a line in the log."""

import hmac
import re
import secrets
import time
from collections.abc import Mapping
from itertools import count
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import GoneError, RefusedError
from .logs import JsonLog
from .meters import Meters

OPEN = frozenset({"/health", "/ready", "/docs", "/openapi.json"})
"""What is shown to those without a token: whether the service is well, and how it is asked."""

_LOCAL = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?", re.IGNORECASE)
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LEFT = 499
"""Status, in log and figures only, of requests whose sender left before the answer."""


class Door:
    """Lets requests into an application, and tells of them.

    Args:
        app: behind it.
        log, meters: to tell.
        paths: that figures are kept of.
        token: that requests have to bring. Without one, only requests to a name of this machine itself are let in: a
            web page whose name was made to point here must not talk to the service through its reader's browser.
        sends_ids: whether answers get the header X-Request-ID.
    """

    def __init__(
        self,
        app: ASGIApp,
        log: JsonLog,
        meters: Meters,
        paths: frozenset[str],
        token: str | None,
        sends_ids: bool = True,
    ) -> None:
        self._app = app
        self._log = log
        self._meters = meters
        self._paths = paths
        self._sends_ids = sends_ids
        self._start, self._numbers = secrets.token_hex(6), count(1)
        self._expected = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        visit: dict[str, Any] = {"id": given if _ID.fullmatch(given) else f"{self._start}-{next(self._numbers)}"}
        scope["visit"] = visit
        name = (b"x-request-id", visit["id"].encode())
        status, began = 0, time.perf_counter()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self._sends_ids:
                    message["headers"] = [*message.get("headers", ()), name]
            await send(message)

        try:
            self._check(scope["path"], headers)
            await self._app(scope, receive, answer)
        except RefusedError as refusal:
            visit["code"] = refusal.code
            await refusal.response()(scope, receive, answer)
        except GoneError:
            status = _LEFT
        except Exception as error:
            # The application has answered already.
            self._log.failure(visit["id"], error)
        finally:
            self._tell(scope, visit, status, time.perf_counter() - began)

    def _check(self, path: str, headers: Headers) -> None:
        if self._expected is None:
            if not _LOCAL.fullmatch(headers.get("host", "")):
                raise RefusedError(
                    400,
                    "unknown_host",
                    "without a token, the service answers only to localhost and 127.0.0.1",
                    is_unread=True,
                )
        elif path not in OPEN and not self._has_token(headers):
            raise RefusedError(
                401,
                "unauthorized",
                "expected the header Authorization: Bearer TOKEN with the service's token",
                headers={"WWW-Authenticate": "Bearer"},
                is_unread=True,
            )

    def _has_token(self, headers: Headers) -> bool:
        assert self._expected is not None
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return hmac.compare_digest(token.strip().encode("latin-1"), self._expected) and scheme.lower() == "bearer"

    def _tell(self, scope: Scope, visit: Mapping[str, Any], status: int, seconds: float) -> None:
        path = scope["path"]
        self._meters.request(path if path in self._paths else "other", status, seconds)
        if "code" in visit:
            self._meters.rejected(visit["code"])
        line = {"method": scope["method"][:20], "path": path[:200], "status": status, "ms": round(seconds * 1000, 1)}
        self._log.event("request", **{"id": visit["id"], **line, **visit})
