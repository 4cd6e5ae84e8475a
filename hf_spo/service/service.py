"""The service behind every HTTP framework: a model with its queue, metrics and log."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from ..model.extraction import TextTooLongError
from ..model.schema import Triple
from .batching import Batcher, measure_max_padding
from .errors import ClientGoneError, RefusedError
from .inputs import Extractors, InputError, Model
from .jobs import Job
from .logs import JsonLog
from .metrics import ServiceMetrics
from .service_settings import ServiceSettings


class Service:
    """A model with its queue, metrics and log.

    Args:
        model: a pipeline of either kind.
        settings: limits.
        log: for requests and errors; default: stderr.
    """

    def __init__(self, model: Model, settings: ServiceSettings | None = None, log: JsonLog | None = None) -> None:
        self.settings = settings or ServiceSettings()
        path = Path(model.name_or_path)
        # Clients need not know where folders are on this machine.
        self.name = path.name if path.is_dir() else model.name_or_path
        self.extractors = Extractors(model, self.settings.batch_tokens)
        self.log = log or JsonLog(with_texts=self.settings.log_texts)
        self.metrics = ServiceMetrics(lambda: len(self.batcher))
        self.batcher = Batcher(self.settings, self.metrics.batch)

    def warm_up(self) -> None:
        """Run the model for the first time, and measure which texts are worth padding to share a batch."""
        # The cost of a pass beside its characters is mostly Python, which one thread at a time runs.
        self.batcher.max_padding = self.settings.workers * measure_max_padding(self.extractors.loop(()))

    async def extract(
        self, texts: list[str], options: Any, disconnected: Callable[[], Coroutine[Any, Any, None]]
    ) -> list[list[Triple]]:
        """Extract triples from the texts of a request.

        Args:
            texts: of the request.
            options: as they came, see [`Extractors.options`].
            disconnected: returns when the client has left.

        Raises:
            ClientGoneError: the client has left.
            InputError: an option or a text is not allowed.
            RefusedError: the queue is full, it took too long, or the service stops.
            Exception: extraction failed.
        """
        chosen = self.extractors.options(options)
        job = self.batcher.submit(texts, chosen, self.extractors.loop(chosen))
        results = await self._wait(job, disconnected)
        for index, found in enumerate(results):
            if isinstance(found, TextTooLongError):
                raise InputError(f"texts[{index}]", str(found))
            if isinstance(found, Exception):
                raise found
        self.metrics.answered(len(texts), sum(map(len, texts)), sum(map(len, results)))
        return results

    async def _wait(self, job: Job, disconnected: Callable[[], Coroutine[Any, Any, None]]) -> list[Any]:
        limit = self.settings.time_limit
        leaving = asyncio.create_task(disconnected())
        try:
            await asyncio.wait((job.future, leaving), timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if job.future.done():
                return job.future.result()
            if leaving.done():
                raise ClientGoneError
            message = f"the response took more than {limit:g} s"
            raise RefusedError(503, "timeout", message, headers={"Retry-After": "5"})
        finally:
            leaving.cancel()
            if not job.future.done():
                self.batcher.drop(job)
