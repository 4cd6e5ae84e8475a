"""Extraction from files that a reader sends to the demo."""

import csv
import json

import pytest

from hf_spo.demo import file_extraction
from hf_spo.demo.file_extraction import extract_file
from tests.demo.demo_fakes import EVIL, Pipe


@pytest.fixture
def extract(tmp_path):
    """Write a file, extract from it, and return the last outcome with what was written."""
    (tmp_path / "out").mkdir()

    def extract(name, content, column="text", pipe=None):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        loop = (pipe or Pipe()).extractor()
        outcomes = list(extract_file(path, column, loop, tmp_path / "out", lambda length: f"{length} is too long"))
        return outcomes[-1]

    return extract


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "甲乙\n丙丁\n"),
        ("a.jsonl", '{"text": "甲乙"}\n{"text": "丙丁"}\n'),
        ("a.json", '[{"text": "甲乙"}, {"text": "丙丁"}]'),
        ("a.csv", "text,n\n甲乙,1\n丙丁,2\n"),
        ("a.tsv", "text\tn\n甲乙\t1\n丙丁\t2\n"),
    ],
)
def test_all_kinds_of_files(extract, name, content):
    outcome = extract(name, content)
    assert (outcome.documents, outcome.triples, outcome.problems, outcome.is_cut) == (2, 2, [], False)
    lines, sheet = outcome.files
    assert [(row["id"], row["text"]) for row in rows(lines)] == [(f"{name}:1", "甲乙"), (f"{name}:2", "丙丁")]
    assert rows(lines)[0]["triples"] == [triple.to_dict() for triple in Pipe()._triples("甲乙")]
    with sheet.open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)
    assert first["id"] == f"{name}:1"
    assert (first["subject"], first["predicate"], second["object"]) == ("甲", "关系", "丁")
    assert (first["object_start"], first["object_end"], first["score"]) == ("1", "2", "0.5")
    assert json.loads(first["qualifiers"])["关系"]["text"] == "甲"
    assert [name for name, _ in outcome.preview] == [f"{name}:1", f"{name}:2"]


def test_another_column_and_ids(extract):
    outcome = extract("a.csv", "id,正文\nx,甲乙\n", "正文")
    assert rows(outcome.files[0])[0]["id"] == "x"


def test_what_cannot_be_read_is_told_and_nothing_stops(extract, tmp_path):
    outcome = extract("a.jsonl", '{"text": "甲乙"}\n{broken\n{"no": 1}\n{"text": "坏的"}\n{"text": "丙丁"}\n')
    assert outcome.documents == 2
    assert [problem.id for problem in outcome.problems] == ["a.jsonl:2", "a.jsonl:3", "a.jsonl:4"]
    assert "this one is bad" in outcome.problems[2].problem
    *_, problems = outcome.files
    assert [row["id"] for row in rows(problems)] == ["a.jsonl:2", "a.jsonl:3", "a.jsonl:4"]
    for path in outcome.files:
        assert str(tmp_path) not in path.read_text(encoding="utf-8")


def test_limits(extract, monkeypatch):
    monkeypatch.setattr(file_extraction, "MAX_DOCUMENTS", 2)
    monkeypatch.setattr(file_extraction, "MAX_CHARACTERS", 3)
    monkeypatch.setattr(file_extraction, "PREVIEW", 1)
    outcome = extract("a.txt", "甲乙丙丁\n甲乙丙\n甲\n")
    assert outcome.is_cut
    assert outcome.documents == len(outcome.preview) == 1
    assert [(one.id, one.problem) for one in outcome.problems] == [("a.txt:1", "4 is too long")]


def test_progress_comes_every_few_documents(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("甲乙\n" * 40, encoding="utf-8")
    outcomes = extract_file(path, "text", Pipe().extractor(), tmp_path, str)
    assert [(outcome.documents, bool(outcome.files)) for outcome in outcomes] == [
        (16, False), (32, False), (40, False), (40, True),
    ]  # fmt: skip


def test_hostile_texts_are_written(extract):
    outcome = extract("a.jsonl", json.dumps({"text": EVIL, "id": EVIL}) + "\n", pipe=Pipe(EVIL, EVIL))
    lines, sheet = outcome.files
    assert rows(lines)[0]["text"] == EVIL
    assert "\ufffd" in sheet.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pdf", "x", "unknown suffix .pdf"),
        ("a.csv", "a,b\n1,2\n", "text"),
        ("a.json", "[{", "not a JSON list"),
        ("a.txt", b"\xff\xfea\x00", "UTF-16"),
    ],
)
def test_files_that_are_no_such_files(extract, tmp_path, name, content, message):
    with pytest.raises(ValueError, match=message):
        extract(name, content)
    assert list((tmp_path / "out").iterdir()) == []
