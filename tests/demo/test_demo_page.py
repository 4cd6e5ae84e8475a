"""The demo's page without a browser: what programs can call, and what each press gives back."""

import asyncio
import gc
import json
import os
import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest

from hf_spo.demo import launch
from hf_spo.demo.extraction import MAX_CHARACTERS, Models
from hf_spo.support.safe_text import encodable
from tests.demo.demo_fakes import EVIL, Pipe

pytestmark = [
    # Of gradio and what it is made of.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def gr():
    return pytest.importorskip("gradio")


@pytest.fixture(autouse=True, scope="module")
def _collected():
    """Let what gradio and its client leave unclosed be collected here, where it is no error."""
    yield
    asyncio.set_event_loop(None)  # it makes one, and leaves it to whoever sets the next
    gc.collect()


@pytest.fixture
def page(gr):
    from hf_spo.demo.page import Page

    return Page(Models({"base": Pipe, "lite": Pipe}))


SETTINGS = ("base", 0.0, 0.0, True)


class TestPage:
    def test_text_busy_then_found(self, page):
        busy, found = page.on_text("en", "甲乙", *SETTINGS)
        assert "Loading the model base" in busy[1]
        shown, status, visible, sentence, table, graph, code = found
        assert shown.triples.text == "甲乙"
        assert "1 triple by base" in status
        assert visible["visible"]
        assert "hf-spo" in sentence
        assert len(table["data"]) == 1
        assert "data-graph" in graph
        assert len(json.loads(code)) == 1

    def test_settings_extract_again_only_what_was_extracted(self, page):
        from hf_spo.demo.page_layout import EMPTY
        from hf_spo.demo.views import PageContent

        (nothing,) = page.on_change(PageContent(EMPTY), "en", "甲乙", *SETTINGS)
        assert len(nothing) == 7
        *_, (shown, *_) = page.on_text("en", "甲乙", *SETTINGS)
        *_, (again, *_) = page.on_change(shown, "en", "丙丁", *SETTINGS)
        assert again.triples.text == "丙丁"

    def test_file(self, page, tmp_path):
        (tmp_path / "a.jsonl").write_text('{"text": "甲乙"}\nbroken\n', encoding="utf-8")
        states = list(page.on_file("en", str(tmp_path / "a.jsonl"), "text", *SETTINGS))
        assert "1 triple in 1 document" in states[-1][1]
        assert [update["visible"] for update in states[-1][-3:]] == [True, True, True]
        assert "documents read" in states[1][1]
        (nothing,) = page.on_file("zh", None, "text", *SETTINGS)
        assert "选择一个文件" in nothing[1]

    def test_language(self, page, tmp_path):
        (tmp_path / "a.txt").write_text("甲乙\n", encoding="utf-8")
        *_, (shown, *_) = page.on_text("en", "甲乙", *SETTINGS)
        *_, (outcome, *_) = page.on_file("en", str(tmp_path / "a.txt"), "text", *SETTINGS)
        said = str(page.on_language("zh", shown, outcome))
        for text in ("抽取三元组", "base 找到 1 个三元组", "主语", "a.txt：1 条文本", "文档"):
            assert text in said

    def test_tabs_typing_and_width(self, page, gr):
        event = type("Event", (), {"index": 1})
        assert [update["visible"] for update in page.on_tab(event)] == [False, True]
        assert page.on_typing("Just English")["visible"]
        assert not page.on_typing("中文")["visible"]
        assert not page.on_typing("")["visible"]
        assert not page.on_width(False)["open"]


JSON = {"content-type": "application/json"}


def called(address, *values):
    """Call it over HTTP, with lone surrogates as JSON has them; return the only triple."""
    event = httpx.post(address, content=json.dumps({"data": values}), headers=JSON).json()["event_id"]
    kind, data, *_ = httpx.get(f"{address}/{event}", timeout=30).text.splitlines()
    assert kind == "event: complete"
    ((triple,),) = json.loads(data.removeprefix("data: "))
    return triple


def test_served_to_programs(gr, monkeypatch, tmp_path):
    """Launch really launches; what waits for the end is used to be a client."""
    from gradio_client import Client, exceptions

    told, seen = [], {}

    def visit(blocks):
        client = Client(blocks.local_url, verbose=False)
        seen["names"] = list(client.view_api(return_format="dict", print_info=False)["named_endpoints"])
        seen["triples"] = client.predict(text="甲乙", api_name="/extract")
        seen["hostile"] = called(f"{blocks.local_url}gradio_api/call/extract", EVIL, "fake", 0.2, 0.1, False)
        seen["none"] = client.predict("无", api_name="/extract")
        seen["errors"] = []
        for text, options in (("x" * (MAX_CHARACTERS + 1), {}), ("甲乙", {"model": "no"}), ("坏", {})):
            with pytest.raises(exceptions.AppError) as caught:
                client.predict(text, **options, api_name="/extract")
            seen["errors"].append(str(caught.value))
        seen["folder"] = os.environ["GRADIO_TEMP_DIR"]

    monkeypatch.setattr(gr.Blocks, "block_thread", visit)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = signal.getsignal(signal.SIGTERM)
    launch({"fake": Pipe}, tell=told.append)
    assert told[0].startswith("the demo is at http://127.0.0.1:")
    assert seen["names"] == ["/extract"]
    assert seen["triples"] == [triple.to_dict() for triple in Pipe()._triples("甲乙")]
    assert seen["hostile"]["subject"]["text"] + seen["hostile"]["object"]["text"] == encodable(EVIL)
    assert seen["none"] == []
    long, unknown, bad = seen["errors"]
    assert "the limit is 10,000" in long
    assert "unknown model 'no'" in unknown
    assert "this one is bad" in bad
    assert not Path(seen["folder"]).exists()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_port_that_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} of 127.0.0.1 cannot be used .*; name another"):
            launch({"fake": Pipe}, "127.0.0.1", port)


def test_without_gradio(monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(ImportError, match=r"the demo needs gradio: pip install 'hf-spo\[demo\]'"):
        launch({"fake": Pipe})
