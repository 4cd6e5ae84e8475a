"""Folders that become Spaces: their front matter, and the metric as it is loaded from one."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import evaluate
import pytest
from huggingface_hub import SpaceCard

ROOT = Path(__file__).parents[1]
SPACES = sorted(path for path in (ROOT / "spaces").iterdir() if path.is_dir())
METRIC = ROOT / "spaces" / "spo_f1"
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


@pytest.fixture(params=SPACES, ids=lambda path: path.name)
def space(request: pytest.FixtureRequest) -> Path:
    return request.param


class TestFrontMatter:
    def test_it_names_what_runs(self, space: Path) -> None:
        data = SpaceCard.load(space / "README.md").data
        assert data.sdk == "gradio"
        assert (space / data.app_file).is_file()
        assert data.license == "apache-2.0"
        assert data.title

    def test_gradio_is_the_version_that_was_tested(self, space: Path) -> None:
        (pinned,) = re.findall(r"^gradio==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
        assert SpaceCard.load(space / "README.md").data.sdk_version == pinned

    def test_python_is_new_enough_for_the_package(self, space: Path) -> None:
        # Spaces have 3.10 unless told otherwise; unquoted, 3.10 and later are numbers in YAML.
        version = SpaceCard.load(space / "README.md").data.python_version
        assert isinstance(version, str)
        assert tuple(map(int, version.split("."))) >= (3, 11)

    def test_colours_are_those_of_the_hub(self, space: Path) -> None:
        data = SpaceCard.load(space / "README.md").data
        assert {data.colorFrom, data.colorTo} <= COLOURS
        assert len(data.emoji.strip()) <= 2

    def test_the_package_is_required(self, space: Path) -> None:
        assert re.search(
            r"^hf-spo(\[[a-z,]+\])?", (space / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE
        )


class TestMetric:
    def test_evaluate_finds_it_among_metrics(self) -> None:
        assert {"evaluate", "metric"} <= set(SpaceCard.load(METRIC / "README.md").data.tags)

    def test_its_card_says_what_it_returns(
        self, load_metric: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(evaluate, "load", load_metric)
        text = (METRIC / "README.md").read_text(encoding="utf-8")
        code, printed = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL).groups()
        *statements, last = code.replace("<user>/spo_f1", str(METRIC)).strip().splitlines()
        exec("\n".join([*statements, f"print({last})"]), {})
        assert capsys.readouterr().out == printed

    @pytest.mark.slow
    def test_its_page_counts(self) -> None:
        # In a process of its own: gradio starts an event loop when it is imported, and leaves it open.
        done = subprocess.run(
            [sys.executable, "-c", _PAGE, METRIC / "app.py"], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        scores, *errors = map(json.loads, done.stdout.splitlines())
        assert (scores["precision"], scores["recall"]) == (1.0, 0.5)
        assert len(errors) == 6
        assert all("expected lists like those of the example" in error for error in errors)


_PAGE = """
import json, runpy, sys
page = runpy.run_path(sys.argv[1])
gold = page["GOLD"]
print(json.dumps(page["compute"](json.dumps([gold[0][1:]]), json.dumps(gold), "strict")))
for wrong in ("[", "{}", "[1]", "null", '[[{"subject": "a"}]]', '[[{"subject": {"text": "a"}}]]'):
    try:
        page["compute"](wrong, json.dumps(gold), "strict")
    except Exception as error:
        print(json.dumps(str(error)))
"""
