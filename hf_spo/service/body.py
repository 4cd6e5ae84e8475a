"""The body of a request: received within limits, and read as strict JSON."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Receive

from .errors import GoneError, RefusedError


def check_content_type(headers: Headers) -> None:
    """Check that a body is said to be JSON. No web page can send such to another site without being asked.

    Raises:
        RefusedError: it is not.
    """
    kind, _, parameters = headers.get("content-type", "").lower().partition(";")
    charset = parameters.partition("charset=")[2].strip(' "') or "utf-8"
    if kind.strip() != "application/json" or charset not in ("utf-8", "utf8"):
        raise RefusedError(
            415,
            "unsupported_media_type",
            "expected JSON in UTF-8: send the header Content-Type: application/json",
            is_unread=True,
        )


async def receive_body(headers: Headers, receive: Receive, max_bytes: int, seconds: float) -> bytes:
    """Return a request's body.

    Raises:
        GoneError: whoever sent it left before its end.
        RefusedError: it is too long, or takes too long.
    """
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes:
        raise _too_large(max_bytes)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise GoneError
                part = message.get("body", b"")
                size += len(part)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                parts.append(part)
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        raise RefusedError(
            408,
            "request_timeout",
            f"the request's body was not there after {seconds:g} s",
            headers={"Connection": "close"},
        ) from None


def _too_large(max_bytes: int) -> RefusedError:
    message = f"the body has more than {max_bytes:,} bytes; send fewer texts in a request"
    return RefusedError(413, "body_too_large", message, is_unread=True)


def read_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a body is.

    Raises:
        RefusedError: it is none, or not as RFC 8259 has it: UTF-8, no NaN, no name twice.
    """
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant, object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        raise _bad_json(f"no UTF-8: byte {error.start} is 0x{body[error.start]:02x}") from None
    except json.JSONDecodeError as error:
        raise _bad_json(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError as error:  # what this module raises, and a number of thousands of digits
        raise _bad_json(str(error)) from None
    except RecursionError:
        raise _bad_json("nested too deeply") from None
    if not isinstance(value, dict):
        raise RefusedError(422, "invalid_request", 'expected a JSON object: {"texts": ["…"]}')
    return value


def _bad_json(reason: str) -> RefusedError:
    return RefusedError(400, "invalid_json", f"the body is no JSON: {reason}")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _object(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise ValueError(f"the name {twice!r:.80} stands twice in an object")
    return found
