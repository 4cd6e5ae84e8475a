"""hf-spo export, and commands that run what it wrote."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from hf_spo import SpoEnsemble
from hf_spo.cli import app
from hf_spo.cli.export import layout
from hf_spo.onnx import OnnxReport
from hf_spo.onnx.folder import Precision
from hf_spo.onnx.int8 import Int8Report
from tests import builders
from tests.cli.command_line import facts, one_line_error, rows

TEXTS = [item.text for item in builders.EXAMPLES]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


class TestExport:
    @pytest.mark.slow
    def test_int8_is_exported_and_extracted_with(self, command: Any, trained_folder: str, gold: Path) -> None:
        Path("small").mkdir()
        result = command("export", "--model", trained_folder, "--output", "small", "--int8", "--data", gold)
        assert result.exit_code == 0, result.output
        *_, told = result.stderr.splitlines()
        assert told == "hf-spo: the exported model is in small"
        report = json.loads(result.stdout)
        assert (report["model"], report["precision"]) == ("small", "int8")
        assert report["int8"]["int8_f1"] >= report["int8"]["float32_f1"] - 0.005
        assert report["files"]["encoder.onnx"] == Path("small/encoder.onnx").stat().st_size
        found = command("extract", "--model", "small", TEXTS[0])
        assert len(json.loads(found.stdout)["triples"]) == 3

    def test_table(self, capsys: pytest.CaptureFixture[str]) -> None:
        files = {"encoder.onnx": 4_200_000, "tokenizer.json": 7_300}
        screen = Console(width=120)
        screen.print(layout(OnnxReport(Path("x"), Precision.INT8, files, 3e-7, Int8Report(500, 0.7, 0.698, 73, 59))))
        table = capsys.readouterr().out
        assert "4.2 MB" in table
        assert "7.3 kB" in table
        assert "float32 finds the same triples as the model; probabilities differ by 3e-07 at most" in table
        assert "int8 has strict F1 0.6980 on 500 texts, float32 0.7000; 59 of 73 matrices are int8" in table
        screen.print(layout(OnnxReport(Path("x"), Precision.FLOAT32, files, 3e-7)))
        assert "the export finds the same triples as the model" in capsys.readouterr().out

    def test_int8_takes_labelled_texts(self, command: Any) -> None:
        line = one_line_error(command("export", "--int8", "--output", "x"), 2)
        assert "give labelled texts with --data FILE to measure it" in line

    def test_folder_in_use_is_left_alone(self, command: Any, trained_folder: str) -> None:
        Path("mine").mkdir()
        Path("mine/notes.txt").write_text("keep")
        line = one_line_error(command("export", "--model", trained_folder, "--output", "mine"), 2)
        assert "mine is not empty and is not an ONNX export" in line
        assert [path.name for path in Path("mine").iterdir()] == ["notes.txt"]

    def test_ensemble_is_refused(self, command: Any, trained_folder: str) -> None:
        SpoEnsemble.from_models([trained_folder, trained_folder]).save_pretrained("average")
        line = one_line_error(command("export", "--model", "average", "--output", "x"), 1)
        assert "expected one model, got an ensemble; export its members" in line
        assert not Path("x").exists()

    def test_missing_package_is_named(self, command: Any, trained_folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "onnx", None)
        line = one_line_error(command("export", "--model", trained_folder, "--output", "x"), 1)
        assert line.endswith("exporting to ONNX needs onnx: pip install 'hf-spo[export]'")


class TestExportedModel:
    def test_extract(self, command: Any, exported_folder: str) -> None:
        Path("texts.txt").write_text("".join(f"{text}\n" for text in TEXTS), encoding="utf-8")
        words = ["--input", "texts.txt", "--threads", "1", "--device", "cpu"]
        result = command("extract", "--model", exported_folder, *words)
        assert result.exit_code == 0, result.stderr
        for row, item in zip(rows(result.stdout), builders.EXAMPLES, strict=True):
            assert facts(row) == facts(item.to_dict())

    def test_evaluate(self, command: Any, exported_folder: str, gold: Path) -> None:
        result = command(
            "evaluate", "--model", exported_folder, "--data", gold, "--match=strict", "--match=lenient"
        )  # fmt: skip
        (row,) = rows(result.stdout)
        assert row["model"] == exported_folder
        assert row["scores"]["strict"]["f1"] == row["scores"]["lenient"]["f1"] == 1

    @pytest.mark.parametrize(
        ("words", "problem"),
        [
            (["--backend", "torch"], "is an ONNX export; expected a model of torch"),
            (["--dtype", "bfloat16"], "is an ONNX export, which has its own number format"),
            (["--device", "mps"], "device=mps: expected cpu or cuda for an ONNX export"),
        ],
    )
    def test_what_is_not_for_it(self, command: Any, exported_folder: str, words: list[str], problem: str) -> None:
        line = one_line_error(command("extract", "--model", exported_folder, *words, TEXTS[0]), 1)
        assert problem in line

    def test_onnx_backend_takes_an_export(self, command: Any, trained_folder: str) -> None:
        line = one_line_error(command("extract", "--model", trained_folder, "--backend", "onnx", TEXTS[0]), 1)
        assert f"export it by `hf-spo export --model {trained_folder}" in line

    def test_tune_takes_the_model_itself(self, command: Any, exported_folder: str, gold: Path) -> None:
        line = one_line_error(command("tune", "--model", exported_folder, "--data", gold), 1)
        assert "pass the folder that it was exported from" in line

    def test_runs_where_torch_is_not_installed(self, exported_folder: str) -> None:
        code = (
            "import sys\n"
            "for name in ('torch', 'transformers', 'huggingface_hub', 'datasets', 'onnx'):\n"
            "    sys.modules[name] = None  # as if it were not installed\n"
            "from hf_spo.cli import app\n"
            "app(prog_name='hf-spo')\n"
        )
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code, "extract", "--model", exported_folder, TEXTS[0]],
            capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert facts(json.loads(done.stdout)) == facts(builders.EXAMPLES[0].to_dict())
