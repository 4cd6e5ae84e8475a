"""`hf-spo serve` behind the proxy of `deploy/`: 32 and 1,000 clients, alone and among slow ones, with and without it.

Service and proxy are processes of their own, with the options of `deploy/compose.yaml` and with `deploy/nginx.conf`, in
which only addresses and folders are replaced. Clients keep their connections and send one text a request; through the
proxy they use TLS and come from several addresses. Slow ones hold a connection each, until it is closed, and open the
next: a third sends a head, a third a body, a byte a second, and a third nothing. Memory is the peak, of all processes
of the proxy together.
"""

import asyncio
import os
import resource
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from measuring import Row, Settings, draw
from rich.table import Table
from service import HEAD, judge, load, make_bodies, percentiles, server

DEPLOY = Path(__file__).parents[1] / "deploy"
OPTIONS = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]["service"]["command"][2:]
"""Of the service, without its model."""

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CLIENTS = 1000
SLOW = 300
_ADDRESSES = 50
"""That clients come from, since the proxy limits the clients of an address."""


def measure(settings: Settings) -> list[Row]:
    """Measure the service alone, then behind the proxy."""
    if NGINX is None:
        return [{"what": "not measured: nginx is not installed"}]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # also of the processes that are started
    texts = settings.read(100 if settings.quick else 10_000)
    with TemporaryDirectory() as folder, server("lite", *OPTIONS) as (port, pid):
        alone = [_row(texts, port, "", clients, slow, lambda number: {}, service=pid) for clients, slow in _LOADS]
    with (
        TemporaryDirectory() as folder,
        server("lite", *OPTIONS) as (port, pid),
        proxy(port, Path(folder)) as (port, proxy_pid, tls),
    ):
        connect = partial(_connect, tls)
        pids = {"service": pid, "proxy": proxy_pid}
        return [*alone, *(_row(texts, port, "proxy, ", clients, slow, connect, **pids) for clients, slow in _LOADS)]


_LOADS = ((32, 0), (CLIENTS, 0), (CLIENTS, SLOW))


@contextmanager
def proxy(service: int, folder: Path) -> Iterator[tuple[int, int, ssl.SSLContext]]:
    """Run nginx in front of a service, with a certificate made for it.

    Args:
        service: port of the service.
        folder: for all files.

    Yields:
        The proxy's port, its process id, and what its clients need for TLS.
    """
    assert NGINX is not None
    certificate = folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", folder / "key.pem", "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for written, here in {
        "/tmp/": f"{folder}/",
        "/etc/nginx/tls/": f"{folder}/",
        "/dev/stdout": str(folder / "access.log"),
        "server service:8000;": f"server 127.0.0.1:{service};",
        "listen 8443 ": f"listen 127.0.0.1:{port} ",
    }.items():
        assert written in configuration, written
        configuration = configuration.replace(written, here)
    (folder / "nginx.conf").write_text(configuration, encoding="utf-8")
    # As root, nginx would give its work to a user who may not enter the folder.
    as_root = "user root;" if os.geteuid() == 0 else ""
    command = [NGINX, "-c", str(folder / "nginx.conf"), "-g", f"daemon off; {as_root}"]
    with (folder / "error.log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            _wait(port, process, folder / "error.log")
            yield port, process.pid, ssl.create_default_context(cafile=certificate)
        finally:
            process.terminate()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(100):
        assert process.poll() is None, log.read_text(encoding="utf-8")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise TimeoutError(f"nginx does not listen at port {port}")


def _connect(tls: ssl.SSLContext, number: int) -> dict[str, Any]:
    """Return the options of the connection of a client."""
    return {"ssl": tls, "local_addr": (f"127.0.1.{1 + number % _ADDRESSES}", 0)}


def _row(
    texts: list[str], port: int, where: str, clients: int, slow: int, connect: Callable[[int], dict[str, Any]],
    **pids: int,
) -> Row:  # fmt: skip
    took, closed, answers = asyncio.run(_among_slow(port, make_bodies(texts, 1), clients, slow, connect))
    among = f" among {slow:,} slow ones" if slow else ""
    return {
        "what": f"{where}{clients:,} clients{among}",
        "requests": len(texts),
        "texts_per_second": len(texts) / took,
        **percentiles([seconds for _, _, seconds in answers]),
        **judge(texts, 1, answers),
        "closed": closed if slow else None,
        **{f"{name}_mib": sum(map(_peak, [pid, *_children(pid)])) for name, pid in pids.items()},
    }


async def _among_slow(
    port: int, bodies: list[bytes], clients: int, slow: int, connect: Callable[[int], dict[str, Any]]
) -> tuple[float, int, list[tuple[int, bytes, float]]]:
    """Send bodies among slow clients; return the seconds, the slow connections that were closed, and the responses."""
    opened = closed = 0

    async def dawdle(number: int, start: bytes, byte: bytes) -> None:
        nonlocal opened, closed
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port, **connect(number))
                opened += 1
                ending = asyncio.create_task(_end(reader))
                writer.write(start)
                while not ending.done():
                    await asyncio.wait([ending], timeout=1)
                    writer.write(byte)
                closed += 1
                writer.transport.abort()
            await asyncio.sleep(5)

    kinds = [(b"POST /extract HTTP/1.1\r\nX: ", b"x"), (HEAD.format(1000).encode(), b" "), (b"", b"")]
    rude = [asyncio.create_task(dawdle(number, *kinds[number % len(kinds)])) for number in range(slow)]
    while opened < slow:
        await asyncio.sleep(0.1)
    seconds, answers = await load(port, bodies, clients, connect)
    for task in rude:
        task.cancel()
    await asyncio.gather(*rude, return_exceptions=True)
    return seconds, closed, answers


async def _end(reader: asyncio.StreamReader) -> None:
    """Wait until a connection is closed."""
    with suppress(OSError):
        await reader.read()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


def table(rows: list[Row]) -> Table:
    """Return the table: a row per run."""
    columns = {
        "what": ("what", "s"),
        "requests": ("requests", ",d"),
        "texts_per_second": ("texts/s", ",.1f"),
        "p50_ms": ("p50 ms", ",.0f"),
        "p95_ms": ("p95 ms", ",.0f"),
        "statuses": ("responses by status", "s"),
        "lost": ("lost", "d"),
        "foreign": ("foreign", "d"),
        "closed": ("slow ones closed", ",d"),
        "service_mib": ("service MiB", "d"),
        "proxy_mib": ("proxy MiB", "d"),
    }
    return draw("hf-spo serve behind nginx", rows, columns)
