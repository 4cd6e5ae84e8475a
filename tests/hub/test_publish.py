"""hf-spo publish against the fake Hub: what was published is found again, by every way in."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, ModelCard, constants
from typer.testing import CliRunner, Result

from hf_spo.cli import app
from hf_spo.hub import publisher
from tests import builders
from tests.hub.fake_hub import FakeHub

TEXT = builders.EXAMPLES[0].text


@pytest.fixture
def publish(hub: FakeHub, trained_folder: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Publish the trained model to the fake Hub, in this process."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", hub.environment["HF_TOKEN"])
    monkeypatch.setattr(publisher, "HfApi", partial(HfApi, endpoint=hub.url))

    def publish(*words: str) -> Result:
        return CliRunner().invoke(app, ["publish", trained_folder, *words])

    return publish


def test_the_url_comes_last(hub: FakeHub, publish: Any) -> None:
    result = publish("films", "--private", "--commit-message", "the first", "--table")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[-1] == f"{hub.url}/me/films"
    repository = hub["me/films"]
    assert repository.private
    assert repository.messages[-1] == "the first"
    # The card knows the owner, whom the command line left out.
    assert 'model="me/films"' in ModelCard(repository.files["README.md"].decode()).text
    assert all(name in result.stdout for name in repository.files)


def test_a_second_time(hub: FakeHub, publish: Any) -> None:
    publish("me/films", "--licence", "mit")
    hub["me/films"].files["prior.jsonl"] = b"{}"
    result = publish("me/films", "--licence", "apache-2.0", "--table")
    assert "was edited" not in result.stderr
    assert "prior.jsonl" in result.stdout
    assert "removed" in result.stdout
    assert b"license: apache-2.0" in hub["me/films"].files["README.md"]
    hub["me/films"].files["README.md"] += b"One more line.\n"
    edited = hub["me/films"].files["README.md"]
    result = publish("me/films", "--licence", "mit")
    assert "me/films has a README.md that was edited; it was kept (--overwrite-card replaces it)" in (
        " ".join(result.stderr.split())
    )
    assert "README.md" not in json.loads(result.stdout)["files"]
    assert hub["me/films"].files["README.md"] == edited
    publish("me/films", "--licence", "mit", "--overwrite-card")
    assert b"license: mit" in hub["me/films"].files["README.md"]


def test_a_card_of_one_s_own_is_written_over_any_other(hub: FakeHub, publish: Any, tmp_path: Path) -> None:
    hub.create("me/films").commit({"README.md": b"theirs"}, "main", "card")
    (tmp_path / "card.md").write_text("---\nlicense: mit\n---\n# mine\n", encoding="utf-8")
    assert publish("me/films", "--card", str(tmp_path / "card.md")).exit_code == 0
    assert hub["me/films"].files["README.md"] == b"---\nlicense: mit\n---\n# mine\n"


_LOAD = """
import importlib.util, json, sys
from pathlib import Path
from huggingface_hub import ModelCard, snapshot_download
from transformers import pipeline

text = sys.argv[1]
folder = Path(snapshot_download("me/films"))
spec = importlib.util.spec_from_file_location("handler", folder / "handler.py")
handler = importlib.util.module_from_spec(spec)
spec.loader.exec_module(handler)

import hf_spo

answer = handler.EndpointHandler(path=str(folder))({"inputs": text, "parameters": {}})
print(json.dumps({
    "pipeline": pipeline("triple-extraction", model="me/films")(text),
    "handler": answer,
    "export": hf_spo.load_onnx(folder / "onnx")(text),
    "requirements": (folder / "requirements.txt").read_text(),
    "f1": ModelCard.load("me/films").data.eval_results[2].metric_value,
}))
"""

_LOAD_WITHOUT = """
import json, sys
sys.modules["hf_spo"] = None  # as where it is not installed

from transformers import pipeline

extract = pipeline("triple-extraction", model="me/films", trust_remote_code=True)
print(json.dumps(extract(sys.argv[1])))
"""


@pytest.mark.slow
def test_published_and_loaded_again_by_other_processes(hub: FakeHub, trained_folder: str, tmp_path: Path) -> None:
    environment = {**os.environ, **hub.environment, "COVERAGE_PROCESS_START": ""}

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    gold = "".join(json.dumps(example.to_dict(), ensure_ascii=False) + "\n" for example in builders.EXAMPLES)
    (tmp_path / "gold.jsonl").write_text(gold, encoding="utf-8")
    command = ("-m", "hf_spo.cli")
    run(*command, "evaluate", "--model", trained_folder, "--data", "gold.jsonl", "--report", "report")
    words = ["--report", "report", "--onnx", "--standalone", "--example", TEXT, "--json"]
    done = json.loads(run(*command, "publish", trained_folder, "me/films", *words))
    assert done["url"] == f"{hub.url}/me/films"
    assert done["files"].keys() == hub["me/films"].files.keys()
    assert "onnx/encoder.onnx" in done["files"]

    found = json.loads(run("-c", _LOAD, TEXT))
    expected = builders.facts(builders.EXAMPLES[0].triples)
    for way in ("pipeline", "handler", "export"):
        assert builders.facts(found[way]) == expected, way
    assert found["requirements"].startswith("hf-spo>=")
    assert found["f1"] == 1.0
    assert builders.facts(json.loads(run("-c", _LOAD_WITHOUT, TEXT))) == expected
    (row,) = map(json.loads, run(*command, "extract", TEXT, "--model", "me/films", "--json").splitlines())
    assert builders.facts(row["triples"]) == expected
