"""hf-spo serve."""

import json
import os
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from hf_spo.cli import serve
from hf_spo.service import server
from tests import builders
from tests.cli.command_line import COMMAND, one_line_error


class TestUsage:
    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.org", "192.0.2.1"])
    def test_other_machines_need_a_token(self, run: Any, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
        monkeypatch.delenv("HF_SPO_TOKEN", raising=False)
        assert "set the environment variable HF_SPO_TOKEN" in one_line_error(run("serve", "--host", host), 2)

    def test_empty_token(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_SPO_TOKEN", " ")
        assert "is empty" in one_line_error(run("serve"), 2)

    @pytest.mark.parametrize("words", [("--port", "70000"), ("--max-queue", "0"), ("--grace", "0")])
    def test_out_of_range(self, run: Any, words: tuple[str, str]) -> None:
        assert words[0] in one_line_error(run("serve", *words), 2)

    def test_port_that_is_taken(self, run: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            assert f"cannot listen at 127.0.0.1:{port}" in one_line_error(run("serve", "--port", port), 1)

    def test_no_such_model(self, run: Any) -> None:
        assert "is no folder" in one_line_error(run("serve", "--port", "0", "--model", "./none"), 1)

    def test_what_is_said_reaches_the_server(
        self, run: Any, monkeypatch: pytest.MonkeyPatch, exported_folder: str
    ) -> None:
        told: list[Any] = []

        def run_server(service: Any, listening: socket.socket, token: str, tell: Any, label_studio: Any) -> None:
            assert label_studio is None
            told.extend((service, listening.getsockname()[1], token))
            tell()

        monkeypatch.setattr(server, "run_server", run_server)
        monkeypatch.setenv("HF_SPO_TOKEN", "secret\n")
        words = ["--max-texts", "7", "--max-queue", "8", "--batch-tokens", "9", "--grace", "1.5", "--log-texts"]
        result = run("serve", "--host", "::1", "--port", "0", "--model", exported_folder, *words)
        assert result.exit_code == 0, result.stderr
        service, port, token = told
        assert f"answers at http://[::1]:{port}, see http://[::1]:{port}/docs" in result.stdout
        assert token == "secret"
        chosen = service.settings
        assert (chosen.max_texts, chosen.batch_tokens, chosen.max_queue) == (7, 9, 8)
        assert (chosen.grace, chosen.log_texts, service.name) == (1.5, True, "model")
        assert service.extractors.loop(()).batch_tokens == 9

    @pytest.mark.parametrize(
        ("host", "is_here"),
        [("localhost", True), ("127.0.0.3", True), ("::1", True), ("0.0.0.0", False), ("localhost.x", False)],
    )
    def test_loopback(self, host: str, is_here: bool) -> None:
        assert serve._is_loopback(host) == is_here


def test_a_server_from_its_start_to_its_end(exported_folder: str) -> None:
    environment = {**os.environ, "HF_SPO_TOKEN": "secret"}
    process = subprocess.Popen(
        [*COMMAND, "serve", "--model", exported_folder, "--port", "0", "--threads", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        address = process.stdout.readline().split(" answers at ")[1].split(",")[0]
        with httpx.Client(base_url=address, headers={"Authorization": "Bearer secret"}, timeout=60) as client:
            assert httpx.get(f"{address}/schema").status_code == 401
            item = builders.EXAMPLES[0]
            answer = client.post("/extract", json={"texts": [item.text]})
            assert builders.facts(answer.json()["results"][0]) == builders.facts(item.triples)

            # Told to stop in the midst of work: what was taken is answered, in order.
            texts = [item.text * number for number in (20, 60, 120, 240)]
            with ThreadPoolExecutor(1) as thread:
                asked = thread.submit(client.post, "/extract", json={"texts": texts})
                _wait_for(client, "hf_spo_requests_total", lambda: asked.done() or _is_busy(client))
                assert not asked.done()
                process.send_signal(signal.SIGTERM)
                last = asked.result()
            assert last.status_code == 200
            assert len(last.json()["results"]) == len(texts)
        out, log = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert out == ""
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["status"] for line in lines if line["path"] == "/extract"] == [200, 200]
    assert item.text[1:5] not in json.dumps(lines, ensure_ascii=False)
    assert "secret" not in log


def _is_busy(client: httpx.Client) -> bool:
    """Tell whether the model has begun with the second request, which is read in parts."""
    lines = client.get("/metrics").text.splitlines()
    (count,) = (line.split()[1] for line in lines if line.startswith("hf_spo_batch_texts_count"))
    return float(count) > 1


def _wait_for(client: httpx.Client, what: str, holds: Any) -> None:
    limit = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < limit, what
        time.sleep(0.01)
