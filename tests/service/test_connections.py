"""Clients that misbehave, on real sockets, and the end of a server."""

import asyncio
import json
import logging

import pytest

from hf_spo.service import connections, errors
from hf_spo.service.errors import RefusedError
from hf_spo.service.logs import JsonLog, LogRecords, to_stderr
from hf_spo.service.server import _log_records, open_socket
from tests.service.samples import listening, settings, talk

HEAD = b"POST /extract HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GOOD = b'{"texts": ["\xe7\x99\xbd\xe9\x9c\xb2"]}'
WHOLE = HEAD + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(GOOD) + GOOD


BROKEN = [
    (b"POST /extract HTTP/1.1\r\nHost: loc", [408], "request_timeout"),
    (HEAD + b"Content-Length: 100\r\n\r\n{", [408], "request_timeout"),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", [408], "request_timeout"),
    (HEAD + b"Content-Length: nine\r\n\r\n", [400], "invalid_http"),
    (HEAD + b"Content-Length: 9999999\r\n\r\n", [413], "body_too_large"),
    (bytes(range(256)), [400], "invalid_http"),
    (b"GET /" + b"x" * 70_000, [400, 431], None),
]


@pytest.fixture(params=["httptools", "h11"])
def protocol(request, monkeypatch):
    """Both of uvicorn's protocols: the fast one is not everywhere."""
    if request.param == "httptools":
        pytest.importorskip("httptools")
    else:
        from uvicorn.protocols.http.h11_impl import H11Protocol

        monkeypatch.setattr(connections, "_Protocol", H11Protocol)


def serve(scenario, **options):
    """Run a scenario with a server; return what it returns and the log."""

    async def run():
        async with listening(settings(**{"receive_time": 0.3, **options})) as running:
            result = await scenario(running)
        return result, running.log

    return asyncio.run(run())


def parsed(answer):
    """Return status, headers and content of the only answer in what came."""
    head, _, content = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return int(status.split()[1]), dict(line.lower().split(": ", 1) for line in lines), json.loads(content)


@pytest.mark.usefixtures("protocol")
class TestBroken:
    def test_answers_are_json_and_connections_are_closed(self, monkeypatch):
        monkeypatch.setattr(errors, "_LINGER_SECONDS", 0.3)

        async def scenario(running):
            answers = await asyncio.gather(*(talk(running.port, sent) for sent, _, _ in BROKEN))
            return answers, await talk(running.port, WHOLE)

        (answers, good), log = serve(scenario)
        assert parsed(good)[0] == 200
        told = {line.get("code") for line in log}
        for (_, statuses, code), answer in zip(BROKEN, answers, strict=True):
            status, headers, content = parsed(answer)
            assert status in statuses
            assert content["error"].keys() == {"code", "message"}
            assert content["error"]["code"] in told
            assert code in (None, content["error"]["code"])
            assert headers["connection"] == "close"

    def test_chunks_without_end(self):
        chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"

        async def scenario(running):
            return await talk(running.port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 40, b"0\r\n\r\n")

        answer, _ = serve(scenario, max_body=10_000)
        assert parsed(answer)[0] == 413

    def test_two_requests_sent_at_once_get_two_answers_in_order(self):
        async def scenario(running):
            first = HEAD + b"Content-Length: %d\r\n\r\n" % len(GOOD) + GOOD
            return await talk(
                running.port, first + b"GET /nope HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )

        answer, log = serve(scenario)
        assert answer.count(b"HTTP/1.1") == 2
        assert [line["status"] for line in log] == [200, 404]

    def test_a_body_in_many_pieces(self):
        async def scenario(running):
            return await talk(running.port, *(WHOLE[at : at + 40] for at in range(0, len(WHOLE), 40)), pause=0.01)

        answer, _ = serve(scenario)
        assert parsed(answer)[2]["results"][0][0]["subject"]["text"] == "白露"

    def test_connections_that_send_nothing_are_closed(self):
        async def scenario(running):
            return await talk(running.port), await talk(running.port, WHOLE.replace(b"Connection: close\r\n", b""))

        (nothing, one), log = serve(scenario, keep_alive=0.2)
        assert nothing == b""
        assert parsed(one)[0] == 200
        assert [line["status"] for line in log] == [200]

    def test_who_does_not_read_is_cut_off(self):
        body = json.dumps({"texts": ["x" * 90_000] * 8}).encode()

        def at_work():
            return sum("run_asgi" in str(task.get_coro()) for task in asyncio.all_tasks())

        async def scenario(running):
            _, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=1024)
            writer.transport.pause_reading()
            for _ in range(8):
                writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            await asyncio.sleep(0.6)
            held = at_work()
            async with asyncio.timeout(10):
                while at_work():
                    await asyncio.sleep(0.05)
            writer.transport.abort()
            return held

        assert serve(scenario, receive_time=1)[0] > 0


class TestLeaving:
    def test_who_leaves_is_not_worked_for(self):
        async def scenario(running):
            running.model.gate.clear()
            first = asyncio.create_task(running.extract("一"))
            await running.started()
            _, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(WHOLE)
            await running.queued(1)
            writer.transport.abort()
            await running.queued(0)
            running.model.gate.set()
            assert (await first).status_code == 200
            return running.model.calls

        calls, log = serve(scenario)
        assert calls == [["一"]]
        assert sorted(line["status"] for line in log) == [200, 499]

    def test_who_leaves_in_the_middle_of_a_body(self):
        async def scenario(running):
            _, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(HEAD + b"Content-Length: 100\r\n\r\n{")
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.transport.abort()
            await asyncio.sleep(0.1)

        _, log = serve(scenario)
        assert [line["status"] for line in log] == [499]


class TestMany:
    def test_too_many_connections(self):
        async def scenario(running):
            held = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(3)]
            await asyncio.sleep(0.05)
            answer = await talk(running.port)
            for _, writer in held:
                writer.close()
            return answer

        answer, log = serve(scenario, max_connections=3, receive_time=5)
        status, headers, content = parsed(answer)
        assert (status, content["error"]["code"], headers["retry-after"]) == (503, "too_many_connections", "1")
        assert log == [{"time": log[0]["time"], "event": "refused", "status": 503, "code": "too_many_connections"}]

    def test_ten_times_the_queue_at_once_loses_nobody(self):
        async def scenario(running):
            running.model.gate.clear()
            asyncio.get_running_loop().call_later(0.5, running.model.gate.set)
            return await asyncio.gather(*(running.extract(f"第{number}句") for number in range(80)))

        answers, _ = serve(scenario, max_queue=8, receive_time=10)
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) == {200, 429}
        assert statuses.count(200) >= 8
        for number, answer in enumerate(answers):
            if answer.status_code == 200:
                assert answer.json()["results"][0][0]["subject"]["text"] == f"第{number}句"


class TestStop:
    def test_what_was_taken_is_finished(self):
        async def scenario(running):
            running.model.gate.clear()
            tasks = [asyncio.create_task(running.extract("一"))]
            await running.started()
            tasks += [asyncio.create_task(running.extract(text)) for text in "二三"]
            await running.queued(2)
            running.stop()
            await asyncio.sleep(0.4)
            with pytest.raises(OSError, match=r".*"):
                await asyncio.open_connection("127.0.0.1", running.port)
            running.model.gate.set()
            answers = await asyncio.gather(*tasks)
            await asyncio.wait_for(running.ended, 5)
            return answers

        answers, _ = serve(scenario)
        assert [answer.status_code for answer in answers] == [200] * 3

    def test_what_takes_longer_than_the_grace_is_refused(self):
        async def scenario(running):
            running.model.gate.clear()
            task = asyncio.create_task(running.extract("一"))
            await running.started()
            running.stop()
            answer = await task
            running.model.gate.set()
            return answer

        answer, _ = serve(scenario, grace=0.2)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "stopping")


class TestAround:
    def test_address_that_is_taken(self):
        with open_socket("127.0.0.1", 0) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(OSError, match=rf"cannot listen at 127\.0\.0\.1:{port}: .*choose another --port"):
                open_socket("127.0.0.1", port)

    def test_what_libraries_log_is_json(self, capsys):
        lines = []
        log = JsonLog(lines.append)
        logger = logging.Logger("lib")
        logger.addHandler(LogRecords(log))
        logger.info("unheard")
        logger.warning("two\nlines")
        try:
            raise ValueError("secret")
        except ValueError:
            logger.exception("failed")
        told, failed = map(json.loads, lines)
        assert (told["level"], told["message"]) == ("WARNING", "two\nlines")
        assert (failed["error"], "secret" in lines[1]) == ("ValueError", False)
        to_stderr("x")
        assert capsys.readouterr().err == "x\n"

    def test_loggers_of_libraries_are_taken_over(self, monkeypatch):
        names = ("", "uvicorn", "hf_spo")
        for name in names:
            monkeypatch.setattr(logging.getLogger(name), "handlers", [])
            monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        lines = []

        class Told:
            log = JsonLog(lines.append)

        _log_records(Told())
        logging.getLogger("uvicorn.error").warning("once")
        assert [json.loads(line)["message"] for line in lines] == ["once"]

    def test_refusal_says_its_field(self):
        assert json.loads(RefusedError(422, "c", "m", field="f").body())["error"]["field"] == "f"
