"""`hf-spo serve` under load: 32 clients compared with the pipeline on the same texts, then memory, then bad clients.

The server is a separate process; clients and pipeline run in this one, take turns, and share the cores with the server.
The pipeline gets all texts at once, and also lists of as many texts as the clients can send at a time, which are the
largest batches that any service could build. A response is foreign if one of its mentions is not at its offsets in the
text that was sent, and lost if there was none. In half precision, responses may differ slightly from the pipeline's,
because the batches have other texts; these are counted.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

from measuring import Row, Settings, draw
from rich.table import Table

from hf_spo.cli.models import ModelChoice

TARGET = 0.85
CLIENTS = 32
QUEUE = 32

HEAD = "POST /extract HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"


def measure(settings: Settings) -> list[Row]:
    """Compare the packaged models with the pipeline, then measure memory, then send bad requests."""
    compared = [row for model in settings.models for row in _compare(settings, model)]
    return [*compared, _memory(settings), *_abuse(settings)]


@contextmanager
def server(model: str, *options: str) -> Iterator[tuple[int, int]]:
    """Run the service; yield its port and its process id."""
    command = [sys.executable, "-m", "hf_spo.cli", "serve", "--model", model, "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield int(line.split("http://127.0.0.1:")[1].split(",")[0]), process.pid
    finally:
        process.terminate()
        process.wait(120)
        process.stdout.close()


class Client:
    """A connection that sends requests, with minimal HTTP, to leave the processor to the server.

    Args:
        port: of the server.
        connecting: shared by clients, so that not all connect at the same time: each should send its head at once.
        options: of `asyncio.open_connection`, such as `ssl`.
    """

    def __init__(self, port: int, connecting: asyncio.Semaphore, **options: Any) -> None:
        self._port, self._connecting, self._options = port, connecting, options
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes) -> tuple[int, bytes]:
        """Return status and content of the response; status 0 if there is none."""
        try:
            if self._streams is None:
                async with self._connecting:
                    self._streams = await asyncio.open_connection(
                        "127.0.0.1", self._port, limit=1 << 24, **self._options
                    )
            reader, writer = self._streams
            writer.write(HEAD.format(len(body)).encode() + body)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
            content = await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return 0, b""
        if b"connection: close" in head:
            self.close()
        return int(head[9:12]), content

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def load(
    port: int,
    bodies: Sequence[bytes],
    clients: int,
    options: Callable[[int], dict[str, Any]] = lambda number: {},
) -> tuple[float, list[tuple[int, bytes, float]]]:
    """Send bodies by several clients, each client one request at a time; `options` are those of a client.

    Returns the total seconds, and status, content and seconds of each response in the order of the bodies.
    """
    answers: list[Any] = [None] * len(bodies)
    numbers = iter(range(len(bodies)))
    connecting = asyncio.Semaphore(CLIENTS)

    async def work(client: Client) -> None:
        for number in numbers:
            began = time.perf_counter()
            status, content = await client.post(bodies[number])
            answers[number] = status, content, time.perf_counter() - began
        client.close()

    began = time.perf_counter()
    await asyncio.gather(*(work(Client(port, connecting, **options(number))) for number in range(clients)))
    return time.perf_counter() - began, answers


def make_bodies(texts: Sequence[str], size: int) -> list[bytes]:
    """Return the bodies of requests with so many texts each."""
    return [json.dumps({"texts": part}, ensure_ascii=False).encode() for part in _parts(texts, size)]


def _parts(texts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (texts[start : start + size] for start in range(0, len(texts), size))


def _compare(settings: Settings, model: str) -> Iterator[Row]:
    texts = settings.read(4 * settings.count)
    pipe: Any = ModelChoice(model).load()
    bare = pipe(texts)
    seconds: dict[int, list[float]] = {0: [], 1: [], 16: []}
    in_lists: dict[int, list[float]] = {1: [], 16: []}
    answers: dict[int, list[tuple[int, bytes, float]]] = {1: [], 16: []}
    with server(model) as (port, _):
        asyncio.run(load(port, make_bodies(texts[:64], 1), CLIENTS))
        for _ in range(settings.rounds):
            seconds[0].append(_takes(pipe, [texts]))
            for size in answers:
                in_lists[size].append(_takes(pipe, _parts(texts, CLIENTS * size)))
                took, answers[size] = asyncio.run(load(port, make_bodies(texts, size), CLIENTS))
                seconds[size].append(took)
    for size, found in answers.items():
        yield {
            "what": f"{model}, {size} text{'s' * (size > 1)} a request",
            "requests": len(found),
            "texts_per_second": len(texts) / median(seconds[size]),
            "bare_texts_per_second": len(texts) / median(seconds[0]),
            "ratio": median(own / other for own, other in zip(seconds[0], seconds[size], strict=True)),
            "list_ratio": median(own / other for own, other in zip(in_lists[size], seconds[size], strict=True)),
            **percentiles([took for _, _, took in found]),
            **judge(texts, size, found, bare),
        }


def _takes(pipe: Any, lists: Iterable[Sequence[str]]) -> float:
    began = time.perf_counter()
    for texts in lists:
        pipe(texts)
    return time.perf_counter() - began


def percentiles(seconds: list[float]) -> Row:
    """Return the milliseconds that half of the requests took at most, and 95 and 99 % of them."""
    ordered = sorted(seconds)
    return {
        f"p{share}_ms": 1000 * ordered[min(len(ordered) - 1, len(ordered) * share // 100)] for share in (50, 95, 99)
    }


def judge(
    texts: Sequence[str], size: int, answers: Sequence[tuple[int, bytes, float]], bare: Sequence[Any] | None = None
) -> Row:
    """Count responses by status, and those that are wrong."""
    statuses = Counter(status for status, _, _ in answers)
    foreign = different = 0
    for number, (status, content, _) in enumerate(answers):
        if status != 200:
            continue
        start = number * size
        results = json.loads(content)["results"]
        pairs = zip(texts[start : start + size], results, strict=True)
        foreign += any(_is_foreign(text, triple) for text, triples in pairs for triple in triples)
        if bare is not None:
            different += sum(_facts(o) != _facts(t) for o, t in zip(results, bare[start : start + size], strict=True))
    lost = {"lost": statuses.pop(0, 0), "foreign": foreign}
    counted = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
    return {"statuses": counted, **lost, "different": None if bare is None else different}


def _is_foreign(text: str, triple: Any) -> bool:
    mentions = [triple["subject"], triple["object"], *triple["qualifiers"].values()]
    return any(text[mention["start"] : mention["end"]] != mention["text"] for mention in mentions)


def _facts(triples: Any) -> set[str]:
    return {json.dumps({**triple, "score": 0}, sort_keys=True) for triple in triples}


def _memory(settings: Settings) -> Row:
    count = 200 if settings.quick else 20_000
    texts = settings.read(count)
    bodies, few = make_bodies(texts, 1), count // 10
    with server("lite") as (port, pid):
        held = [_held(pid)]
        _, first = asyncio.run(load(port, bodies[:few], CLIENTS))
        held.append(_held(pid))
        seconds, rest = asyncio.run(load(port, bodies[few:], CLIENTS))
        held.append(_held(pid))
    answers = first + rest
    return {
        "what": "lite, memory",
        "requests": count,
        "texts_per_second": len(rest) / seconds,
        **percentiles([took for _, _, took in answers]),
        **judge(texts, 1, answers),
        "memory_mib": held,
        "memory": " → ".join(map(str, held)),
    }


def _held(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


def _abuse(settings: Settings) -> Iterator[Row]:
    count = 64 if settings.quick else 2_000
    texts = settings.read(count)
    long = "".join(islice(cycle(settings.read(64)), 4 * count))[:100_000]
    many = settings.read(10 * QUEUE)
    with server("lite", "--max-queue", str(QUEUE), "--receive-time", "2") as (port, _):
        _, answers = asyncio.run(load(port, make_bodies(many, 1), len(many)))
        yield {"what": f"{len(many)} at once, queue of {QUEUE}", "requests": len(many), **judge(many, 1, answers)}
        took, answers = asyncio.run(load(port, make_bodies([long] * 4, 1), 2))
        yield {
            "what": f"{len(long):,} characters in a text",
            "requests": 4,
            "texts_per_second": 4 / took,
            **judge([long] * 4, 1, answers),
        }
        for name, body in _BROKEN.items():
            _, answers = asyncio.run(load(port, [body] * CLIENTS, CLIENTS))
            yield {"what": name, "requests": CLIENTS, **judge([""] * CLIENTS, 1, answers)}
        rude, answers = asyncio.run(_among_rude(port, make_bodies(texts, 1)))
        yield {
            "what": f"good clients among {rude:,} rude connections",
            "requests": count,
            **percentiles([took for _, _, took in answers]),
            **judge(texts, 1, answers),
        }


_BROKEN = {
    "invalid JSON": b'{"texts": ["x"',
    "invalid UTF-8": b'{"texts": ["\xff\xfe"]}',
    "wrong fields": b'{"texts": [5], "options": {"top_k": -1}}',
    "too large a body": b'{"texts": ["' + b"x" * (2 << 20) + b'"]}',
}


async def _among_rude(port: int, bodies: Sequence[bytes]) -> tuple[int, list[tuple[int, bytes, float]]]:
    """Send bodies among bad clients; return the number of bad connections, and the responses to the good ones."""
    count = 0

    async def misbehave(act: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> None:
        nonlocal count
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                count += 1
                with suppress(OSError):
                    await act(writer)
                writer.transport.abort()
            await asyncio.sleep(0.05)

    rude = [asyncio.create_task(misbehave(act)) for act in (_half_a_head, _half_a_body, _leave, _too_much, _noise) * 2]
    _, answers = await load(port, bodies, CLIENTS // 2)
    for task in rude:
        task.cancel()
    await asyncio.gather(*rude, return_exceptions=True)
    return count, answers


async def _half_a_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"POST /extract HTTP/1.1\r\nHost: loc")
    await asyncio.sleep(1)


async def _half_a_body(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD.format(100).encode() + b'{"texts": [')
    await asyncio.sleep(1)


async def _leave(writer: asyncio.StreamWriter) -> None:
    (body,) = make_bodies(["《星辰之外》由林晓舟执导。"] * 20, 20)
    writer.write(HEAD.format(len(body)).encode() + body)
    await writer.drain()


async def _too_much(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD.format(1 << 40).encode() + b" " * (1 << 16))
    await writer.drain()


async def _noise(writer: asyncio.StreamWriter) -> None:
    writer.write(bytes(range(256)) * 16)
    await writer.drain()


def table(rows: list[Row]) -> Table:
    """Return the table: a row per run."""
    columns = {
        "what": ("what", "s"),
        "requests": ("requests", ",d"),
        "texts_per_second": ("texts/s", ",.1f"),
        "bare_texts_per_second": ("pipeline", ",.1f"),
        "ratio": ("ratio", ".2f"),
        "list_ratio": ("ratio to lists", ".2f"),
        "p50_ms": ("p50 ms", ",.0f"),
        "p95_ms": ("p95 ms", ",.0f"),
        "p99_ms": ("p99 ms", ",.0f"),
        "statuses": ("responses by status", "s"),
        "lost": ("lost", "d"),
        "foreign": ("foreign", "d"),
        "different": ("differ", "d"),
        "memory": ("MiB: start, 10 %, end", "s"),
    }
    title = f"hf-spo serve, {CLIENTS} clients (target: {TARGET:.2f} of the pipeline)"
    return draw(title, rows, columns)
