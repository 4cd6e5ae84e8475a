import io
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

import hf_spo
from hf_spo.cli import app, console
from tests import builders
from tests.cli.command_line import COMMAND, facts, one_line_error, rows, write_rows

TEXT = builders.EXAMPLES[0].text


@pytest.mark.smoke
class TestExtract:
    def test_prints_a_line_of_json_a_text(self, run: Any) -> None:
        result = run("extract", *(example.text for example in builders.EXAMPLES))
        assert result.exit_code == 0, result.stderr
        assert "远山的灯" in result.stdout
        for row, example in zip(rows(result.stdout), builders.EXAMPLES, strict=True):
            assert row["text"] == example.text
            scores = [triple.pop("score") for triple in row["triples"]]
            assert all(0.5 < score <= 1 for score in scores)
            assert sorted(row["triples"], key=str) == sorted((triple.to_dict() for triple in example.triples), key=str)

    def test_reads_lines_from_stdin(self, run: Any) -> None:
        texts = [example.text for example in builders.EXAMPLES]
        dash = run("extract", "-", stdin="\r\n".join(texts))
        nothing = run("extract", stdin="\n".join([*texts, ""]))
        assert [row["text"] for row in rows(dash.stdout)] == texts
        assert nothing.stdout == dash.stdout

    def test_keeps_blank_lines_of_stdin_and_refuses_bytes_that_are_no_utf8(self, run: Any) -> None:
        result = run("extract", "-", stdin=b"\n\xff\n")
        assert rows(result.stdout) == [{"text": "", "triples": []}]
        assert "-:2: not UTF-8" in one_line_error(result, 1)

    @pytest.mark.parametrize("suffix", [".txt", ".jsonl"])
    def test_file_to_file(self, run: Any, tmp_path: Path, suffix: str) -> None:
        texts = [example.text for example in builders.EXAMPLES]
        source = tmp_path / f"in{suffix}"
        if suffix == ".txt":
            source.write_text("\n".join(texts), encoding="utf-8")
        else:
            write_rows(source, [{"text": text} for text in texts])
        result = run("extract", "--input", str(source), "--output", "out.jsonl")
        assert (result.exit_code, result.stdout) == (0, "")
        written = rows(Path("out.jsonl").read_text(encoding="utf-8"))
        assert [row["text"] for row in written] == texts
        assert facts(written[1]) == [("晚风", "歌手", "白露"), ("陈立言", "出生地", "苏州")]
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"in{suffix}", "out.jsonl"])

    def test_decoding_options_reach_the_model(self, run: Any) -> None:
        (best,) = rows(run("extract", TEXT, "--top-k", "1").stdout)
        assert len(best["triples"]) == 1
        (none,) = rows(run("extract", TEXT, "--threshold", "1").stdout)
        assert none["triples"] == []
        (other,) = rows(run("extract", TEXT, "--threshold", "1", "--subject-start-threshold", "0.5").stdout)
        assert other["triples"] == []
        (plain,) = rows(run("extract", TEXT, "--batch-size", "1", "--device", "cpu", "--dtype", "float32").stdout)
        assert len(plain["triples"]) == 3

    def test_table(self, run: Any) -> None:
        result = run("extract", builders.EXAMPLES[-1].text, "今天天气很好", "--table")
        assert "获奖" in result.stdout
        assert "海边" in result.stdout
        assert "no triples" in result.stdout

    def test_long_texts_are_read_whole_or_cut_or_refused(self, run: Any) -> None:
        text = (TEXT + "。") * 5
        (whole,) = rows(run("extract", text, "--window", "3").stdout)
        assert len(whole["triples"]) == 15
        cut = run("extract", TEXT * 20, "--on-long", "warn")
        assert cut.exit_code == 0
        assert "characters were not read" in cut.stderr
        assert 'on_long="window" reads it whole' in one_line_error(run("extract", TEXT * 20, "--on-long", "error"), 1)

    def test_needs_no_network(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise AssertionError("a local model was asked for over the network")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        assert run("extract", TEXT).exit_code == 0


class TestBadLines:
    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        path = tmp_path / "texts.jsonl"
        path.write_text('{"text": "白露"}\n{"txt": "白露"}\nno JSON\n', encoding="utf-8")
        return path

    def test_stop_the_work(self, run: Any, source: Path, tmp_path: Path) -> None:
        Path("out.jsonl").write_text("earlier\n")
        line = one_line_error(run("extract", "--input", str(source), "--output", "out.jsonl"), 1)
        assert f"{source}:2: " in line
        assert "text" in line
        assert "--skip-bad-lines" in line
        assert Path("out.jsonl").read_text() == "earlier\n"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jsonl", "texts.jsonl"]

    def test_are_set_aside_next_to_the_output(self, run: Any, source: Path) -> None:
        Path("results").mkdir()
        result = run("extract", "--input", str(source), "--output", "results/out.jsonl", "--skip-bad-lines")
        assert result.exit_code == 0
        assert len(rows(Path("results/out.jsonl").read_text())) == 1
        aside = rows(Path("results/texts.jsonl.bad.jsonl").read_text())
        assert [(row["line"], row["content"]) for row in aside] == [(2, '{"txt": "白露"}'), (3, "no JSON")]
        assert all(row["problem"] and row["file"] == str(source) for row in aside)
        assert f"skipped 2 lines of {source}" in result.stderr
        assert "results/texts.jsonl.bad.jsonl" in result.stderr

    def test_are_set_aside_in_the_current_folder(self, run: Any, source: Path) -> None:
        assert run("extract", "--input", str(source), "--skip-bad-lines").exit_code == 0
        assert len(rows(Path("texts.jsonl.bad.jsonl").read_text())) == 2

    def test_a_text_on_which_the_tokenizer_panics(self, run: Any, trained_folder: str) -> None:
        shutil.copytree(trained_folder, "model")
        tokenizer = json.loads(Path("model/tokenizer.json").read_text(encoding="utf-8"))
        split = {"type": "Split", "pattern": {"Regex": "(a+)+b"}, "behavior": "Isolated", "invert": False}
        Path("model/tokenizer.json").write_text(json.dumps({**tokenizer, "pre_tokenizer": split}), encoding="utf-8")
        Path("in.txt").write_text("白露\n" + "a" * 40 + "\n苏州\n", encoding="utf-8")
        words = ("extract", "--input", "in.txt")
        assert "PanicException" in one_line_error(run(*words, model="model"), 1)
        result = run(*words, "--skip-bad-lines", model="model")
        assert [row["text"] for row in rows(result.stdout)] == ["白露", "苏州"]
        (aside,) = rows(Path("in.txt.bad.jsonl").read_text())
        assert "PanicException" in aside["problem"]

    def test_a_source_that_cannot_be_read_stops_the_work_all_the_same(self, run: Any) -> None:
        Path("in.csv").write_text("body\nx\n", encoding="utf-8")
        assert "--text-column" in one_line_error(run("extract", "--input", "in.csv", "--skip-bad-lines"), 1)

    def test_of_two_files_of_one_name(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        from hf_spo.data import UnreadableRecord

        aside = console.BadLines(tmp_path / "new")
        for folder in ("a", "b"):
            aside(UnreadableRecord(str(Path(folder) / "x.jsonl"), 1, "no JSON", "?\n"))
        aside.write()
        assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
            "b-x.jsonl.bad.jsonl",
            "x.jsonl.bad.jsonl",
        ]
        assert capsys.readouterr().err.count("skipped 1 line of") == 2


class TestWrongUsage:
    @pytest.mark.parametrize(
        ("words", "hint"),
        [
            (["exract"], "extract"),
            (["--loud"], "--loud"),
            (["extract", "--treshold", "1", "x"], "--threshold"),
            (["extract", "--threshold", "2", "x"], "--threshold"),
            (["extract", "--top-k", "0", "x"], "--top-k"),
            (["extract", "--input", "absent.txt"], "absent.txt"),
            (["evaluate"], "--data"),
            (["train"], "RECIPE.yaml"),
        ],
    )
    def test_is_one_line_and_code_2(self, run: Any, words: list[str], hint: str) -> None:
        result = run(*words, model=None)
        assert len(result.stderr.splitlines()) == 1
        line = one_line_error(result, 2)
        assert hint in line
        assert "--help" in line

    def test_texts_from_two_places(self, run: Any, tmp_path: Path) -> None:
        (tmp_path / "in.txt").write_text("x")
        assert "one of them" in one_line_error(run("extract", "x", "--input", "in.txt"), 2)

    def test_file_of_an_unknown_kind(self, run: Any, tmp_path: Path) -> None:
        (tmp_path / "in.pdf").write_text("x")
        assert ".jsonl" in one_line_error(run("extract", "--input", "in.pdf"), 2)

    def test_nothing_to_read(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("hf_spo.cli.extract.is_terminal", lambda _: True)
        assert "give a TEXT" in one_line_error(run("extract"), 2)

    def test_no_command_shows_the_help(self, run: Any) -> None:
        result = run()
        assert result.exit_code == 2
        assert "evaluate" in result.stdout
        assert result.stderr == ""


class TestHelp:
    @pytest.mark.parametrize("command", sorted(one.name or one.callback.__name__ for one in app.registered_commands))
    def test_names_and_examples_stay_whole_at_80_columns(self, run: Any, command: str) -> None:
        result = CliRunner().invoke(app, [command, "--help"], terminal_width=80)
        assert result.exit_code == 0
        declared = typer.main.get_command(app).commands[command]
        for parameter in declared.params:
            for name in (*parameter.opts, *parameter.secondary_opts):
                if name.startswith("-"):
                    assert re.search(rf"(^|[ ,/]){name}([ ,]|$)", result.stdout, re.MULTILINE), name
        examples = declared.help.partition("Examples:\n")[2].splitlines()
        assert examples
        assert all(f"  {line.strip()}\n" in result.stdout for line in examples)

    def test_version_has_a_short_option(self, run: Any) -> None:
        assert run("-V").stdout == run("--version").stdout == f"hf-spo {hf_spo.__version__}\n"


class TestFailedWork:
    def test_no_such_model(self, run: Any) -> None:
        assert "there is no folder ./absent" in one_line_error(run("extract", "x", model="./absent"), 1)

    def test_no_packaged_model(self, run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr("hf_spo.loading.locations.packaged", lambda name: tmp_path / name)
        assert "install hf-spo again" in one_line_error(run("extract", "x", model=None), 1)

    def test_no_folder_for_the_output(self, run: Any) -> None:
        assert "create it" in one_line_error(run("extract", "x", "--output", "absent/out.jsonl"), 1)

    def test_unforeseen_errors_name_their_kind(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise RuntimeError("out of\nmemory")

        monkeypatch.setattr("hf_spo.cli.models.load", fail)
        assert "RuntimeError: out of memory" in one_line_error(run("extract", "x"), 1)
        assert isinstance(run("--debug", "extract", "x").exception, RuntimeError)


class TestEvaluate:
    def test_all_matches_in_one_extraction(self, run: Any, gold: Path) -> None:
        matches = ["strict", "lenient", "span", "full"]
        result = run("evaluate", "--data", str(gold), "--output", "s.json", *(f"--match={m}" for m in matches))
        assert result.exit_code == 0, result.stderr
        (report,) = rows(result.stdout)
        assert report == json.loads(Path("s.json").read_text())
        assert list(report["scores"]) == matches
        assert report["texts"] == len(builders.EXAMPLES)
        assert all(score["f1"] == 1.0 for score in report["scores"].values())

    def test_table_is_strict_by_default(self, run: Any, gold: Path) -> None:
        result = run("evaluate", "--data", str(gold), "--table")
        assert "strict" in result.stdout
        assert "1.0000" in result.stdout
        assert "full" not in result.stdout

    def test_empty_file(self, run: Any, tmp_path: Path) -> None:
        (tmp_path / "empty.jsonl").touch()
        assert "no labelled text" in one_line_error(run("evaluate", "--data", "empty.jsonl"), 1)

    def test_bad_line_leaves_no_report(self, run: Any, gold: Path) -> None:
        gold.write_text(gold.read_text() + '{"text": "白露"}\n')
        line = one_line_error(run("evaluate", "--data", str(gold), "--output", "s.json"), 1)
        assert f"{gold}:{len(builders.EXAMPLES) + 1}: " in line
        assert not Path("s.json").exists()
        skipped = run("evaluate", "--data", str(gold), "--skip-bad-lines")
        assert rows(skipped.stdout)[0]["texts"] == len(builders.EXAMPLES)


class TestTrain:
    RECIPE = (
        "training: {max_steps: 2, per_device_train_batch_size: 4, report_to: none, disable_tqdm: true, use_cpu: true}"
    )

    def test_recipe_with_arguments(self, run: Any, gold: Path, trained_model: Any, tiny_tokenizer: Any) -> None:
        Path("recipe.yaml").write_text(self.RECIPE)
        trained_model.encoder.save_pretrained("encoder")
        tiny_tokenizer.save_pretrained("encoder")
        gold.write_text(gold.read_text() + "no JSON\n")
        words = ["--encoder", "encoder", "--train", str(gold), "--dev", str(gold), "--output", "out/model"]
        result = run("train", "recipe.yaml", *words, "--skip-bad-lines", "--learning-rate", "1e-5", "--seed=7")
        assert result.exit_code == 0, result.stderr
        assert "the model is in out/model" in result.stderr
        assert "eval_f1" in json.loads(result.stdout)
        assert len(rows(Path("out/gold.jsonl.bad.jsonl").read_text())) == 2  # in train and in dev
        assert run("extract", TEXT, model="out/model").exit_code == 0

    def test_help_names_every_source(self, run: Any) -> None:
        result = run("train", "--help")
        for option in ("--encoder", "--train", "--dev", "--schema", "--words", "--texts", "--prior"):
            assert option in result.stdout

    def test_words_texts_and_prior_reach_the_recipe(self, run: Any) -> None:
        Path("recipe.yaml").write_text(self.RECIPE)
        words = ["--encoder", "e", "--train", "t", "--output", "o"]
        for option in ("--words", "--texts"):
            line = one_line_error(run("train", "recipe.yaml", *words, option, "file"), 2)
            assert "words, texts: only an encoder with random weights" in line
        assert "add `prior: true` under" in one_line_error(run("train", "recipe.yaml", *words, "--prior", "file"), 2)

    def test_wrong_recipe_is_wrong_usage(self, run: Any) -> None:
        Path("recipe.yaml").write_text("trainign: {}")
        assert "did you mean 'training'?" in one_line_error(run("train", "recipe.yaml"), 2)
        Path("recipe.yaml").write_text(self.RECIPE)
        assert "--encoder" in one_line_error(run("train", "recipe.yaml"), 2)
        words = ["--encoder", "e", "--train", "t", "--output", "o"]
        line = one_line_error(run("train", "recipe.yaml", *words, "--lerning-rate", "1"), 2)
        assert "did you mean --learning_rate?" in line


class TestShown:
    def table(self, text: str, triples: list[dict[str, Any]], width: int = 80) -> str:
        screen = Console(width=width, record=True, file=io.StringIO())
        screen.print(console.triples_table(text, triples))
        return screen.export_text()

    def test_nothing_of_a_row_is_cut_off(self) -> None:
        triples = [triple.to_dict() | {"score": 0.5} for triple in builders.EXAMPLES[-1].triples]
        shown = "".join(self.table(builders.EXAMPLES[-1].text, triples, width=60).split())
        for part in ("何雨晴", "获奖", "0.500", "6–9", "16–21"):
            assert part in shown

    def test_text_is_no_markup_and_no_terminal_command(self) -> None:
        assert "[bold]\ufffd[2J\ufffd" in self.table("[bold]\x1b[2J\udcff", [])

    def test_progress_bar_on_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(console, "is_terminal", lambda _: True)
        assert list(console.progress_bar("abc", 3, "counting")) == ["a", "b", "c"]


class TestProcess:
    """The command as users start it, in a process of its own."""

    def test_help_and_mistakes_answer_without_torch(self) -> None:
        code = (
            "import sys\n"
            "from hf_spo.cli import app\n"
            "try: app(prog_name='hf-spo')\n"
            "finally: assert not {'torch', 'transformers'} & set(sys.modules)"
        )
        for words in (["--help"], ["--version"], ["extract", "--help"], ["train", "--help"], ["extract", "--nope"]):
            done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=120)
            assert "AssertionError" not in done.stderr, words
            assert done.returncode == (2 if "--nope" in words else 0)
        version = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, timeout=120).stdout
        assert version.split()[0] == "hf-spo"
        assert version.split()[1] == hf_spo.SpoConfig(relations=builders.SCHEMA.to_list()).hf_spo_version

    def test_without_torch_a_command_says_what_to_install(self) -> None:
        code = (
            "import sys\n"
            "sys.modules |= {'torch': None, 'transformers': None}  # as if they were not installed\n"
            "from hf_spo.cli import app\n"
            "app(prog_name='hf-spo')"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, "extract", TEXT], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert re.search("this command needs (torch|transformers), which is not installed", line)

    def test_a_reader_that_has_enough_is_no_error(self, trained_folder: str, tmp_path: Path) -> None:
        (tmp_path / "in.txt").write_text("\n".join([TEXT] * 400), encoding="utf-8")
        words = ["extract", "--model", trained_folder, "--input", str(tmp_path / "in.txt")]
        with (
            (tmp_path / "errors").open("w+") as errors,
            subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=errors, encoding="utf-8") as process,
        ):
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["text"] == TEXT
            process.stdout.close()
            assert process.wait(timeout=120) == 0
            errors.seek(0)
            assert errors.read() == ""

    def test_shell_completion(self) -> None:
        words = {"_HF_SPO_COMPLETE": "complete_bash", "COMP_WORDS": "hf-spo ext", "COMP_CWORD": "1"}
        done = subprocess.run(COMMAND, capture_output=True, text=True, timeout=120, env={**os.environ, **words})
        assert done.stdout.split() == ["extract"]

    def test_sigterm_leaves_no_half_file(self, trained_folder: str, tmp_path: Path) -> None:
        words = ["extract", "--model", trained_folder, "--output", str(tmp_path / "out.jsonl"), "-"]
        with subprocess.Popen([*COMMAND, *words], stdin=subprocess.PIPE, encoding="utf-8") as process:
            deadline = time.monotonic() + 60
            while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
            process.terminate()
            assert process.wait(timeout=60) == 128 + signal.SIGTERM
        assert list(tmp_path.iterdir()) == []

    def test_table_on_a_terminal(self, trained_folder: str) -> None:
        ours, theirs = pty.openpty()
        done = subprocess.run(
            [*COMMAND, "extract", "--model", trained_folder, TEXT],
            stdout=theirs,
            stderr=subprocess.PIPE,
            timeout=120,
            env={**os.environ, "COLUMNS": "100", "HF_HUB_OFFLINE": "1"},
        )
        os.close(theirs)
        shown = b""
        with os.fdopen(ours, "rb", buffering=0) as screen:
            try:
                while part := screen.read(4096):
                    shown += part
            except OSError:  # how Linux says that the other end is closed
                pass
        assert done.returncode == 0, done.stderr.decode()
        assert "predicate" in shown.decode()
        assert "何雨晴" in shown.decode()


def test_options_are_written_with_underscores_too(run):
    spelt = [run("extract", builders.EXAMPLES[0].text, option, "1").stdout for option in ("--top-k", "--top_k")]
    assert len(rows(spelt[0])[0]["triples"]) == 1
    assert spelt[0] == spelt[1]


@pytest.mark.parametrize("command", ["extract", "show"])
def test_the_name_of_a_file_is_no_text(run, command):
    Path("texts.txt").write_text("text\n")
    error = one_line_error(run(command, "texts.txt", model=None), 2)
    assert "texts.txt is the name of a file; --input reads files, and - < texts.txt its lines" in error
    assert run(command, "x" * 5000, "--model", "/none", model=None).exit_code == 1
