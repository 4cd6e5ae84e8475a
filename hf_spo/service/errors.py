"""Responses that are errors: JSON with a code for programs and a message for people."""

import json
from collections.abc import Mapping


class RefusedError(Exception):
    """A request that gets an error as its response.

    Args:
        status: of HTTP.
        code: one word for programs.
        message: for people.
        field: of the request's body, if one is the cause.
        headers: of the response.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        """Return the content of the response."""
        error = {"code": self.code, "message": self.message}
        if self.field is not None:
            error["field"] = self.field
        return json.dumps({"error": error}).encode()


class ClientGoneError(Exception):
    """The client closed its connection before the response."""


def queue_full(message: str) -> RefusedError:
    """Return the refusal of a request that may come back in a moment."""
    return RefusedError(429, "queue_full", message, headers={"Retry-After": "1"})


def stopping() -> RefusedError:
    """Return the refusal of a service that is about to end."""
    return RefusedError(503, "stopping", "the service is stopping; ask again in a moment", headers={"Retry-After": "5"})
