"""What the service answers, without a socket."""

import asyncio
import json

import pytest

from hf_spo.service.service_settings import ServiceSettings
from tests.service.samples import FakeModel, in_process

JSON = {"Content-Type": "application/json"}


def ask(scenario, **options):
    """Run a scenario with a service; return what it returns."""

    async def run():
        async with in_process(**options) as running:
            return await scenario(running)

    return asyncio.run(run())


def post(body, headers=JSON, path="/extract", **options):
    return ask(lambda running: running.client.post(path, content=body, headers=headers), **options)


def error(answer, status, code):
    """Check that an answer is this error; return its message."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert "Traceback" not in answer.text
    found = answer.json()["error"]
    assert found["code"] == code
    return found["message"]


class Panic(BaseException):
    """As a panic of Rust code reaches Python: no Exception."""


def panic(text):
    raise Panic(text)


@pytest.mark.smoke
class TestExtract:
    def test_triples_of_each_text(self):
        answer = ask(lambda running: running.extract("白露", "", "苏州"))
        assert answer.status_code == 200
        first, second, third = answer.json()["results"]
        assert (first[0]["subject"], second) == ({"text": "白露", "start": 0, "end": 2, "type": "人物"}, [])
        assert third[0]["object"]["text"] == "苏州"

    def test_no_texts(self):
        assert ask(lambda running: running.extract()).json() == {"results": []}

    @pytest.mark.parametrize("text", ["a\ud800b", "\x00\u202e", "👩\u200d👩", '"}]<b>\\'])
    def test_any_text_comes_back(self, text):
        answer = post(json.dumps({"texts": [text]}).encode())
        assert json.loads(answer.content)["results"][0][0]["subject"]["text"] == text

    def test_body_may_have_a_mark_and_a_charset(self):
        content = b'\xef\xbb\xbf{"texts": []}'
        assert post(content, {"Content-Type": "Application/JSON; charset=UTF-8"}).status_code == 200

    def test_options_are_passed_on_and_null_is_none(self):
        answer = ask(lambda running: running.extract("x", top_k=2, score_threshold=None, rules=False))
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        ("body", "field", "reason"),
        [
            ({}, "texts", "Field required"),
            ({"text": "x"}, "text", "Extra inputs are not permitted"),
            ({"texts": "x"}, "texts", "should be a valid list, got str"),
            ({"texts": {"a": 1}}, "texts", "got dict"),
            ({"texts": ["x", 5]}, "texts[1]", "should be a valid string, got int"),
            ({"texts": ["x", None]}, "texts[1]", "got nothing"),
            ({"texts": ["x"] * 4}, "texts", "at most 3 items"),
            ({"texts": ["x" * 11]}, "texts[0]", "11 characters, expected at most 10"),
            ({"texts": [], "options": []}, "options", "should be a valid dictionary, got list"),
            ({"texts": [], "options": {"treshold": 1}}, "options.treshold", "unknown option; known are batch_tokens"),
            ({"texts": [], "options": {"top_k": 0}}, "options.top_k", "0: expected a whole number of at least 1"),
            ({"texts": [], "options": {"top_k": 1.5}}, "options.top_k", "1.5: expected a whole number"),
            ({"texts": [], "options": {"top_k": True}}, "options.top_k", "True: expected a whole number"),
            ({"texts": [], "options": {"top_k": [1]}}, "options.top_k", "got list"),
            ({"texts": [], "options": {"rules": 1}}, "options.rules", "1: expected True or False"),
            ({"texts": [], "options": {"score_threshold": -0.1}}, "options.score_threshold", "from 0 to 1"),
            ({"texts": [], "options": {"object_end_threshold": "1"}}, "options.object_end_threshold", "got str"),
            (
                {"texts": [], "options": {"batch_tokens": 4097}},
                "options.batch_tokens",
                "4097: expected a whole number from 1 to 4096",
            ),
            ({"texts": [], "options": {"on_long": "warn"}}, "options.on_long", "'warn': expected one of window, error"),
            ({"texts": [], "options": {"window": 513}}, "options.window", "513: expected 3 to 512"),
            ({"texts": [], "options": {"window": 10**3000}}, "options.window", ""),
            ({"texts": [], "options": {"stride": 3}}, "options", "do not go together"),
        ],
    )
    def test_wrong_fields_are_named(self, body, field, reason):
        answer = post(json.dumps(body).encode(), chosen=ServiceSettings(max_texts=3, max_characters=10))
        assert reason in error(answer, 422, "invalid_request")
        assert answer.json()["error"]["field"] == field

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b"", "Expecting value"),
            (b'{"texts": ["x"', "line 1, column 15"),
            (b'{"texts": ["\xff"]}', "byte 12 is 0xff, which is not UTF-8"),
            ('{"texts": []}'.encode("utf-16"), "not UTF-8"),
            (b'{"texts": [NaN]}', "NaN is not a number"),
            (b'{"options": {"top_k": -Infinity}}', "-Infinity"),
            (b'{"texts": [], "texts": ["x"]}', "the name 'texts' is in an object twice"),
            (b"[" * 100_000, "nested too deeply"),
            (b'{"a":' * 100_000, "nested too deeply"),
            (b'{"options": {"top_k": ' + b"9" * 5000 + b"}}", "digits"),
        ],
    )
    def test_what_is_no_json(self, body, reason):
        assert reason in error(post(body), 400, "invalid_json")

    def test_json_that_is_no_object(self):
        assert "the body: Input should be a valid dictionary" in error(post(b"[]"), 422, "invalid_request")

    @pytest.mark.parametrize("kind", ["text/plain", "application/json; charset=latin-1", "application/jsonp", ""])
    def test_wrong_content_type(self, kind):
        error(post(b"{}", {"Content-Type": kind}), 415, "unsupported_media_type")

    def test_body_that_is_too_large(self):
        said = post(b" " * 101, chosen=ServiceSettings(max_body=100))
        assert "100 bytes" in error(said, 413, "body_too_large")

        async def stream():
            for _ in range(1000):
                yield b" " * 50

        async def chunked(running):
            return await running.client.post("/extract", content=stream(), headers=JSON)

        error(ask(chunked, chosen=ServiceSettings(max_body=100)), 413, "body_too_large")
        assert post(b'{"texts": []}' + b" " * 87, chosen=ServiceSettings(max_body=100)).status_code == 200


class TestOtherAddresses:
    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/nope", 404, "not_found"),
            ("POST", "/", 405, "method_not_allowed"),
            ("GET", "/extract", 405, "method_not_allowed"),
            ("GET", "/" + "x" * 5000, 404, "not_found"),
        ],
    )
    def test_errors_are_json(self, method, path, status, code):
        error(ask(lambda running: running.client.request(method, path)), status, code)

    def test_what_is_here(self):
        async def scenario(running):
            return [(await running.client.get(path)).json() for path in ("/", "/schema", "/health", "/ready")]

        root, schema, health, ready = ask(scenario)
        assert (root["model"], root["relations"]) == ("fake", 1)
        assert schema["relations"][0]["predicate"] == "妻子"
        assert (health["status"], ready["status"]) == ("alive", "ready")

    def test_figures(self):
        async def scenario(running):
            await running.extract("白露", "苏州")
            await running.extract("坏")
            await running.client.get("/nope")
            return (await running.client.get("/metrics")).text

        text = ask(scenario)
        for line in (
            'hf_spo_requests_total{path="/extract",status="200"} 1.0',
            'hf_spo_requests_total{path="other",status="404"} 1.0',
            'hf_spo_rejected_total{reason="internal"} 1.0',
            "hf_spo_texts_total 2.0",
            "hf_spo_characters_total 4.0",
            "hf_spo_triples_total 2.0",
            "hf_spo_batch_texts_count 2.0",
            "hf_spo_queue_length 0.0",
        ):
            assert line in text

    def test_page_has_examples_and_errors(self):
        async def scenario(running):
            page = await running.client.get("/docs")
            return page, (await running.client.get("/openapi.json")).json()

        page, schema = ask(scenario)
        assert page.headers["content-type"].startswith("text/html")
        operation = schema["paths"]["/extract"]["post"]
        assert operation["responses"].keys() == {"200", "400", "401", "408", "413", "415", "422", "429", "500", "503"}
        shapes = schema["components"]["schemas"]
        fields = shapes["ExtractRequest"]["properties"]
        assert fields["options"]["properties"]["top_k"]["minimum"] == 1
        assert fields["options"]["properties"]["on_long"]["enum"] == ["window", "error"]
        assert (fields["texts"]["maxItems"], fields["texts"]["items"]["maxLength"]) == (1000, 100_000)
        bodies = shapes["ExtractRequest"]["examples"]
        assert all(post(json.dumps(body).encode()).status_code == 200 for body in bodies)
        triple = shapes["ExtractResponse"]["example"]["results"][0][0]
        text = bodies[0]["texts"][0]
        for mention in (triple["subject"], triple["object"]):
            assert text[mention["start"] : mention["end"]] == mention["text"]
        assert "security" not in schema


@pytest.mark.smoke
class TestAccess:
    def test_token(self):
        async def scenario(running):
            def get(path, value):
                return running.client.get(path, headers={} if value is None else {"Authorization": value})

            wrong = (None, "", "Bearer", "Bearer nö", "Bearer secret1", "Basic schlüssel", "schlüssel")
            for value in wrong:
                answer = await get("/schema", value and value.encode())
                error(answer, 401, "unauthorized")
                assert answer.headers["www-authenticate"] == "Bearer"
            assert [
                (await get(path, None)).status_code for path in ("/health", "/ready", "/openapi.json", "/docs")
            ] == [200] * 4
            assert (await get("/metrics", None)).status_code == 401
            assert (await get("/metrics", "bearer schlüssel".encode())).status_code == 200
            assert (await running.client.get("/ready", headers={"Host": "example.org"})).status_code == 200
            assert "securitySchemes" in (await get("/openapi.json", None)).json()["components"]
            return "".join(running.lines)

        assert "schlüssel" not in json.dumps(ask(scenario, token="schlüssel"), ensure_ascii=False)

    @pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example:80"])
    def test_without_a_token_only_names_of_this_machine(self, host):
        assert post(b'{"texts": []}', {**JSON, "Host": host}).status_code == 400

    @pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:1", "[::1]:8000", "LOCALHOST"])
    def test_names_of_this_machine(self, host):
        assert post(b'{"texts": []}', {**JSON, "Host": host}).status_code == 200

    def test_ids(self):
        async def scenario(running):
            given = ("a.B_c-1", "x" * 65, "a b", "a\u00e9")
            return [
                (await running.client.get("/health", headers={"X-Request-ID": value.encode()})).headers["x-request-id"]
                for value in given
            ]

        first, *others = ask(scenario)
        assert first == "a.B_c-1"
        assert len({*others}) == 3
        assert all(other != "x" * 65 and "-" in other for other in others)

    def test_log_has_no_texts(self):
        async def scenario(running):
            await running.extract("白露和苏合")
            await running.client.get("/nope?q=白露")
            await running.extract("坏白露")
            return running.log

        lines = ask(scenario)
        assert "白露" not in json.dumps(lines, ensure_ascii=False)
        done, missing, failure, failed = lines
        assert (done["method"], done["path"], done["status"]) == ("POST", "/extract", 200)
        assert (done["texts"], done["characters"], done["triples"]) == (1, 5, 1)
        assert done["ms"] >= 0
        assert (missing["status"], missing["code"]) == (404, "not_found")
        assert (failure["event"], failure["error"], failed["status"]) == ("error", "RuntimeError", 500)
        assert any("samples.py" in place for place in failure["where"])
        assert failure["id"] == failed["id"]

    def test_log_has_texts_if_they_are_wanted(self):
        async def scenario(running):
            await running.extract("白露")
            await running.extract("坏苏合")
            return running.log

        done, failure, _ = ask(scenario, chosen=ServiceSettings(log_texts=True))
        assert done["content"] == ["白露"]
        assert failure["message"] == "cannot read 坏苏合"


class TestFailures:
    def test_of_a_text_is_told_with_an_id_alone(self):
        answer = ask(lambda running: running.extract("好", "坏"))
        message = error(answer, 500, "internal")
        assert answer.headers["x-request-id"] in message
        assert "坏" not in answer.text

    def test_anywhere_else(self):
        async def scenario(running):
            running.service.metrics.page = lambda: 1 / 0
            return await running.client.get("/metrics"), running.log

        answer, log = ask(scenario)
        error(answer, 500, "internal")
        assert log[0]["error"] == "ZeroDivisionError"

    def test_text_that_is_too_long_for_the_model(self):
        answer = ask(lambda running: running.extract("好", "很长", on_long="error"))
        assert "texts[1]: 很长 is too long" in error(answer, 422, "invalid_request")

    def test_a_panic_of_native_code_is_answered_at_once(self):
        async def scenario(running):
            running.model.find = panic
            failed = await running.extract("白露")
            del running.model.find
            return failed, await running.extract("白露"), await running.client.get("/ready")

        failed, later, ready = ask(scenario)
        error(failed, 500, "internal")
        assert (later.status_code, ready.status_code) == (200, 200)

    def test_one_s_failure_is_not_another_s(self):
        async def scenario(running):
            running.model.gate.clear()
            first = asyncio.create_task(running.extract("一"))
            await running.started()
            others = [asyncio.create_task(running.extract(text)) for text in ("二", "坏", "三", "很长")]
            await running.queued(4)
            running.model.gate.set()
            return [answer.status_code for answer in await asyncio.gather(first, *others)], running.model.calls

        statuses, calls = ask(scenario)
        assert statuses == [200, 200, 500, 200, 422]
        assert ["坏"] in calls


class TestLimits:
    def test_queue(self):
        async def scenario(running):
            running.model.gate.clear()
            tasks = [asyncio.create_task(running.extract("一"))]
            await running.started()
            tasks += [asyncio.create_task(running.extract(str(number))) for number in range(3)]
            await running.queued(3)
            full = await running.extract("x")
            not_ready = await running.client.get("/ready")
            running.model.gate.set()
            answers = await asyncio.gather(*tasks)
            return full, not_ready, answers

        full, not_ready, answers = ask(scenario, chosen=ServiceSettings(max_queue=3))
        assert "3 requests are waiting" in error(full, 429, "queue_full")
        assert int(full.headers["retry-after"]) > 0
        error(not_ready, 503, "queue_full")
        found = [answer.json()["results"][0][0]["subject"]["text"] for answer in answers]
        assert found == ["一", "0", "1", "2"]

    @pytest.mark.parametrize("limit", [0.05, 0.3])
    def test_time(self, limit):
        async def scenario(running):
            running.model.gate.clear()
            late = await running.extract("一")
            waiting = len(running.service.batcher)
            running.model.gate.set()
            return late, waiting, await running.extract("二")

        late, waiting, next_one = ask(scenario, chosen=ServiceSettings(time_limit=limit))
        error(late, 503, "timeout")
        assert "retry-after" in late.headers
        assert waiting == 0
        assert next_one.status_code == 200

    def test_draining(self):
        async def scenario(running):
            running.model.gate.clear()
            taken = asyncio.create_task(running.extract("一"))
            await running.started()
            running.service.batcher.drain()
            refused, ready = await running.extract("二"), await running.client.get("/ready")
            running.model.gate.set()
            return await taken, refused, ready

        taken, refused, ready = ask(scenario)
        assert taken.status_code == 200
        error(refused, 503, "stopping")
        error(ready, 503, "stopping")


def test_what_is_no_http_is_left_to_the_application():
    async def scenario(running):
        sent = []
        app = running.client._transport.app

        async def receive():
            return {"type": "websocket.connect"}

        async def send(message):
            sent.append(message["type"])

        headers = [(b"host", b"localhost")]
        await app({"type": "websocket", "path": "/", "headers": headers, "query_string": b""}, receive, send)
        return sent

    assert ask(scenario, model=FakeModel()) == ["websocket.close"]
