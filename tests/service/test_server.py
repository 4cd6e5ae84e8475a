"""The service on real sockets: slow and impatient clients, many clients, and the end of a server."""

import asyncio
import json
import logging

import pytest

from hf_spo.service.errors import RefusedError
from hf_spo.service.logs import JsonLog, LogRecords, to_stderr
from hf_spo.service.server import _log_records, open_socket
from hf_spo.service.service_settings import ServiceSettings
from tests.service.samples import listening, talk

HEAD = b"POST /extract HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GOOD = b'{"texts": ["\xe7\x99\xbd\xe9\x9c\xb2"]}'
WHOLE = HEAD + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(GOOD) + GOOD


def serve(scenario, **options):
    """Run a scenario with a server; return what it returns and the log."""

    async def run():
        async with listening(ServiceSettings(**{"receive_time": 0.3, **options})) as running:
            result = await scenario(running)
        return result, running.log

    return asyncio.run(run())


def parsed(answer):
    """Return status, headers and content of the only answer in what came."""
    head, _, content = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return int(status.split()[1]), dict(line.lower().split(": ", 1) for line in lines), json.loads(content)


class TestBodies:
    @pytest.mark.parametrize(
        ("sent", "status", "code"),
        [
            (HEAD + b"Content-Length: 100\r\nConnection: close\r\n\r\n{", 408, "request_timeout"),
            (HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\n{", 408, "request_timeout"),
            (HEAD + b"Content-Length: 9999999\r\nConnection: close\r\n\r\n", 413, "body_too_large"),
        ],
    )
    def test_a_body_that_is_late_or_too_large(self, sent, status, code):
        answer, log = serve(lambda running: talk(running.port, sent))
        assert (parsed(answer)[0], parsed(answer)[2]["error"]["code"]) == (status, code)
        assert [line["code"] for line in log] == [code]

    @pytest.mark.parametrize("is_chunked", [False, True])
    def test_a_client_that_sends_too_much_reads_the_response(self, is_chunked):
        async def chunks():
            for _ in range(75):
                yield b" " * 4096

        async def scenario(running):
            body, headers = chunks() if is_chunked else b" " * 300_000, {"Content-Type": "application/json"}
            large = await running.client.post("/extract", content=body, headers=headers)
            return large, await running.extract("白露")

        (large, good), _ = serve(scenario, max_body=10_000)
        assert (large.status_code, good.status_code) == (413, 200)

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
            answer = await talk(running.port, WHOLE)
            for _, writer in held:
                writer.close()
            return answer

        answer, _ = serve(scenario, max_connections=3, receive_time=5)
        assert answer.startswith(b"HTTP/1.1 503 ")

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
