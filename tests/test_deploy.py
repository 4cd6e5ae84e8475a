"""The files of `deploy/`: limits that fit each other, and the real service behind the real proxy."""

import asyncio
import json
import re
import socket
import sys
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import yaml

from hf_spo.service.service_settings import TOKEN_VARIABLE, ServiceSettings

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import proxy as benchmark
from service import server

TOKEN = {"Authorization": "Bearer secret"}
TYPE = {"Content-Type": "application/json"}
TEXT = "《远山的灯》由林小川执导，周一鸣、何雨晴主演。"
BODY = json.dumps({"texts": [TEXT]}).encode()
HEAD = (
    b"POST /extract HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\nContent-Type: application/json\r\n"
)
NEEDS_NGINX = pytest.mark.skipif(benchmark.NGINX is None, reason="nginx is not installed: apt-get install nginx")


def test_limits_of_the_proxy_fit_those_of_the_service():
    configuration = (benchmark.DEPLOY / "nginx.conf").read_text(encoding="utf-8")

    def said(name):
        (value,) = re.findall(rf"^ *{name} (\d+)[sm]?;", configuration, re.MULTILINE)
        return int(value)

    services = yaml.safe_load((benchmark.DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    options = dict(zip(benchmark.OPTIONS[::2], map(int, benchmark.OPTIONS[1::2]), strict=True))
    assert set(options) == {"--max-queue", "--max-connections"}
    settings = ServiceSettings(max_queue=options["--max-queue"], max_connections=options["--max-connections"])
    (at_service,) = re.findall(r"upstream service \{.*?keepalive_timeout (\d+)s;", configuration, re.DOTALL)
    assert said("client_max_body_size") << 20 == settings.max_body
    assert settings.max_connections >= 2 * settings.max_queue  # the queue refuses first, with JSON
    assert settings.max_connections < services["service"]["ulimits"]["nofile"]
    assert said("proxy_read_timeout") > settings.time_limit
    assert int(at_service) < settings.keep_alive
    assert said("worker_connections") > 2 * settings.max_queue
    assert said("worker_connections") < said("worker_rlimit_nofile") == services["proxy"]["ulimits"]["nofile"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The service with the options of the compose file, behind nginx with its configuration."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TOKEN_VARIABLE, "secret")
        with (
            server("lite", *benchmark.OPTIONS) as (service, _),
            benchmark.proxy(service, folder) as (port, _, tls),
        ):
            yield SimpleNamespace(port=port, tls=tls, folder=folder)


def ask(site, address="127.0.0.1", headers=TOKEN):
    """Return a client that comes from an address."""
    transport = httpx.AsyncHTTPTransport(verify=site.tls, local_address=address)
    url = f"https://localhost:{site.port}"
    return httpx.AsyncClient(transport=transport, base_url=url, headers={**TYPE, **headers}, timeout=120)


async def until_closed(site, *parts, pause=0.0, tls=True):
    """Send parts; return the seconds until the connection is closed, and what came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port, ssl=site.tls if tls else None)
    began, came = time.monotonic(), bytearray()

    async def receive():
        with suppress(ConnectionError):
            while part := await reader.read(1 << 16):
                came.extend(part)

    receiving = asyncio.create_task(receive())
    for part in parts:
        writer.write(part)
        await asyncio.wait([receiving], timeout=pause)
    async with asyncio.timeout(60):
        await receiving
    writer.transport.abort()
    return time.monotonic() - began, bytes(came)


def leave_unread(site, requests=400):
    """Send many requests and do not read the responses for a while; return the share of them that came."""
    with socket.socket() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        opened.connect(("127.0.0.1", site.port))
        with site.tls.wrap_socket(opened, server_hostname="localhost") as connection:
            connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * requests)
            came = bytearray(connection.recv(1000))
            time.sleep(25)
            with suppress(OSError):
                while part := connection.recv(1 << 16):
                    came.extend(part)
    return came.count(b"HTTP/1.1 200 ") / requests


async def ask_all_the_time(site, others):
    """Send good requests until others are done; return their responses."""
    answers = []
    async with ask(site) as client:
        while not others.done():
            answers.append(await client.post("/extract", content=BODY))
            await asyncio.sleep(0.3)
    return answers


@NEEDS_NGINX
@pytest.mark.slow
class TestBehindTheProxy:
    def test_slow_clients_are_cut_while_others_are_answered(self, site):
        half = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY)

        async def scenario():
            slow = asyncio.gather(
                until_closed(site, tls=False),  # no handshake, then no head
                until_closed(site),  # no head
                until_closed(site, HEAD, *[b"x"] * 20, pause=1),  # a head, byte by byte
                until_closed(site, half + BODY[:9]),
                until_closed(site, half + BODY),  # idle after a response
                asyncio.to_thread(leave_unread, site),
            )
            answers = await ask_all_the_time(site, slow)
            return await slow, answers

        (*cut, idle, unread), answers = asyncio.run(scenario())
        for seconds, came in cut:
            assert (came, 8 < seconds < 30) == (b"", True), seconds
        assert idle[1].startswith(b"HTTP/1.1 200 ")
        assert 14 < idle[0] < 50
        assert 0 < unread < 1
        assert len(answers) > 10
        assert {answer.status_code for answer in answers} == {200}
        assert all(answer.json()["results"][0] for answer in answers)

    def test_bodies_up_to_the_limit(self, site):
        async def scenario():
            whole = b'{"texts": []}'.ljust(1 << 20)

            async def pieces(body):
                for start in range(0, len(body), 1 << 16):
                    yield body[start : start + (1 << 16)]

            async with ask(site) as client:
                for body in (whole, whole + b" "):
                    yield await client.post("/extract", content=body)
                    yield await client.post("/extract", content=pieces(body))

        async def collect():
            return [answer async for answer in scenario()]

        *good, large, large_in_pieces = asyncio.run(collect())
        assert [answer.json() for answer in good] == [{"results": []}] * 2
        for answer in (large, large_in_pieces):
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "proxy")
            assert "retry-after" not in answer.headers

    def test_who_holds_many_connections_is_refused_alone(self, site):
        async def scenario():
            connections = [
                await asyncio.open_connection("127.0.0.1", site.port, ssl=site.tls, local_addr=("127.0.0.9", 0))
                for _ in range(64)
            ]
            for _, writer in connections:
                writer.write(HEAD + b"Content-Length: 9\r\n\r\n{")
                await writer.drain()
            await asyncio.sleep(1)
            async with ask(site, "127.0.0.9") as same, ask(site, "127.0.0.8") as other:
                answers = [await client.post("/extract", content=BODY) for client in (same, other)]
            for _, writer in connections:
                writer.transport.abort()
            return answers

        refused, answered = asyncio.run(scenario())
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert refused.json()["error"] == {
            "code": "proxy",
            "message": "too many requests are in progress; ask again in a moment",
        }
        assert answered.status_code == 200

    def test_many_clients_at_once(self, site):  # the benchmark has a thousand
        async def scenario():
            async with AsyncExitStack() as stack:
                clients = [await stack.enter_async_context(ask(site, f"127.0.1.{n}")) for n in range(1, 6)]
                return await asyncio.gather(*(c.post("/extract", content=BODY) for c in clients for _ in range(10)))

        answers = asyncio.run(scenario())
        assert [answer.status_code for answer in answers] == [200] * 50

    def test_token_certificate_and_log(self, site):
        async def scenario():
            async with ask(site, headers={"X-Request-ID": "mine"}) as client:
                yield await client.post("/extract", content=BODY)
                yield await client.get("/health")

        async def collect():
            return [answer async for answer in scenario()]

        refused, health = asyncio.run(collect())
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthorized")
        assert health.json() == {"status": "alive"}
        assert refused.headers["x-request-id"] == "mine"
        lines = [json.loads(line) for line in (site.folder / "access.log").read_text(encoding="utf-8").splitlines()]
        assert ("mine", 401, "/extract") in {(line["id"], line["status"], line["path"]) for line in lines}
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"https://localhost:{site.port}/health")
        plain = httpx.get(f"http://localhost:{site.port}/health")
        assert (plain.status_code, plain.json()["error"]["code"]) == (400, "proxy")


@NEEDS_NGINX
@pytest.mark.slow
def test_a_service_that_is_down(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    with benchmark.proxy(closed, tmp_path) as (port, _, tls):
        answer = httpx.post(f"https://localhost:{port}/extract", content=BODY, headers=TYPE, verify=tls)
    assert (answer.status_code, answer.headers["retry-after"]) == (502, "5")
    assert answer.json()["error"]["code"] == "proxy"
