"""The tutorial does what it says: its commands run as they stand, and its figures are those of its data."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial"
README = (TUTORIAL / "README.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^<!-- ci: (\S+) -->\n```(?:bash|python)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE))


@pytest.fixture
def copy(tmp_path):
    return Path(shutil.copytree(TUTORIAL, tmp_path / "tutorial"))


def run(name, folder):
    """Run a block of the tutorial in a copy of its folder, without a network; return what it prints."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    interpreter = [sys.executable, "-"] if name == "python" else ["bash", "-euo", "pipefail", "-s"]
    done = subprocess.run(
        interpreter,
        cwd=folder,
        env={**os.environ, "PATH": path, "HF_HUB_OFFLINE": "1"},
        input=BLOCKS[name],
        capture_output=True,
        encoding="utf-8",
        timeout=900,
    )
    assert done.returncode == 0, f"{name}: {done.stderr[-3000:]}"
    return done.stdout


def test_the_blocks():
    assert list(BLOCKS) == ["convert", "doctor", "train", "evaluate", "tune", "test", "python", "suggest", "graph"]


def test_the_data_are_as_the_tutorial_says(copy):
    row = json.loads(run("convert", copy))
    assert row["not_read"] == {"cancelled annotations": 1, "texts that nobody has annotated": 2}
    for counts in row["files"].values():
        shown = "  +".join(str(counts[name]) for name in ("records", "triples", "entities"))
        assert re.search(rf"{counts['file']}  +{shown}", README), counts
    texts = {
        name: [json.loads(line) for line in (copy / "data" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        for name in ("train", "dev", "test")
    }
    rows = [row for part in texts.values() for row in part]
    relations = {triple["predicate"] for row in rows for triple in row["triples"]}
    for relation in relations:
        count = sum(triple["predicate"] == relation for row in rows for triple in row["triples"])
        assert re.search(rf"^\| {relation} .*\| {count} \|$", README, re.MULTILINE), (relation, count)
    assert len(relations) == 7
    assert sum(not row["triples"] for row in rows) > 20
    config = ElementTree.fromstring(re.search(r"```xml\n(.*?)```", README, re.DOTALL)[1])
    slots = {
        f"{triple['predicate']}@{slot}" for row in rows for triple in row["triples"] for slot in triple["qualifiers"]
    }
    assert {one.get("value") for one in config.iter("Relation")} == relations | slots


@pytest.mark.slow
def test_the_commands_run_as_they_stand(copy):
    printed = {name: run(name, copy) for name in BLOCKS}
    assert json.loads(printed["test"])["scores"]["strict"]["f1"] > 0.4
    assert "企业" in printed["python"]
    assert (copy / "report" / "report.html").is_file()
    suggestions = json.loads((copy / "suggestions.json").read_text(encoding="utf-8"))
    assert any(task["predictions"][0]["result"] for task in suggestions)
