"""Commands and code of the documentation run as they stand; the tutorial's figures are those of its data."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest

import hf_spo

DOCS = Path(__file__).parents[1] / "docs"
TUTORIAL = DOCS / "tutorial"
README = (TUTORIAL / "README.md").read_text(encoding="utf-8")
GUIDES = sorted((DOCS / "howto").glob("*.md"))
LIBRARIES = {"graph-libraries": ("llama_index", "langchain_neo4j", "neo4j_graphrag", "haystack")}
"""What guides need that the extra `test` does not install."""
TEXTS = [
    "《远山的灯》由林小川执导，周一鸣、何雨晴主演。",
    "《云上的河》是由陈默执导，吴桐编剧，赵一帆主演的电影。",
    "李思远，男，汉族，1962年3月出生于山东青岛，毕业于北京大学。",
    "《夜航船》是作家沈青的长篇小说，由东岸出版社出版。",
    "王若兰的丈夫张启明是一名医生。",
    "《晚风》是歌手许念演唱的歌曲，由方以文作词，收录在专辑《旧站台》中。",
    "远帆科技有限公司成立于2004年5月，董事长是何建国。",
    "今天天气很好。",
]


def blocks(page):
    """Return the marked blocks of a page: name → interpreter and code."""
    found = re.findall(r"^<!-- ci: (\S+) -->\n```(bash|python)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return {name: (language, code) for name, language, code in found}


def run(block, folder):
    """Run a block in a folder, without a network; return what it prints."""
    language, code = block
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-"] if language == "python" else ["bash", "-euo", "pipefail", "-s"],
        cwd=folder,
        env={**os.environ, "PATH": path, "HF_HUB_OFFLINE": "1"},
        input=code,
        capture_output=True,
        encoding="utf-8",
        timeout=2400,
    )
    assert done.returncode == 0, f"{code}: {done.stderr[-3000:]}"
    return done.stdout


BLOCKS = blocks(README)


@pytest.fixture
def copy(tmp_path):
    return Path(shutil.copytree(TUTORIAL, tmp_path / "tutorial"))


@pytest.fixture(scope="session")
def material(tmp_path_factory):
    """A folder with what the guides work on: texts, labelled texts, a model."""
    folder = tmp_path_factory.mktemp("material")
    shutil.copytree(hf_spo.packaged("lite"), folder / "my-model")
    (folder / "texts.txt").write_text("".join(f"{text}\n" for text in TEXTS), encoding="utf-8")
    labelled = run(("bash", "hf-spo extract --model base --input texts.txt"), folder)
    for name in ("train.jsonl", "dev.jsonl"):
        (folder / name).write_text(labelled, encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_the_guides_run_as_they_stand(guide, material, tmp_path):
    if missing := [name for name in LIBRARIES.get(guide.stem, ()) if find_spec(name) is None]:
        pytest.skip(f"needs {', '.join(missing)}")
    folder = shutil.copytree(material, tmp_path / "work")
    for block in blocks(guide.read_text(encoding="utf-8")).values():
        run(block, folder)


@pytest.mark.slow
def test_the_notebook_runs(tmp_path):
    cells = json.loads((DOCS / "notebooks" / "quickstart.ipynb").read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert "林小川" in run(("python", code), tmp_path)


def test_the_blocks():
    assert list(BLOCKS) == ["convert", "doctor", "train", "evaluate", "tune", "test", "python", "suggest", "graph"]


def test_the_data_are_as_the_tutorial_says(copy):
    row = json.loads(run(BLOCKS["convert"], copy))
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
    printed = {name: run(block, copy) for name, block in BLOCKS.items()}
    assert json.loads(printed["test"])["scores"]["strict"]["f1"] > 0.4
    assert "企业" in printed["python"]
    assert (copy / "report" / "report.html").is_file()
    suggestions = json.loads((copy / "suggestions.json").read_text(encoding="utf-8"))
    assert any(task["predictions"][0]["result"] for task in suggestions)
