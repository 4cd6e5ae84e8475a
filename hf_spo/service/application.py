"""FastAPI application of a service: its routes and its error responses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

try:
    from fastapi import Depends, FastAPI
    from fastapi.exceptions import RequestValidationError
    from fastapi.security import HTTPBearer
    from starlette.exceptions import HTTPException
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.requests import Request
    from starlette.responses import Response
except ImportError:
    raise ImportError("the service needs FastAPI: pip install 'hf-spo[serve]'") from None

from ..model.fields import json_line, kind
from .access import CLIENT_GONE, AccessMiddleware, error_response
from .bodies import ExtractResponse, JsonRoute, errors, extract_request
from .errors import ClientGoneError, RefusedError, stopping
from .inputs import InputError
from .label_studio import LabelStudioBackend
from .metrics import CONTENT_TYPE
from .service import Service

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1", "[::1]")
"""Values of the Host header that a service without a token answers to: a web page whose name was made to point to this
machine must not reach it through its reader's browser."""

_DESCRIPTION = """Extract (subject, predicate, object) triples from texts.

Offsets count code points of the text as it was sent. Scores are probabilities. Errors are JSON of the form
`{"error": {"code": "…", "message": "…", "field": "…"}}`. Every response has an `X-Request-ID`: that of the request, if
it has one.
"""


def make_app(
    service: Service,
    token: str | None = None,
    sends_ids: bool = True,
    label_studio: LabelStudioBackend | None = None,
) -> AccessMiddleware:
    """Return the ASGI application of a service.

    Args:
        service: answers the requests.
        token: that requests have to bring; without one, only requests to this machine's own names are answered.
        sends_ids: whether responses get the header X-Request-ID; a proxy in front of the service may send it instead.
        label_studio: answers the requests of Label Studio's ML backend protocol.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.batcher.start()
        yield
        service.batcher.close()
        if label_studio is not None:
            label_studio.close()

    app = FastAPI(
        title="hf-spo", description=_DESCRIPTION, version="1", lifespan=lifespan, redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )  # fmt: skip
    app.router.route_class = JsonRoute
    if token is None:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOCAL_NAMES, www_redirect=False)
    _add_open_routes(app, service, label_studio)
    secured = [] if token is None else [Depends(HTTPBearer(scheme_name="token", auto_error=False))]
    _add_routes(app, service, secured)
    if label_studio is not None:
        _add_label_studio_routes(app, label_studio, secured)
    for refused in (RefusedError, InputError, HTTPException, RequestValidationError):
        app.add_exception_handler(refused, _refuse)
    app.add_exception_handler(ClientGoneError, _client_gone)
    app.add_exception_handler(Exception, _fail)
    paths = frozenset(route.path for route in app.routes if hasattr(route, "path"))
    return AccessMiddleware(app, service, paths, token, sends_ids)


def _add_routes(app: FastAPI, service: Service, secured: list[Any]) -> None:
    body_type = extract_request(service.settings, service.extractors)

    @app.post("/extract", response_model=ExtractResponse, responses=errors(), dependencies=secured)
    async def extract(request: Request, body: body_type) -> Response:  # type: ignore[valid-type]  # has the limits
        """Extract triples from texts."""
        texts, options = body.texts, body.options  # type: ignore[attr-defined]
        results = await service.extract(texts, options, partial(_disconnected, request))
        entry = request.scope["request_log"]
        entry["texts"], entry["characters"] = len(texts), sum(map(len, texts))
        entry["triples"] = sum(map(len, results))
        if service.settings.log_texts:
            entry["content"] = texts
        return _json({"results": [[triple.to_dict() for triple in triples] for triples in results]})

    @app.get("/metrics", responses=errors(401), dependencies=secured)
    async def metrics() -> Response:
        """Return the metrics for Prometheus."""
        return Response(service.metrics.page(), media_type=CONTENT_TYPE)

    @app.get("/schema", responses=errors(401), dependencies=secured)
    async def schema() -> Response:
        """List the relations that the model knows."""
        return _json({"relations": service.extractors.model.schema.to_list()})

    @app.get("/", responses=errors(401), dependencies=secured)
    async def root() -> Response:
        """Describe the service."""
        return _json({"model": service.name, "relations": len(service.extractors.model.schema), "docs": "/docs"})


def _add_label_studio_routes(app: FastAPI, backend: LabelStudioBackend, secured: list[Any]) -> None:
    @app.post("/setup", responses=errors(), dependencies=secured)
    async def setup(body: dict[str, Any]) -> Response:
        """Check the labelling configuration of a project of Label Studio."""
        return _json(backend.setup(body))

    @app.post("/predict", responses=errors(), dependencies=secured)
    async def predict(request: Request, body: dict[str, Any]) -> Response:
        """Return predictions for tasks of Label Studio."""
        return _json(await backend.predict(body, partial(_disconnected, request)))

    @app.post("/webhook", responses=errors(), dependencies=secured)
    async def webhook(body: dict[str, Any]) -> Response:
        """Keep annotations of Label Studio, and train on them."""
        return _json(backend.webhook(body))


def _add_open_routes(app: FastAPI, service: Service, label_studio: LabelStudioBackend | None) -> None:
    @app.get("/health")
    async def health() -> dict[str, Any]:
        """Say that the service is alive."""
        return {"status": "alive"} if label_studio is None else label_studio.health()

    @app.get("/ready", responses=errors(503))
    async def ready() -> dict[str, str]:
        """Say whether requests are accepted."""
        if not service.batcher.is_ready:
            raise stopping()
        if service.batcher.is_full:
            raise RefusedError(503, "queue_full", "the queue is full", headers={"Retry-After": "1"})
        return {"status": "ready"}


def _json(content: Any) -> Response:
    # Written by this package: Pydantic cannot write lone surrogates, which texts may contain.
    return Response(json_line(content).encode(), media_type="application/json")


async def _disconnected(request: Request) -> None:
    """Return when the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _refuse(request: Request, error: Exception) -> Response:
    refusal = _refusal(error)
    request.scope["request_log"]["code"] = refusal.code
    return error_response(refusal)


def _refusal(error: Exception) -> RefusedError:
    if isinstance(error, RequestValidationError):
        error = _input_error(error)
    if isinstance(error, InputError):
        return RefusedError(422, "invalid_request", str(error), field=error.field or None)
    if isinstance(error, HTTPException):
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
        return RefusedError(error.status_code, code, str(error.detail), headers=error.headers)
    assert isinstance(error, RefusedError)
    return error


def _input_error(invalid: RequestValidationError) -> InputError:
    """Return the first of the errors that Pydantic found; a name that is unknown goes before one that is missing."""
    error = min(invalid.errors(), key=lambda error: error["type"] != "extra_forbidden")
    _, *path = error["loc"]
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part:.80}" for part in path).removeprefix(".")
    if error["type"] == "value_error":
        return InputError(field, str(error["ctx"]["error"]))
    came = f", got {kind(error['input'])}" if error["type"].endswith("_type") else ""
    return InputError(field or "the body", error["msg"] + came)


async def _client_gone(request: Request, error: Exception) -> Response:
    return Response(status_code=CLIENT_GONE)


async def _fail(request: Request, error: Exception) -> Response:
    entry = request.scope["request_log"]
    entry["code"] = "internal"
    message = f"an unexpected error; the log of the service has it under the id {entry['id']}"
    return error_response(RefusedError(500, "internal", message))
