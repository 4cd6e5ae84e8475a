import pytest

from hf_spo.cli.console import BadLines
from hf_spo.cli.predictions import read_labelled, read_predictions
from tests import builders
from tests.cli.command_line import write_rows

ROWS = [example.to_dict() for example in builders.EXAMPLES]


def test_are_found_by_their_text(tmp_path):
    path = write_rows(tmp_path / "p.jsonl", ROWS[::-1])
    assert read_predictions(path, builders.EXAMPLES) == [example.triples for example in builders.EXAMPLES]


def test_of_a_text_that_stands_there_twice(tmp_path):
    first, second = ROWS[0], {**ROWS[0], "triples": []}
    twice = [builders.EXAMPLES[0]] * 3
    both = write_rows(tmp_path / "both.jsonl", [first, second])
    assert [len(triples) for triples in read_predictions(both, twice)] == [3, 0, 0]
    one = write_rows(tmp_path / "one.jsonl", [first])
    assert [len(triples) for triples in read_predictions(one, twice)] == [3, 3, 3]


def test_a_labelled_text_without_a_line(tmp_path):
    path = write_rows(tmp_path / "p.jsonl", ROWS[1:])
    with pytest.raises(ValueError, match=r"p\.jsonl has no line for the text beginning '《远山的灯》"):
        read_predictions(path, builders.EXAMPLES)


def test_lines_of_other_texts_are_said(tmp_path, capsys):
    path = write_rows(tmp_path / "p.jsonl", [*ROWS, {"text": "另一个", "triples": []}])
    read_predictions(path, builders.EXAMPLES[1:])
    error = capsys.readouterr().err
    assert "2 lines" in error
    assert "left out" in error
    read_predictions(path, [*builders.EXAMPLES, builders.EXAMPLES[0].__class__("另一个")])
    assert capsys.readouterr().err == ""


def test_no_labelled_text(tmp_path):
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(ValueError, match="no labelled text"):
        read_labelled(tmp_path / "empty.jsonl")


def test_nothing_that_could_be_read(tmp_path):
    path = write_rows(tmp_path / "bad.jsonl", [{"text": 5, "triples": []}])
    with pytest.raises(ValueError, match="holds no labelled text that could be read"):
        read_labelled(path, BadLines(tmp_path))


def test_a_format_may_be_named(tmp_path, capsys):
    row = {
        "text": "晚风",
        "spo_list": [],
        "triples": [{"subject": {"text": "晚"}, "predicate": "p", "object": {"text": "风"}}],
    }
    path = write_rows(tmp_path / "both.jsonl", [row])
    assert [len(example.triples) for example in read_labelled(path)] == [1]
    assert [len(example.triples) for example in read_labelled(path, form="duie2")] == [0]
    assert capsys.readouterr().err == ""
