"""`benchmarks/few_rows.py`: what it draws, reads, holds out and shows; its trainings are those of `hf-spo train`."""

import json
import sys
from pathlib import Path

import pytest
from rich.console import Console
from transformers import AutoModel

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import few_rows

from hf_spo.data import read_examples
from tests import builders


def test_more_rows_include_the_fewer():
    drawn = few_rows.draw(builders.EXAMPLES, 5, seed=1)
    assert drawn[:3] == few_rows.draw(builders.EXAMPLES, 3, seed=1)
    assert drawn != few_rows.draw(builders.EXAMPLES, 5, seed=2)


def test_relations_of_conll04_name_entities_by_number(tmp_path):
    row = {
        "tokens": ["Anna", "Lind", "lives", "in", "Köln", "."],
        "tags": ["B-Peop", "L-Peop", "O", "O", "U-Loc", "O"],
        "relations": [{"head": 0, "tail": 1, "type": "Live_In"}],
    }
    path = tmp_path / "train.json"
    path.write_text(json.dumps([row]), encoding="utf-8")
    (example,) = few_rows.read(path)
    (triple,) = example.triples
    assert (triple.subject.text, triple.predicate, triple.object.text) == ("Anna Lind", "Live_In", "Köln")
    for mention in (triple.subject, triple.object):
        assert example.text[mention.span.start : mention.span.end] == mention.text


def test_texts_that_are_held_out_state_the_predicates_alone(tmp_path):
    few_rows.write(builders.EXAMPLES, tmp_path / "train.jsonl")
    few_rows.hold_out(tmp_path / "train.jsonl", tmp_path, {"主演"})
    held, rest = (list(read_examples(tmp_path / name)) for name in ("held.jsonl", "rest.jsonl"))
    assert len(held) + len(rest) == len(builders.EXAMPLES)
    assert {triple.predicate for example in held for triple in example.triples} == {"主演"}
    assert all(triple.predicate != "主演" for example in rest for triple in example.triples)


@pytest.mark.slow
def test_a_finished_run_is_not_repeated(tmp_path, monkeypatch):
    tokenizer = builders.wordpiece_tokenizer()
    AutoModel.from_config(builders.encoder_config(vocab_size=len(tokenizer))).save_pretrained(tmp_path / "encoder")
    tokenizer.save_pretrained(tmp_path / "encoder")
    few_rows.write(builders.EXAMPLES, tmp_path / "data.jsonl")
    data, output = str(tmp_path / "data.jsonl"), tmp_path / "output"
    options = ["--encoder", str(tmp_path / "encoder"), "--data", "tiny", data, data, "--rows", "6", "--seeds", "0"]
    variant = ["--variant", "short", '{"training": {"max_steps": 2, "use_cpu": true}}']
    monkeypatch.setattr(few_rows.os, "nice", lambda by: by)
    monkeypatch.setattr(sys, "argv", ["few_rows.py", "run", str(output), *options, *variant])
    for _ in range(2):
        few_rows.main()
        (run,) = few_rows.read_runs(output / "runs.jsonl")
        assert (run["rows"], run["variant"], run["gold"], run["steps"]) == (6, "short", 16, 2)
    assert [path.name for path in output.iterdir()] == ["runs.jsonl"]
    console = Console(width=200, record=True)
    console.print(few_rows.table([run, {**run, "seed": 1, "f1": 0.5}]))
    assert "0.250" in console.export_text()
