"""The interactive page in a browser."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hf_spo.graph import find_conflicts
from hf_spo.graph.page import render
from tests.graph.graph_samples import FIRST_ROW, HOSTILE, HOSTILE_ROW, SCHEMA, SECOND_ROW, graph_of

pytestmark = pytest.mark.slow
sync_api = pytest.importorskip("playwright.sync_api")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)


@pytest.fixture(scope="module")
def browser() -> Any:
    if BROWSER is None:
        pytest.skip("there is no chromium or google-chrome")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=BROWSER, headless=True, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """A page of the sample rows; afterwards, nothing may have been requested, and nothing may have failed."""
    graph = graph_of(FIRST_ROW, SECOND_ROW, HOSTILE_ROW, texts=True)
    path = tmp_path / "graph.html"
    path.write_text(render(graph, HOSTILE, find_conflicts(graph, SCHEMA)), encoding="utf-8")
    wrong: list[str] = []
    context = browser.new_context(**getattr(request, "param", {}))
    opened = context.new_page()
    opened.on("request", lambda request: wrong.append(request.url) if request.url != path.as_uri() else None)
    opened.on("console", lambda message: wrong.append(message.text))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    opened.goto(path.as_uri())
    opened.wait_for_selector("#graph canvas")
    yield opened
    context.close()
    assert wrong == []


def test_search_shows_a_node_with_its_facts(page: Any) -> None:
    page.fill("#search", "何雨")
    page.keyboard.press("Enter")
    facts = page.locator("#facts")
    assert facts.locator("h2").inner_text() == "何雨晴"
    assert "1984年5月3日" in facts.inner_text()
    assert "at most 1 expected" in facts.inner_text()
    assert page.locator("#facts mark.subject").first.inner_text() == "何雨晴"
    page.keyboard.press("Escape")
    assert not facts.is_visible()


def test_filters(page: Any) -> None:
    shown = page.locator("#shown")
    assert shown.inner_text() == "7 nodes, 5 facts visible"
    page.locator("#types label", has_text="Date").locator("input").uncheck()
    assert shown.inner_text() == "5 nodes, 3 facts visible"
    page.locator("#least").fill("0.85")
    assert shown.inner_text() == "2 nodes, 1 fact visible"


def test_a_click_selects_the_node_under_the_pointer(page: Any) -> None:
    page.fill("#search", "何雨")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)  # the node moves to the middle of the drawing
    page.keyboard.press("Escape")
    box = page.locator("#graph").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(500)
    assert page.locator("#facts h2").inner_text() == "何雨晴"


NARROW_AND_DARK = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}


@pytest.mark.parametrize("page", [NARROW_AND_DARK, {"color_scheme": "light"}], indirect=True)
def test_hostile_names_in_any_window(page: Any) -> None:
    page.fill("#search", "DETACH")
    page.keyboard.press("Enter")
    assert json.dumps(page.locator("#facts h2").inner_text()).count("<script>") == 1
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
