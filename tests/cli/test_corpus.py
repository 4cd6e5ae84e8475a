"""hf-spo extract over documents: sources, folders of parts, suggestions."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_spo.cli import console, corpus
from hf_spo.corpus import Progress
from hf_spo.data import read_records
from tests import builders
from tests.cli.command_line import facts, one_line_error, rows, write_rows

TEXTS = [example.text for example in builders.EXAMPLES]
GOLD = [facts(example.to_dict()) for example in builders.EXAMPLES]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "in.jsonl", [{"key": f"k{n}", "body": text} for n, text in enumerate(TEXTS)])


COLUMNS = ("--text-column", "body", "--id-column", "key")


def written(folder: str) -> list[dict[str, Any]]:
    return [row for path in sorted(Path(folder).glob("part-*.jsonl")) for row in rows(path.read_text(encoding="utf-8"))]


class TestSources:
    def test_ids_go_along(self, run: Any, source: Path) -> None:
        found = rows(run("extract", "--input", str(source), *COLUMNS).stdout)
        assert [row["id"] for row in found] == [f"k{n}" for n in range(len(TEXTS))]
        assert [facts(row) for row in found] == GOLD

    def test_several_sources_of_several_kinds(self, run: Any, tmp_path: Path) -> None:
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "1.txt").write_text(f"{TEXTS[0]}\n", encoding="utf-8")
        pq.write_table(pa.table({"text": TEXTS[1:3]}), tmp_path / "b" / "2.parquet")
        (tmp_path / "3.csv").write_text(f'text\n"{TEXTS[3]}"\n', encoding="utf-8")
        result = run("extract", "--input", "b", "--input", "*.csv", "--input", "-", stdin=TEXTS[4])
        assert [facts(row) for row in rows(result.stdout)] == GOLD[:5]
        assert [row["id"] for row in rows(result.stdout)] == [
            "b/1.txt:1",
            "b/2.parquet:1",
            "b/2.parquet:2",
            "3.csv:1",
            "-:1",
        ]

    def test_a_line_that_cannot_be_read(self, run: Any, tmp_path: Path) -> None:
        (tmp_path / "in.txt").write_bytes(b"one\n\xff\n")
        assert "in.txt:2: not UTF-8" in one_line_error(run("extract", "--input", "in.txt"), 1)
        result = run("extract", "--input", "in.txt", "--skip-bad-lines")
        assert len(rows(result.stdout)) == 1
        assert rows((tmp_path / "in.txt.bad.jsonl").read_text())[0]["line"] == 2


class TestFolder:
    def test_parts_with_model_and_revision(self, run: Any, source: Path, trained_folder: str) -> None:
        result = run("extract", "--input", str(source), *COLUMNS, "--output", "out", "--part-size", "3")
        assert result.exit_code == 0, result.stderr
        assert rows(result.stdout)[0]["documents"] == len(TEXTS)
        assert "documents in 3 parts" in result.stderr
        found = written("out")
        assert [(row["id"], facts(row)) for row in found] == [(f"k{n}", gold) for n, gold in enumerate(GOLD)]
        assert {row["model"] for row in found} == {trained_folder}
        assert len({row["revision"] for row in found}) == 1

    def test_two_processes_give_the_same(self, run: Any, source: Path) -> None:
        words = ["extract", "--input", str(source), *COLUMNS, "--threads", "1"]
        assert run(*words, "--output", "one").exit_code == 0
        result = run(*words, "--output", "two", "--workers", "2")
        assert result.exit_code == 0, result.stderr
        assert written("two") == written("one")

    def test_the_same_command_again_does_nothing(self, run: Any, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        words = ["extract", "--input", str(source), *COLUMNS, "--output", "out"]
        before = run(*words).stdout
        monkeypatch.setattr("hf_spo.cli.models.load", lambda *_, **__: pytest.fail("the model was loaded"))
        assert run(*words).stdout == before
        assert "with parameters" in one_line_error(run(*words, "--top-k", "1"), 1)

    def test_parquet_with_a_row_a_triple_opens_as_one_table(self, run: Any, source: Path) -> None:
        run("extract", "--input", str(source), *COLUMNS, "--output=out", "--output-format=parquet", "--rows=triple")
        table = pq.read_table("out")
        assert table.num_rows == sum(map(len, GOLD))
        assert set(table["id"].to_pylist()) <= {f"k{n}" for n in range(len(TEXTS))}

    def test_what_is_written_can_be_trained_on(self, run: Any, source: Path) -> None:
        run("extract", "--input", str(source), *COLUMNS, "--output", "out")
        assert [facts(r.example.to_dict()) for r in read_records("out/part-00000.jsonl")] == GOLD

    def test_documents_that_fail(self, run: Any, tmp_path: Path) -> None:
        long = "很长" * 300
        (tmp_path / "in.txt").write_text(f"{TEXTS[0]}\n{long}\n", encoding="utf-8")
        result = run("extract", "--input", "in.txt", "--output", "out", "--on-long", "error")
        assert "1 failed, see out/_errors-*.jsonl" in result.stderr
        (failed,) = rows(Path("out/_errors-00000.jsonl").read_text(encoding="utf-8"))
        assert failed["content"] == long
        assert "were not read" in failed["problem"]
        (tmp_path / "bad.txt").write_bytes(b"\xff\n")
        assert run("extract", "--input", "bad.txt", "--output", "none").exit_code == 1

    @pytest.mark.parametrize(
        ("words", "hint"),
        [
            (["x", "--output", "out"], "which needs --input"),
            (["--input", "in.jsonl", "--output", "out.csv"], "--output-format"),
            (["--input", "in.jsonl", "--output", "out.jsonl", "--rows", "triple"], "need a folder"),
            (["--input", "in.jsonl", "--output", "out", "--address", "auto"], "--engine ray"),
            (["--input", "-", "--output", "out", "--engine", "ray"], "cannot read stdin"),
            (["--input", "in.jsonl", "--to", "doccano"], "needs --output"),
        ],
    )
    def test_wrong_usage(self, run: Any, source: Path, words: list[str], hint: str) -> None:
        assert hint in one_line_error(run("extract", *words), 2)

    def test_a_folder_that_may_not_be_written(self, run: Any, source: Path) -> None:
        assert one_line_error(run("extract", "--input", str(source), *COLUMNS, "--output", "/proc/none"), 1)

    def test_stopped_by_hand(self, run: Any, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def stop(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("hf_spo.cli.models.load", stop)
        result = run("extract", "--input", str(source), *COLUMNS, "--output", "out")
        assert result.exit_code == 130
        assert "the same command continues" in result.stderr


class TestProgress:
    def test_lines_where_no_bar_can_be_drawn(self, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        monkeypatch.setattr(corpus, "_EVERY", 0)
        with corpus._shown([]) as tell:
            tell(Progress(1, 2, 0, 0))
            tell(Progress(1000, 2000, 10, 0))
        _, line = capsys.readouterr().err.splitlines()
        assert "1,010 of 0 documents, 2,000 triples" in line

    def test_a_bar_on_a_terminal(self, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        monkeypatch.setattr(corpus, "is_terminal", lambda _: True)
        with corpus._shown([]) as tell:
            tell(Progress(1, 2, 0, 0))
        assert capsys.readouterr().out == ""


class TestSuggestions:
    def test_label_studio(self, run: Any, source: Path) -> None:
        result = run("extract", "--input", str(source), *COLUMNS, "--to", "label-studio", "--output", "s.json")
        assert result.exit_code == 0, result.stderr
        tasks = json.loads(Path("s.json").read_text(encoding="utf-8"))
        assert sorted(task["data"]["text"] for task in tasks) == sorted(TEXTS)
        scores = [task["predictions"][0]["score"] for task in tasks]
        assert scores == sorted(scores)  # what is least certain comes first
        config = ElementTree.parse("s.config.xml")
        assert {"导演", "票房"} <= {relation.get("value") for relation in config.iter("Relation")}

    def test_doccano(self, run: Any, source: Path) -> None:
        assert run("extract", "--input", str(source), *COLUMNS, "--to", "doccano", "--output", "s.jsonl").exit_code == 0
        records = list(read_records("s.jsonl", "doccano"))
        assert sorted(facts(record.example.to_dict()) for record in records) == sorted(GOLD)


def test_counting_is_left_out_for_what_cannot_be_counted() -> None:
    assert list(console.progress_bar("ab", None, "counting")) == ["a", "b"]
