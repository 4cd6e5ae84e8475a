"""Triples go through Parquet and back, by the tools that users have."""

from pathlib import Path
from typing import Any

from datasets import load_dataset

from hf_spo.data import read_examples
from hf_spo.data.dataset import as_examples
from tests import builders
from tests.cli.command_line import rows, write_rows
from tests.training import tiny


def test_json_by_datasets_to_parquet_is_evaluated(run: Any, gold: Path, tmp_path: Path) -> None:
    data = load_dataset("json", data_files=str(gold), split="train", cache_dir=str(tmp_path / "cache"))
    data.to_parquet(tmp_path / "gold.parquet")
    result = run("evaluate", "--data", "gold.parquet", "--match", "full")
    assert result.exit_code == 0, result.stderr
    assert rows(result.stdout)[0]["scores"]["full"]["f1"] == 1


def test_extracted_parquet_is_trained_on(run: Any, tmp_path: Path) -> None:
    write_rows(tmp_path / "texts.jsonl", [{"text": item.text} for item in builders.EXAMPLES])
    result = run("extract", "--input", "texts.jsonl", "--output=out", "--output-format=parquet")
    assert result.exit_code == 0, result.stderr
    (path,) = Path("out").glob("*.parquet")
    found = list(read_examples(path))
    data = load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    assert as_examples(data) == found
    for train in (path, data):
        trainer = tiny.trainer(tmp_path / "model", train=train, dev=train)
        assert trainer.train_dataset.examples == found
    assert [builders.facts(item.triples) for item in found] == [
        builders.facts(item.triples) for item in builders.EXAMPLES
    ]
