"""The demo in a real browser: the server as a process of its own, driven by Playwright."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.demo.demo_fakes import EVIL
from tests.demo.demo_server import SECONDS, served

pytestmark = pytest.mark.slow
sync_api = pytest.importorskip("playwright.sync_api")
pytest.importorskip("gradio")

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)
SENTENCE = "《远山的灯》由林小川执导，周一鸣、何雨晴主演。"
# As JSON, since it has a lone surrogate.
TYPE = """json => {
  const area = document.querySelector("#text textarea");
  area.value = JSON.parse(json);
  area.dispatchEvent(new Event("input", {bubbles: true}));
}"""


@pytest.fixture(scope="module")
def server():
    with served("-m", "hf_spo.cli", "demo", "--model", "lite", "--port", "{port}") as address:
        yield address


@pytest.fixture(scope="module")
def evil_server():
    with served(str(Path(__file__).with_name("demo_fakes.py")), "{port}") as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    if BROWSER is None:
        pytest.skip("there is no chromium or google-chrome")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=BROWSER, headless=True, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser):
    """Open a page; in the end nothing may have been asked of other hosts, nor gone wrong in the page."""
    wrong, contexts = [], []

    def visit(address, **options):
        context = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1400, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SECONDS * 1000)
        page.on(
            "request", lambda request: request.url.startswith((address, "data:", "blob:")) or wrong.append(request.url)
        )
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.goto(address)
        page.wait_for_selector("#extract")
        page.wait_for_timeout(1000)  # for what the page does once it is loaded
        return page

    yield visit
    for context in contexts:
        context.close()
    assert wrong == []


def status(page, text, where="#status"):
    sync_api.expect(page.locator(where)).to_contain_text(text, timeout=SECONDS * 1000)


def cells(page, table="#table"):
    page.wait_for_selector(f"{table} .body-cell")
    return page.locator(f"{table} .body-cell").all_inner_texts()


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


class TestText:
    def test_type_press_see(self, visit, server):
        page = visit(server)
        status(page, "Press “Extract triples”")
        page.fill("#text textarea", SENTENCE)
        page.click("#extract")
        status(page, "triples by lite")
        found = cells(page)
        assert {"远山的灯", "导演", "林小川", "影视作品", "1–5, 7–10"} <= set(found)
        assert page.locator("#sentence svg:visible").count() == 1
        assert page.locator("#graph canvas").count() == 3
        page.click("#json button")
        sync_api.expect(page.locator("#json")).to_contain_text('"predicate": "导演"')

    @pytest.mark.parametrize("keys", ["Control+Enter", "Shift+Enter"])
    def test_keys(self, visit, server, keys):
        page = visit(server)
        page.focus("#text textarea")
        page.keyboard.press(keys)
        status(page, "triples by lite")
        assert "\n" not in page.input_value("#text textarea")

    def test_examples_and_english(self, visit, server):
        page = visit(server)
        page.click("#example_song")
        status(page, "triples by lite")
        assert "归途列车" in page.input_value("#text textarea")
        assert not page.get_by_text("were trained on Chinese text only").is_visible()
        page.click("#example_english")
        sync_api.expect(page.get_by_text("were trained on Chinese text only")).to_be_visible()

    def test_threshold_changes_the_result(self, visit, server):
        page = visit(server)
        page.click("#extract")
        status(page, "triples by lite")
        box = page.locator("#score input[type=number]")
        box.fill("0.98")
        box.press("Tab")
        slider = page.locator("#score input[type=range]")
        slider.focus()
        slider.press("End")
        slider.dispatch_event("pointerup")
        status(page, "no triples in this text. Lower the thresholds")
        assert not page.locator("#sentence").is_visible()

    def test_limits_are_told(self, visit, server):
        page = visit(server)
        page.fill("#text textarea", "")
        page.click("#extract")
        status(page, "There is no text yet")
        page.fill("#text textarea", "字" * 10_001)
        page.click("#extract")
        status(page, "10,001 characters; the limit is 10,000")
        page.fill("#text textarea", "字" * 10_000)
        page.click("#extract")
        status(page, "no triples in this text")
        assert overflow(page) <= 0


class TestLanguage:
    def test_switched_with_what_is_shown(self, visit, server):
        page = visit(server)
        page.click("#extract")
        status(page, "triples by lite")
        page.get_by_text("中文", exact=True).click()
        status(page, "lite 找到")
        for text in ("抽取三元组", "文件", "边界阈值", "原文标注", "主语类型", "电影"):
            assert page.get_by_text(text, exact=True).first.is_visible(), text
        page.get_by_text("English", exact=True).first.click()
        status(page, "triples by lite")

    def test_that_of_the_browser(self, visit, server):
        page = visit(server, locale="zh-CN")
        status(page, "点击“抽取三元组”")
        assert page.locator("#extract").inner_text() == "抽取三元组"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_window_has_nothing_beyond_its_side(visit, server, scheme):
    page = visit(server, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page.click("#example_long")
    status(page, "triples by lite")
    assert overflow(page) <= 0
    paper = page.locator("#sentence svg:visible .hs-paper").evaluate("paper => getComputedStyle(paper).fill")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]


class TestFile:
    def upload(self, page, name, content):
        page.get_by_role("tab").nth(1).click()
        with page.expect_file_chooser() as chooser:
            page.click("#upload")
        chooser.value.set_files({"name": name, "mimeType": "text/plain", "buffer": content.encode()})

    def test_upload_see_download(self, visit, server, tmp_path):
        page = visit(server)
        rows = [{"id": "one", "text": SENTENCE}, {"id": "two", "text": "今天天气很好。"}]
        self.upload(page, "some.jsonl", "".join(json.dumps(row) + "\n" for row in rows) + "{broken\n")
        status(page, "some.jsonl: ", "#file-status")
        status(page, "in 2 documents", "#file-status")
        status(page, "1 could not be read:some.jsonl:3: not JSON", "#file-status")
        assert {"one", "远山的灯", "导演"} <= set(cells(page, "#preview"))
        saved = {}
        for key in ("download_jsonl", "download_csv", "download_problems"):
            with page.expect_download() as download:
                page.locator(f"#{key}").click()
            saved[key] = tmp_path / download.value.suggested_filename
            download.value.save_as(saved[key])
        lines = [json.loads(line) for line in saved["download_jsonl"].read_text(encoding="utf-8").splitlines()]
        assert [(line["id"], line["text"]) for line in lines] == [(row["id"], row["text"]) for row in rows]
        with saved["download_csv"].open(encoding="utf-8", newline="") as file:
            assert {(row["id"], row["subject"]) for row in csv.DictReader(file)} == {("one", "远山的灯")}
        assert "some.jsonl:3" in saved["download_problems"].read_text(encoding="utf-8")

    def test_too_large(self, visit, server):
        page = visit(server)
        self.upload(page, "large.txt", "x" * (5 * 1024 * 1024 + 1))
        status(page, "The file has 5.0 MB; the limit is 5", "#file-status")


class TestHostileText:
    def test_is_text_everywhere(self, visit, evil_server):
        page = visit(evil_server)
        page.evaluate(TYPE, json.dumps(EVIL * 2))
        page.click("#extract")
        status(page, "1 triple by evil")
        assert any("<img src=x onerror=alert(2)>" in cell for cell in cells(page))
        page.click("#json button")
        sync_api.expect(page.locator("#json")).to_contain_text("<script>alert(1)</script>")
        self.is_harmless(page)

    def test_ten_thousand_characters_without_a_space(self, visit, evil_server):
        page = visit(evil_server)
        page.fill("#text textarea", "x" * 10_000)
        page.click("#extract")
        status(page, "1 triple by evil")
        assert overflow(page) <= 0

    def test_in_files_and_their_names(self, visit, evil_server):
        page = visit(evil_server)
        row = json.dumps({"id": EVIL, "text": EVIL}) + "\n"
        TestFile().upload(page, "<img src=x onerror=alert(5)>.jsonl", f"{row}<script>alert(6)</script>\n")
        status(page, "1 triple in 1 documents", "#file-status")
        assert any("<script>" in cell for cell in cells(page, "#preview"))
        self.is_harmless(page)

    @staticmethod
    def is_harmless(page):
        page.wait_for_timeout(500)
        assert page.locator("img[src=x]").count() == 0
        assert page.locator("[href^=javascript]").count() == 0
        assert "{{7*7}}" in page.inner_text("body")
        assert overflow(page) <= 0
