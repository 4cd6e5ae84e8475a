"""What the OpenAPI page says of requests and answers."""

from typing import Any

from .inputs import OPTIONS, Handler

_TEXT = "《星辰之外》由林晓舟执导，陈默然、周子衿主演。"
_MENTION = {"text": "星辰之外", "start": 1, "end": 5, "type": "影视作品"}
_TRIPLE = {
    "score": 0.98,
    "subject": _MENTION,
    "predicate": "导演",
    "object": {"text": "林晓舟", "start": 7, "end": 10, "type": "人物"},
    "qualifiers": {},
}
_REASONS = {
    400: ("invalid_json", "The body is no JSON, or the Host header names another machine."),
    401: ("unauthorized", "The token is missing or wrong."),
    408: ("request_timeout", "The body did not come in time."),
    413: ("body_too_large", "The body has too many bytes."),
    415: ("unsupported_media_type", "The body is not said to be JSON."),
    422: ("invalid_request", "A field is not as expected; it is named."),
    429: ("queue_full", "Too many requests wait; Retry-After says when to come back."),
    500: ("internal", "Something went wrong here; the log knows it by the id in X-Request-ID."),
    503: ("timeout", "The answer took too long, or the service is stopping."),
}
DESCRIPTION = """Extract (subject, predicate, object) triples from texts.

Offsets count code points of the text as it was sent. Scores are probabilities. Errors are JSON of the form
`{"error": {"code": "…", "message": "…", "field": "…"}}`; every answer has an `X-Request-ID`, the one that the request
brought if it did.
"""


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    needed = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": needed}


_STRING = {"type": "string"}
_OFFSET = {"type": "integer", "minimum": 0}
_MENTION_SCHEMA = _object({"text": _STRING, "start": _OFFSET, "end": _OFFSET, "type": _STRING})
_TRIPLE_SCHEMA = _object(
    {
        "score": {"type": "number"},
        "subject": _MENTION_SCHEMA,
        "predicate": _STRING,
        "object": _MENTION_SCHEMA,
        "qualifiers": {"type": "object", "additionalProperties": _MENTION_SCHEMA},
    }
)
_RESULTS = _object({"results": {"type": "array", "items": {"type": "array", "items": _TRIPLE_SCHEMA}}})
_ERROR = _object(
    {"error": _object({"code": _STRING, "message": _STRING, "field": _STRING}, ["code", "message"])},
)


def answer(description: str, example: Any, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what is said of one answer."""
    content = {"example": example, **({"schema": schema} if schema else {})}
    return {"description": description, "content": {"application/json": content}}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what is said of answers that are errors."""
    return {
        status: answer(text, {"error": {"code": code, "message": "…"}}, _ERROR)
        for status, (code, text) in _REASONS.items()
        if status in statuses
    }


def extract_answers() -> dict[int | str, dict[str, Any]]:
    """Return what is said of the answers of /extract."""
    done = answer("The triples of each text, in the order of the texts.", {"results": [[_TRIPLE]]}, _RESULTS)
    return {200: done, **errors(*_REASONS)}


def extract_request(handler: Handler) -> dict[str, Any]:
    """Return what is said of the body of /extract."""
    limits = handler.limits
    texts = {"type": "array", "items": {**_STRING, "maxLength": limits.characters}, "maxItems": limits.texts}
    options = {
        "type": "object",
        "properties": {name: handler.schema(name) for name in OPTIONS},
        "additionalProperties": False,
        "description": "Those of a call of the pipeline; what is left out is as the model has it.",
    }
    examples = {
        "one text": {"value": {"texts": [_TEXT]}},
        "with options": {
            "value": {"texts": [_TEXT, "今天天气很好。"], "options": {"score_threshold": 0.5, "top_k": 3}}
        },
    }
    schema = {**_object({"texts": texts, "options": options}, ["texts"]), "additionalProperties": False}
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema, "examples": examples}}}
    }
