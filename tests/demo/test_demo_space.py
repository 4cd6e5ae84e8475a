"""The demo as a Space: what the Hub reads of it, and that it runs as it stands."""

from pathlib import Path

import pytest
import yaml

from tests.demo.demo_server import served

SPACE = Path(__file__).parents[2] / "spaces" / "demo"
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def test_front_matter():
    start, front, _ = (SPACE / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    assert start == ""
    card = yaml.safe_load(front)
    assert card["sdk"] == "gradio"
    assert (SPACE / card["app_file"]).is_file()
    assert {card["colorFrom"], card["colorTo"]} <= COLOURS
    assert len(card["short_description"]) <= 60
    assert card["license"] == "apache-2.0"
    assert card["python_version"] == "3.11"  # a string; 3.10 would be read as 3.1
    assert card["title"]
    assert card["emoji"]
    assert card["pinned"] is False
    assert card["models"] == []


def test_it_asks_for_the_gradio_that_is_tested_and_for_the_demo():
    gradio = pytest.importorskip("gradio")
    front = (SPACE / "README.md").read_text(encoding="utf-8").split("---\n", 2)[1]
    assert yaml.safe_load(front)["sdk_version"].split(".")[0] == gradio.__version__.split(".")[0]
    assert "hf-spo[demo]" in (SPACE / "requirements.txt").read_text(encoding="utf-8")


@pytest.mark.slow
def test_it_runs_as_it_stands():
    client = pytest.importorskip("gradio_client")
    with served(str(SPACE / "app.py")) as address:
        found = client.Client(address, verbose=False).predict(
            "《远山的灯》由林小川执导。", model="lite", api_name="/extract"
        )
    assert [(one["subject"]["text"], one["predicate"], one["object"]["text"]) for one in found] == [
        ("远山的灯", "导演", "林小川")
    ]
