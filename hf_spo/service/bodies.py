"""Bodies of requests and responses: Pydantic models, and the strict reading of JSON."""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from .errors import ClientGoneError, RefusedError
from .inputs import Extractors
from .service_settings import ServiceSettings

_TEXT = "《星辰之外》由林晓舟执导，陈默然、周子衿主演。"
_TRIPLE: dict[str, Any] = {
    "score": 0.98,
    "subject": {"text": "星辰之外", "start": 1, "end": 5, "type": "影视作品"},
    "predicate": "导演",
    "object": {"text": "林晓舟", "start": 7, "end": 10, "type": "人物"},
    "qualifiers": {},
}


class Mention(BaseModel):
    """A subject, an object or a qualifier. Offsets count code points of the text, from 0; `end` is exclusive."""

    text: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    type: str


class Triple(BaseModel):
    """A triple. The score is a probability; qualifiers are the further slots of the object, by name."""

    score: float
    subject: Mention
    predicate: str
    object: Mention
    qualifiers: dict[str, Mention]


class ExtractResponse(BaseModel):
    """The triples of each text, in the order of the texts."""

    results: list[list[Triple]]

    model_config = ConfigDict(json_schema_extra={"example": {"results": [[_TRIPLE]]}})


class ErrorDetail(BaseModel):
    """A code for programs, a message for people, and the field of the body that is the cause, if there is one."""

    code: str
    message: str
    field: str | None = None


class ErrorResponse(BaseModel):
    """The body of every response that is an error."""

    error: ErrorDetail


class ExtractRequest(BaseModel):
    """Texts to extract triples from, and options as in a call of the pipeline; options left out have their default."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"texts": [_TEXT]},
                {"texts": [_TEXT, "今天天气很好。"], "options": {"score_threshold": 0.5, "top_k": 3}},
            ]
        },
    )

    texts: list[str]
    options: dict[str, Any] | None = None


def extract_request(settings: ServiceSettings, extractors: Extractors) -> type[ExtractRequest]:
    """Return [`ExtractRequest`] with the limits of a service, and with the options of its model in the schema."""
    options: dict[str, Any] = {"type": "object", "properties": extractors.schemas, "additionalProperties": False}
    # Not `max_length` of the text: Pydantic cannot count a text with lone surrogates.
    text = Annotated[
        str,
        AfterValidator(_at_most(settings.max_characters)),
        Field(json_schema_extra={"maxLength": settings.max_characters}),
    ]
    return create_model(
        "ExtractRequest",
        __base__=ExtractRequest,
        texts=(Annotated[list[text], Field(max_length=settings.max_texts)], ...),
        options=(dict[str, Any] | None, Field(None, json_schema_extra=options)),
    )


def _at_most(characters: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        if len(text) > characters:
            raise ValueError(f"{len(text):,} characters, expected at most {characters:,}; cut the text into parts")
        return text

    return check


_REASONS = {
    400: "The body is not JSON, or the Host header names another machine.",
    401: "The token is missing or wrong.",
    408: "The body did not arrive in time.",
    413: "The body has too many bytes.",
    415: "The Content-Type is not JSON in UTF-8.",
    422: "A field has a value that is not allowed; `field` names it.",
    429: "Too many requests are waiting; Retry-After says when to come back.",
    500: "An unexpected error; the log has it under the id in X-Request-ID.",
    503: "The response took too long, or the service is stopping.",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of responses that are errors; of all of them by default."""
    return {status: {"model": ErrorResponse, "description": _REASONS[status]} for status in statuses or tuple(_REASONS)}


class JsonRoute(APIRoute):
    """A route whose body is read as strict JSON: FastAPI alone takes other encodings, NaN, and a name twice."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Return the function that answers a request."""
        answer = super().get_route_handler()
        if self.body_field is None:
            return answer

        async def read_and_answer(request: Request) -> Response:
            _check_content_type(request)
            try:
                content = await request.body()
            except ClientDisconnect:
                raise ClientGoneError from None
            return await answer(_JsonRequest(request.scope, request.receive, content))

        return read_and_answer


class _JsonRequest(Request):
    """A request whose body has been read."""

    def __init__(self, scope: Any, receive: Any, content: bytes) -> None:
        super().__init__(scope, receive)
        self._content, self._value = content, read_json(content)

    async def body(self) -> bytes:
        return self._content

    async def json(self) -> Any:
        return self._value


def _check_content_type(request: Request) -> None:
    # No web page can send this type to another site unless that site allows it.
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = parameters.partition("charset=")[2].strip(' "') or "utf-8"
    if kind.strip() != "application/json" or charset not in ("utf-8", "utf8"):
        message = "expected JSON in UTF-8: send the header Content-Type: application/json"
        raise RefusedError(415, "unsupported_media_type", message)


def read_json(body: bytes) -> Any:
    """Read a body as RFC 8259 defines JSON: UTF-8, no NaN, no name twice in an object.

    Raises:
        RefusedError: the body is not that.
    """
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant, object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is 0x{body[error.start]:02x}, which is not UTF-8"
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at line {error.lineno}, column {error.colno}"
    except ValueError as error:  # of the functions below, and of a number with thousands of digits
        reason = str(error)
    except RecursionError:
        reason = "it is nested too deeply"
    raise RefusedError(400, "invalid_json", f"the body is not JSON: {reason}")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def _object(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise ValueError(f"the name {twice!r:.80} is in an object twice")
    return found
