"""hf-spo publish, as far as it goes without a Hub."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from hf_spo.hub.card_files import is_generated
from tests.cli.command_line import one_line_error, rows

SCORE = {"precision": 0.75, "recall": 0.6, "f1": 0.667, "correct": 3, "predicted": 4, "gold": 5}


@pytest.fixture
def build(run: Any, trained_folder: str) -> Any:
    """Build the trained model's repository in ./built."""

    def build(*words: str, model: str = trained_folder, repo: str = "me/films") -> Any:
        return run("publish", model, repo, "--output", "built", *words)

    return build


def test_a_folder_to_look_at(build: Any) -> None:
    (done,) = rows(build().stdout)
    assert done["folder"] == "built"
    assert done["files"] == {path.name: path.stat().st_size for path in sorted(Path("built").iterdir())}
    assert "README.md" in done["files"]


def test_what_is_said_of_it_stands_in_the_card(build: Any) -> None:
    Path("scores.json").write_text(json.dumps({"data": "dev.jsonl", "texts": 9, "scores": {"strict": SCORE}}))
    Path("train.yaml").write_text("training:\n  seed: 7\n")
    words = ["--licence", "cc-by-4.0", "--language", "zh", "--language", "en", "--data", "me/films"]
    words += ["--base-model", "google-bert/bert-base-chinese", "--example", "《晚风》由白露演唱"]
    result = build(*words, "--report", "scores.json", "--recipe", "train.yaml", "--table")
    assert result.exit_code == 0, result.stderr
    assert re.search(r"requirements\.txt +\d+ B", result.stdout)
    assert re.search(r"model\.safetensors +[\d.]+ kB", result.stdout)
    assert result.stdout.endswith("built\n")
    assert "nothing was uploaded" in result.stderr
    card = ModelCard.load(Path("built/README.md"))
    assert (card.data.license, card.data.language) == ("cc-by-4.0", ["zh", "en"])
    assert card.data.eval_results[2].metric_value == 0.667
    assert "  seed: 7\n" in card.text


def test_leftovers_are_named(build: Any, trained_folder: str) -> None:
    shutil.copytree(trained_folder, "model")
    Path("model/training_args.bin").touch()
    Path("model/checkpoint-3").mkdir()
    result = build(model="model")
    assert "not part of the model, left out: checkpoint-3, training_args.bin" in result.stderr
    assert not {"checkpoint-3", "training_args.bin"} & {path.name for path in Path("built").iterdir()}


def test_the_address_of_a_wheel_goes_into_requirements_and_card(build: Any) -> None:
    wheel = "https://example.org/hf_spo-0.1.0-py3-none-any.whl"
    result = build("--requirement", wheel)
    assert result.exit_code == 0, result.stderr
    assert Path("built/requirements.txt").read_text() == f"hf-spo @ {wheel}\n"
    assert f"pip install 'hf-spo @ {wheel}'" in Path("built/README.md").read_text(encoding="utf-8")
    assert "warning" not in result.stderr


def test_the_package_index_may_not_have_what_was_not_installed_from_there(
    build: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for is_from_index in (True, False):
        monkeypatch.setattr("hf_spo.hub.repository.is_from_index", lambda value=is_from_index: value)
        shutil.rmtree("built", ignore_errors=True)
        result = build()
        assert ("pass --requirement URL" in result.stderr) is not is_from_index
        assert Path("built/requirements.txt").read_text().startswith("hf-spo>=")


def test_a_card_of_one_s_own(build: Any) -> None:
    Path("card.md").write_text("---\nlicense: mit\n---\n# Mine\n", encoding="utf-8")
    assert build("--card", "card.md").exit_code == 0
    text = Path("built/README.md").read_text(encoding="utf-8")
    assert text == "---\nlicense: mit\n---\n# Mine\n"
    assert not is_generated(text)


class TestRefusals:
    @pytest.mark.parametrize("repo", ["a b", "a/b/c", "-x", "x--y"])
    def test_names(self, build: Any, repo: str) -> None:
        assert f"'me/{repo}' is not a name of a repository: expected USER/NAME" in one_line_error(
            build(repo=f"me/{repo}"), 2
        )

    @pytest.mark.parametrize("address", ["hf-spo>=0.1", "../dist/x.whl", "https://a b"])
    def test_addresses(self, build: Any, address: str) -> None:
        assert "is not an address for pip" in one_line_error(build("--requirement", address), 1)

    def test_a_name_for_a_folder(self, build: Any) -> None:
        assert "no/model is not a folder; pass the folder of a trained model" in one_line_error(
            build(model="no/model"), 1
        )
        assert not Path("built").exists()

    def test_a_folder_without_a_model_needs_no_account(self, run: Any, tmp_path: Path) -> None:
        line = one_line_error(run("publish", str(tmp_path), "me/films"), 1)
        assert "has no config.json; pass the folder of a trained model" in line

    def test_a_card_and_what_it_would_say(self, build: Any) -> None:
        Path("card.md").touch()
        line = one_line_error(build("--card", "card.md", "--licence", "mit", "--base-model", "x"), 2)
        assert "--card is the whole card; leave out --licence, --base-model" in line

    @pytest.mark.parametrize("text", ["---\n a: [\n---\n", "---\n- a\n---\n"])
    def test_a_card_that_is_none(self, build: Any, text: str) -> None:
        Path("card.md").write_text(text, encoding="utf-8")
        assert "card.md is not a model card" in one_line_error(build("--card", "card.md"), 1)

    def test_a_recipe_in_another_encoding(self, build: Any) -> None:
        Path("train.yaml").write_bytes("# 电影".encode("gbk"))
        assert "train.yaml is not UTF-8" in one_line_error(build("--recipe", "train.yaml"), 1)

    def test_options_of_the_hub(self, build: Any) -> None:
        assert "--output uploads nothing" in one_line_error(build("--private"), 2)

    def test_a_report_that_is_none(self, build: Any) -> None:
        Path("r.json").write_text("{}", encoding="utf-8")
        assert "r.json is not the output of an evaluation" in one_line_error(build("--report", "r.json"), 1)
        assert not Path("built").exists()

    def test_an_output_that_is_there(self, build: Any) -> None:
        Path("built").mkdir()
        Path("built/notes").touch()
        assert "built exists; name a new folder" in one_line_error(build(), 1)

    def test_offline(self, run: Any, trained_folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        line = one_line_error(run("publish", trained_folder, "me/films"), 1)
        assert "HF_HUB_OFFLINE is set, and publishing needs the Hub" in line
