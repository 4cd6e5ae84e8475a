"""A model that needs no weights, and services around it."""

import asyncio
import json
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from hf_spo.model.extraction import TextTooLongError
from hf_spo.model.schema import Mention, Relation, Schema, Span, Triple
from hf_spo.service.application import make_app
from hf_spo.service.logs import JsonLog
from hf_spo.service.server import make_server, open_socket
from hf_spo.service.service import Service
from hf_spo.service.service_settings import ServiceSettings


class FakeModel:
    """Find the whole text to be subject and object. It waits for `gate`, fails at 坏, refuses 长, and takes notes."""

    schema = Schema([Relation("人物", "妻子", "人物")])
    name_or_path = "fake"

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.calls = []
        self.running = threading.Event()

    def extractor(self, **parameters):
        if parameters.get("window", 3) > 512:
            raise ValueError(f"window={parameters['window']}: expected 3 to 512 tokens")
        if "stride" in parameters:
            raise ValueError("the two do not go together")

        def loop(texts, batch_size=None):
            self.running.set()
            assert self.gate.wait(20)
            self.calls.append(list(texts))
            for text in texts:
                yield self.find(text)

        return loop

    def find(self, text):
        if "坏" in text:
            raise RuntimeError(f"cannot read {text}")
        if "长" in text:
            raise TextTooLongError(f"{text} is too long")
        mention = Mention(text, Span(0, len(text)), "人物")
        return [Triple(mention, "妻子", mention, score=0.5)] if text else []


@dataclass
class Running:
    """A service at work, and what it logged."""

    service: Service
    model: FakeModel
    client: httpx.AsyncClient | None = None
    port: int = 0
    lines: list[str] = field(default_factory=list)

    @property
    def log(self):
        return [json.loads(line) for line in self.lines]

    async def extract(self, *texts, **options):
        body = {"texts": list(texts), **({"options": options} if options else {})}
        # Not by httpx, which cannot write lone surrogates.
        headers = {"Content-Type": "application/json"}
        return await self.client.post("/extract", content=json.dumps(body), headers=headers)

    async def started(self):
        """Wait until the model is at work."""
        await asyncio.to_thread(self.model.running.wait, 10)
        self.model.running.clear()

    async def queued(self, number):
        """Wait until so many requests wait."""
        async with asyncio.timeout(10):
            while len(self.service.batcher) != number:
                await asyncio.sleep(0.005)


def make(model, chosen):
    running = Running(None, model)
    running.service = Service(model, chosen, JsonLog(running.lines.append, with_texts=chosen.log_texts))
    return running


@asynccontextmanager
async def in_process(model=None, chosen=None, token=None):
    """Run a service without a socket."""
    running = make(model or FakeModel(), chosen or ServiceSettings())
    app = make_app(running.service, token)
    running.service.batcher.start()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as running.client:
        yield running
    running.service.batcher.close()


@asynccontextmanager
async def listening(chosen=None, model=None):
    """Run a service at a socket; when it is left, the server has to end by itself."""
    running = make(model or FakeModel(), chosen or ServiceSettings())
    ready = asyncio.Event()
    server = make_server(running.service, None, ready.set)
    opened = open_socket("127.0.0.1", 0)
    running.port = opened.getsockname()[1]
    task = asyncio.create_task(server.serve([opened]))
    await ready.wait()
    running.stop = lambda: setattr(server, "should_exit", True)
    running.ended = task
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}", timeout=20) as running.client:
            yield running
    finally:
        running.stop()
        await asyncio.wait_for(task, 20)


async def talk(port, *parts, pause=0.0):
    """Send bytes as they are, and return all that comes back until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(pause)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer
