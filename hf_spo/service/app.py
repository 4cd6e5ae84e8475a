"""The application behind HTTP: what is at which address, and how a request becomes an answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

try:
    from fastapi import FastAPI
    from fastapi.routing import APIRoute
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import Response
except ImportError:
    raise ImportError("the service needs FastAPI: pip install 'hf-spo[serve]'") from None

from ..model.extraction import TextTooLongError
from ..model.fields import json_line
from . import pages
from .batching import Batcher
from .body import check_content_type, read_json, receive_body
from .door import Door
from .errors import GoneError, JsonResponse, RefusedError, stopping
from .inputs import Handler, InputError, Model
from .jobs import Job
from .logs import JsonLog
from .meters import CONTENT_TYPE, Meters
from .settings import ServiceSettings
from .warming import measure_max_padding

_PATIENCE = 0.25
"""Seconds until it is looked whether who asked is still there: most answers come sooner."""


class _BareRoute(APIRoute):
    """A route whose function takes the request as it is: no models of bodies are built of what is checked here."""

    def get_route_handler(self) -> Any:
        return self.endpoint


class Service:
    """A model with its queue, figures and log.

    Args:
        model: a pipeline of either kind.
        settings: limits.
        log: to write to.
    """

    def __init__(self, model: Model, settings: ServiceSettings | None = None, log: JsonLog | None = None) -> None:
        self.settings = settings or ServiceSettings()
        path = Path(model.name_or_path)
        # Where folders lie on this machine is nobody's business.
        self.name = path.name if path.is_dir() else model.name_or_path
        self.handler = Handler(model, self.settings.inputs)
        self.log = log or JsonLog(with_texts=self.settings.log_texts)
        self.meters = Meters(lambda: len(self.batcher))
        self.batcher = Batcher(
            self.settings.max_queue,
            self.settings.batch_characters,
            self.settings.gather_time,
            self.settings.workers,
            self.meters.batch,
        )

    def warm_up(self) -> None:
        """Run the model for the first time, and learn what is worth doing together."""
        # What a pass costs beside its characters is mostly Python, which one thread at a time runs.
        self.batcher.max_padding = self.settings.workers * measure_max_padding(self.handler.loop(()))

    async def extract(self, request: Request) -> Response:
        """Extract triples from texts."""
        check_content_type(request.headers)
        limits = self.settings
        body = await receive_body(request.headers, request.receive, limits.max_body, limits.receive_time)
        texts, options = self._asked(read_json(body))
        job = self.batcher.submit(texts, options, self.handler.loop(options))
        results = await self._answer(job, request)
        return self._response(request, texts, results)

    def _asked(self, data: dict[str, Any]) -> tuple[list[str], Any]:
        unknown = sorted(data.keys() - {"texts", "options"})
        if unknown:
            raise InputError(f"{unknown[0]:.80}", 'is not known; expected "texts" and, if wanted, "options"')
        if "texts" not in data:
            raise InputError("texts", 'is missing; expected {"texts": ["…"]}')
        return self.handler.texts(data["texts"]), self.handler.options(data.get("options"))

    async def _answer(self, job: Job, request: Request) -> list[Any]:
        """Wait for a request's results, as long as anyone else does.

        Raises:
            GoneError: who asked has left.
            RefusedError: it took too long, or the service stops.
        """
        limit = self.settings.time_limit
        leaving: asyncio.Task[None] | None = None
        try:
            await asyncio.wait((job.future,), timeout=min(_PATIENCE, limit))
            if not job.future.done() and limit > _PATIENCE:
                leaving = asyncio.create_task(_leaving(request))
                await asyncio.wait(
                    (job.future, leaving), timeout=limit - _PATIENCE, return_when=asyncio.FIRST_COMPLETED
                )
            if job.future.done():
                return job.future.result()
            if leaving is not None and leaving.done():
                raise GoneError
            raise RefusedError(
                503, "timeout", f"the answer was not there after {limit:g} s", headers={"Retry-After": "5"}
            )
        finally:
            if not job.future.done():
                self.batcher.drop(job)
            if leaving is not None:
                leaving.cancel()

    def _response(self, request: Request, texts: list[str], results: list[Any]) -> Response:
        for index, found in enumerate(results):
            if isinstance(found, TextTooLongError):
                raise InputError(f"texts[{index}]", str(found))
            if isinstance(found, Exception):
                raise found
        visit = request.scope["visit"]
        visit["texts"], visit["characters"] = len(texts), sum(map(len, texts))
        visit["triples"] = sum(map(len, results))
        if self.settings.log_texts:
            visit["content"] = texts
        self.meters.answered(visit["texts"], visit["characters"], visit["triples"])
        content = {"results": [[triple.to_dict() for triple in triples] for triples in results]}
        return JsonResponse(json_line(content).encode())

    async def root(self, _: Request) -> Response:
        """Say what is here."""
        schema = self.handler.model.schema
        content = {"model": self.name, "relations": len(schema), "docs": "/docs"}
        return JsonResponse(json_line(content).encode())

    async def schema(self, _: Request) -> Response:
        """List the relations that the model knows."""
        return JsonResponse(json_line({"relations": self.handler.model.schema.to_list()}).encode())

    async def health(self, _: Request) -> Response:
        """Say that the service is alive."""
        return JsonResponse(b'{"status": "alive"}')

    async def ready(self, _: Request) -> Response:
        """Say whether requests are taken."""
        if not self.batcher.is_ready:
            raise stopping()
        if self.batcher.is_full:
            raise RefusedError(503, "queue_full", "the queue is full", headers={"Retry-After": "1"})
        return JsonResponse(b'{"status": "ready"}')

    async def metrics(self, _: Request) -> Response:
        """Return figures for Prometheus."""
        return Response(self.meters.page(), media_type=CONTENT_TYPE)


async def _leaving(request: Request) -> None:
    """Return when who asked has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def make_app(service: Service, token: str | None = None, sends_ids: bool = True) -> Any:
    """Return the ASGI application of a service.

    Args:
        service: behind it.
        token: that requests have to bring; without one, only requests to this machine's own names are answered.
        sends_ids: whether answers get the header X-Request-ID; what stands before the service may do that.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.batcher.start()
        yield
        service.batcher.close()

    app = FastAPI(
        title="hf-spo", description=pages.DESCRIPTION, version="1", lifespan=lifespan, redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )  # fmt: skip
    app.router.route_class = _BareRoute
    app.post("/extract", responses=pages.extract_answers(), openapi_extra=pages.extract_request(service.handler))(
        service.extract
    )
    app.get("/health", responses={200: pages.answer("It is.", {"status": "alive"})})(service.health)
    ready = {200: pages.answer("They are.", {"status": "ready"}), **pages.errors(503)}
    app.get("/ready", responses=ready)(service.ready)
    app.get("/metrics", responses=pages.errors(401))(service.metrics)
    app.get("/schema", responses=pages.errors(401))(service.schema)
    app.get("/", responses=pages.errors(401))(service.root)
    app.add_exception_handler(RefusedError, _refuse)
    app.add_exception_handler(InputError, _refuse)
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(Exception, _fail)
    _say_token(app, token)
    paths = frozenset(route.path for route in app.routes if hasattr(route, "path"))
    return Door(app, service.log, service.meters, paths, token, sends_ids)


def _say_token(app: FastAPI, token: str | None) -> None:
    """Let the OpenAPI page ask for the token, if there is one."""
    if token is not None:
        schema = app.openapi()  # which keeps what it returns
        schema.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        schema["security"] = [{"token": []}]


async def _refuse(request: Request, error: Exception) -> Response:
    refusal = _refusal(error)
    request.scope["visit"]["code"] = refusal.code
    return refusal.response()


def _refusal(error: Exception) -> RefusedError:
    if isinstance(error, InputError):
        return RefusedError(422, "invalid_request", str(error), field=error.field)
    if isinstance(error, HTTPException):
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
        return RefusedError(error.status_code, code, str(error.detail), headers=error.headers, is_unread=True)
    assert isinstance(error, RefusedError)
    return error


async def _fail(request: Request, error: Exception) -> Response:
    visit = request.scope["visit"]
    visit["code"] = "internal"
    message = f"something went wrong here; the log knows it as {visit['id']}"
    return RefusedError(500, "internal", message).response()
