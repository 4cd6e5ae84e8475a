import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModel

from tests import builders
from tests.cli.command_line import one_line_error, rows, write_rows

SHIFTED = {
    "text": "《晚风》由白露演唱",
    "triples": [
        {
            "subject": {"text": "晚风", "start": 2, "end": 4, "type": "歌曲"},
            "predicate": "歌手",
            "object": {"text": "白露", "start": 6, "end": 8, "type": "人物"},
        }
    ],
}


@pytest.fixture
def doctor(run: Any, trained_folder: str) -> Any:
    """Run the doctor on a file, with the trained model unless another is named."""

    def doctor(*words: str) -> Any:
        named = {"--model", "--encoder"} & set(words)
        return run("doctor", *words, *(() if named else ("--model", trained_folder)), model=None)

    return doctor


def test_json(doctor: Any, gold: Path) -> None:
    result = doctor("--data", str(gold))
    assert result.exit_code == 0, result.stderr
    (found,) = rows(result.stdout)
    assert found["figures"]["texts"] == 8
    assert found["figures"]["aligned"] == 16
    assert found["verdict"].endswith("16 of 16 triples can be learnt")
    assert found["max_length"] == found["figures"]["max_length"] == 64
    assert found["overfit"] is None
    assert found["data"] == str(gold)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_table_says_the_verdict_first(doctor: Any, gold: Path, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    result = doctor("--data", str(gold), "--table")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    parts = [result.stdout.index(part) for part in ("a model can be", "Findings", "Suggested settings", "Figures")]
    assert parts == sorted(parts)
    assert all(len(line) <= width for line in lines)
    assert "影视作品" in result.stdout


def test_wrong_offsets_and_unreadable_lines_are_findings(doctor: Any, tmp_path: Path) -> None:
    data = write_rows(tmp_path / "train.jsonl", [SHIFTED, *(example.to_dict() for example in builders.EXAMPLES)])
    with data.open("a", encoding="utf-8") as file:
        file.write("{oh\n")
    result = doctor("--data", str(data))
    assert result.exit_code == 0, result.stderr
    topics = {finding["topic"]: finding for finding in rows(result.stdout)[0]["findings"]}
    assert topics["wrong offsets"]["what"].endswith("1 triple (1 too high by 1)")
    assert "train.jsonl:10: not JSON" in topics["unreadable lines"]["examples"][0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train.jsonl"]


def test_schema_file(doctor: Any, gold: Path, tmp_path: Path) -> None:
    schema = write_rows(
        tmp_path / "schema.jsonl", [{"subject_type": "歌曲", "predicate": "歌手", "object_type": "人物"}]
    )
    (found,) = rows(doctor("--data", str(gold), "--schema", str(schema)).stdout)
    assert found["findings"][0]["topic"] == "unknown relations"
    assert found["schema"] == str(schema)


def test_max_length(doctor: Any, gold: Path) -> None:
    (found,) = rows(doctor("--data", str(gold), "--max-length", "12").stdout)
    assert found["max_length"] == 12
    assert "out of reach" in {finding["topic"] for finding in found["findings"]}


def test_output(doctor: Any, gold: Path, tmp_path: Path) -> None:
    result = doctor("--data", str(gold), "--output", str(tmp_path / "new" / "report"))
    assert result.exit_code == 0, result.stderr
    folder = tmp_path / "new" / "report"
    assert sorted(path.name for path in folder.iterdir()) == ["doctor.html", "doctor.json"]
    assert json.loads((folder / "doctor.json").read_text(encoding="utf-8")) == rows(result.stdout)[0]
    assert rows(result.stdout)[0]["verdict"] in (folder / "doctor.html").read_text(encoding="utf-8")


def test_lone_surrogates(doctor: Any, tmp_path: Path) -> None:
    data = tmp_path / "train.jsonl"
    data.write_text(json.dumps({"text": "\ud800", "triples": SHIFTED["triples"]}) + "\n", encoding="utf-8")
    for shape in ("--json", "--table"):
        result = doctor("--data", str(data), shape, "--output", str(tmp_path / "report"))
        assert result.exit_code == 0, result.stderr


def test_overfit(doctor: Any, gold: Path, tmp_path: Path) -> None:
    words = ("--overfit", "--learning-rate", "1e-4", "--steps", "20", "--output", str(tmp_path / "report"))
    result = doctor("--data", str(gold), *words)
    assert result.exit_code == 0, result.stderr
    (found,) = rows(result.stdout)
    assert found["overfit"]["learnt"]
    assert found["overfit"]["learning_rate"] == 1e-4
    assert "step 20: F1 1.000, subjects 1.000, objects 1.000" in result.stderr
    assert found["overfit"]["verdict"] in (tmp_path / "report" / "doctor.html").read_text(encoding="utf-8")


def test_no_overfitting_test_where_nothing_can_be_learnt(doctor: Any, tmp_path: Path) -> None:
    data = write_rows(tmp_path / "train.jsonl", [SHIFTED])
    result = doctor("--data", str(data), "--overfit")
    assert result.exit_code == 0, result.stderr
    assert rows(result.stdout)[0]["overfit"] is None
    assert "no triple can be learnt" in result.stderr


def test_a_fresh_encoder_that_does_not_learn(doctor: Any, gold: Path, tmp_path: Path) -> None:
    tokenizer = builders.wordpiece_tokenizer()
    encoder = AutoModel.from_config(builders.encoder_config("bert", len(tokenizer)), add_pooling_layer=False)
    encoder.save_pretrained(tmp_path / "encoder")
    tokenizer.save_pretrained(tmp_path / "encoder")
    words = ("--encoder", str(tmp_path / "encoder"), "--overfit", "--steps", "2")
    result = doctor("--data", str(gold), *words, "--table")
    assert result.exit_code == 0, result.stderr
    assert "not memorised: F1 0.000 on 8 texts after 2 steps" in result.stdout
    assert "no subject found" in result.stdout
    assert "max_length: 80" in result.stdout  # as many positions as it has


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "has no labelled text: the file is empty"),
        ('{"text": "今天天气很好", "triples": []}\n', "1 labelled texts, none with a triple"),
        ("{\n", "no complete JSON object"),
        (
            '{"text": 5, "triples": []}\n',
            "0 labelled texts, none with a triple; line 1: text: expected a string",
        ),
    ],
)
def test_nothing_to_examine(doctor: Any, tmp_path: Path, content: str, said: str) -> None:
    data = tmp_path / "train.jsonl"
    data.write_text(content, encoding="utf-8")
    assert said in one_line_error(doctor("--data", str(data)), 1)


def test_wrong_usage(doctor: Any, gold: Path) -> None:
    assert "give one of them" in one_line_error(doctor("--data", str(gold), "--model", "a", "--encoder", "b"), 2)
    assert "there is no folder" in one_line_error(doctor("--data", str(gold), "--model", "./nowhere"), 1)
    assert "there is no folder" in one_line_error(doctor("--data", str(gold), "--encoder", "./nowhere"), 1)
