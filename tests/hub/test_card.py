"""Model cards: filled from a folder and an evaluation, and valid whatever the names in them are."""

import json
import re
import shutil
from html import escape
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from hf_spo import Example, Mention, Triple
from hf_spo.hub import SavedModel, model_card, read_evaluation
from hf_spo.hub.card import markdown
from hf_spo.support.safe_text import one_line

pytestmark = pytest.mark.smoke

SCORE = {"precision": 0.75, "recall": 0.6, "f1": 2 / 3, "correct": 1200, "predicted": 1600, "gold": 2000}
SHORT = {"model": "m", "data": "/home/anna/secret/dev.jsonl", "texts": 1234, "scores": {"strict": SCORE}}
REPORT = {
    "about": {"model": "m", "data": "dev.jsonl"},
    "texts": 1234,
    "measures": {
        "strict": {**SCORE, "intervals": {"precision": [0.7, 0.8], "recall": [0.5, 0.7], "f1": [0.6, 0.7]}},
        "official": {**SCORE, "f1": 0.5, "found": 1200, "intervals": {"f1": [0.4, 0.6]}},
    },
    "breakdowns": {"relations": [{"name": "歌曲 歌手", "texts": 7, **SCORE, "f1": 0.125}]},
    "reliability": {"equal_mass": {"ece": 0.0421}},
}
HOSTILE = [
    "a | b",
    "<script>alert(1)</script> & co",
    "](http://evil) [x",
    "`code` *bold* _it_ ~~no~~ $x$",
    "new\nline\r\n# heading",
    "---\nlicense: mit\n---",
    "{{ 7 * 7 }} {% raw %}",
    "lone \ud83d surrogate \x00\x1b[31m",
    "\\| \\",
    "😀 e\u0301 \u202e",
    "<!-- ",
]


def table(card: ModelCard, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its two first lines."""
    section = card.text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


@pytest.fixture(scope="module")
def hostile_folder(trained_folder: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained model under relations with names to stumble over."""
    folder = tmp_path_factory.mktemp("hostile") / "model"
    shutil.copytree(trained_folder, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    names = [{"subject_type": name, "predicate": name, "object_type": name} for name in HOSTILE]
    config["relations"] = [*names, *config["relations"][len(names) :]]
    config["relations"] = [entry for entry in config["relations"] if entry.get("slot", "@value") == "@value"]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


class TestWithoutAnything:
    def test_it_says_what_was_not_given(self, trained_folder: str) -> None:
        card = model_card(trained_folder, "me/films")
        assert "Training data: not given" in card.text
        assert "Licence of the weights: not given" in card.text
        assert "None were given" in card.text
        assert "The training recipe was not given" in card.text
        assert (
            not {"license", "datasets", "model-index", "metrics", "widget", "base_model"} & card.data.to_dict().keys()
        )

    def test_the_model_is_described_from_its_files(self, trained_folder: str, trained_model: Any) -> None:
        card = model_card(trained_folder, "me/films")
        about = dict(table(card, "Model"))
        assert about["encoder"].startswith("bert, 2 layers, hidden size 64, ")
        assert about["parameters"] == f"{sum(one.numel() for one in trained_model.parameters()):,}"
        assert about["size"].endswith("MB, float32")
        assert about["border thresholds"] == "subjects 0.5 and 0.5, objects 0.5 and 0.5 (start and end)"
        assert about["score threshold"] == "none"
        assert about["scores"].startswith("not calibrated")
        assert len(table(card, "Schema")) == 14
        assert ["影视作品", "票房", "地点", "inArea"] in table(card, "Schema")
        assert 'pipeline("triple-extraction", model="me/films")' in card.text
        assert "trust_remote_code" not in card.text
        assert "onnx" not in card.text

    def test_an_older_config_has_fewer_keys(self, trained_folder: str, tmp_path: Path) -> None:
        folder = tmp_path / "old"
        shutil.copytree(trained_folder, folder)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        for name in ("window", "conditioning", "hf_spo_version", "max_length", "global_gates", "prior"):
            config.pop(name, None)
        config["encoder_config"] = {"model_type": "bert"}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        about = dict(table(model_card(folder, "films"), "Model"))
        assert about["encoder"] == "bert"
        assert about["tokens read at once"] == "256"
        assert about["written by"] == "hf-spo of an unknown version"


@pytest.fixture(scope="module")
def filled(trained_folder: str) -> ModelCard:
    """A card with everything in it."""
    found = Triple(Mention("晚风"), "歌手", Mention("白露"), {"onDate": Mention("1998年")}, 0.91)
    return model_card(
        trained_folder,
        "me/films",
        report=REPORT,
        data="me/films-data",
        licence="cc-by-4.0",
        base_model="google-bert/bert-base-chinese",
        language=["zh", "en"],
        examples=[Example("《晚风》由白露演唱", (found,)), Example("今天天气很好")],
        recipe="training:\n  seed: 42\n```\n",
        onnx=True,
        standalone=True,
    )


class TestFilled:
    def test_front_matter(self, filled: ModelCard) -> None:
        data = yaml.safe_load(str(filled).split("\n---\n")[0])
        assert data["license"] == "cc-by-4.0"
        assert data["language"] == ["zh", "en"]
        assert data["base_model"] == "google-bert/bert-base-chinese"
        assert data["datasets"] == ["me/films-data"]
        assert data["library_name"] == "hf-spo"
        assert data["pipeline_tag"] == "token-classification"
        assert data["widget"] == [{"text": "《晚风》由白露演唱"}, {"text": "今天天气很好"}]
        (model,) = data["model-index"]
        assert model["name"] == "films"
        (result,) = model["results"]
        assert result["dataset"] == {"name": "dev.jsonl", "type": "dev-jsonl", "args": {"texts": 1234}}
        values = {metric["name"]: metric["value"] for metric in result["metrics"]}
        assert values["F1 (strict)"] == 0.6667
        assert values["F1 (official)"] == 0.5
        assert {metric["type"] for metric in result["metrics"]} == {"precision", "recall", "f1"}

    def test_it_is_read_again_as_it_was_written(self, filled: ModelCard) -> None:
        again = ModelCard(str(filled))
        assert str(again) == str(filled)
        assert again.data.to_dict() == filled.data.to_dict()

    def test_figures(self, filled: ModelCard) -> None:
        rows = table(filled, "Figures")
        assert rows[0] == ["strict: subject, predicate, object", "0.7500", "0.6000", "0.6667", "0.6000 to 0.7000"]
        assert rows[1][-1] == "0.4000 to 0.6000"
        assert "On 1,234 texts of dev.jsonl (2,000 triples)" in filled.text
        assert "bins of equal mass: 0.042" in filled.text
        assert "| 歌曲 歌手 | 2,000 | 0.750 | 0.600 | 0.125 |" in filled.text
        assert (
            "Of the 2,000 labelled triples above it misses 800; of the 1,600 that it finds 400 are not" in filled.text
        )
        assert "--data dev.jsonl --match strict\n```" in filled.text

    def test_parts_of_the_repository(self, filled: ModelCard) -> None:
        assert "trust_remote_code=True" in filled.text
        assert "pip install 'hf-spo[onnx]'" in filled.text
        assert "| 晚风 | 歌手 | 白露, onDate: 1998年 | 0.91 |" in filled.text
        assert "> 今天天气很好\n\nNo triple." in filled.text
        assert "[me/films-data](https://huggingface.co/datasets/me/films-data)" in filled.text

    def test_a_recipe_ends_where_its_block_ends(self, filled: ModelCard) -> None:
        assert "````yaml\ntraining:\n  seed: 42\n```\n````\n" in filled.text

    def test_no_heading_is_lost_and_no_blank_lines_pile_up(self, filled: ModelCard) -> None:
        headings = re.findall(r"^#+ .*", filled.text, re.MULTILINE)
        assert headings == [
            *("# films", "## Usage", "## Model", "## Schema", "## Data and licences", "## Figures", "## Limits"),
            "## How to reproduce",
        ]
        assert "\n\n\n" not in filled.text


class TestHostileStrings:
    def test_every_relation_is_one_row_of_a_table(self, hostile_folder: Path) -> None:
        card = model_card(hostile_folder, "me/x")
        rows = table(card, "Schema")
        relations = SavedModel.read(hostile_folder).schema
        assert len(rows) == len(relations)
        assert {len(row) for row in rows} == {3}
        assert "<script" not in card.text
        assert "<!--" not in card.text
        assert not re.search("[\x00-\x08\x1b\ud800-\udfff]", str(card))
        assert "license" not in card.data.to_dict()

    @pytest.mark.parametrize("text", HOSTILE)
    def test_in_every_other_place(self, trained_folder: str, text: str) -> None:
        report = {**REPORT, "about": {"data": text}, "breakdowns": {"relations": [{"name": text, **SCORE}]}}
        mention = Mention(text)
        example = Example(text, (Triple(mention, text, mention, {text: mention}),))
        options = {"report": report, "data": text, "licence": text, "recipe": text, "examples": [example]}
        card = model_card(trained_folder, "me/x", language=[text], **options)
        str(card).encode()
        again = ModelCard(str(card))
        assert again.data.to_dict() == card.data.to_dict()
        assert again.data.license == "other"
        assert again.data.pipeline_tag == "token-classification"
        assert re.findall(r"^## .*", again.text, re.MULTILINE)[-1] == "## How to reproduce"
        outside = re.sub(r"^(`{3,}).*?^\1$", "", again.text, flags=re.MULTILINE | re.DOTALL)
        assert "<script" not in outside
        assert not re.search(r"[^\\]\]\(http://evil", outside)

    @pytest.mark.parametrize("text", HOSTILE)
    def test_markdown_shows_what_it_was_given(self, text: str) -> None:
        page = MarkdownIt().enable("table").render(f"| a | b |\n|---|---|\n| {markdown(text)} | end |\n")
        assert re.findall(r"<td>(.*?)</td>", page, re.DOTALL) == [escape(one_line(text), quote=False), "end"]

    @pytest.mark.parametrize("name", ["a b", "../x", "me/x/y", "x`y"])
    def test_names_that_the_hub_refuses(self, trained_folder: str, name: str) -> None:
        with pytest.raises(ValueError, match="Repo id must"):
            model_card(trained_folder, name)
        with pytest.raises(ValueError, match="Repo id must"):
            model_card(trained_folder, "me/x", base_model=name)


class TestEvaluation:
    def test_both_files_of_an_evaluation(self, tmp_path: Path) -> None:
        (tmp_path / "scores.json").write_text(json.dumps(SHORT), encoding="utf-8")
        (tmp_path / "report.json").write_text(json.dumps(REPORT), encoding="utf-8")
        short, full = read_evaluation(tmp_path / "scores.json"), read_evaluation(tmp_path)
        assert short.first.f1 == full.first.f1 == SCORE["f1"]
        assert short.first.interval is None
        assert full.first.interval == (0.6, 0.7)
        assert (short.calibration_error, full.calibration_error) == (None, 0.0421)

    def test_folders_of_the_maker_stay_private(self, trained_folder: str) -> None:
        assert read_evaluation({**SHORT, "data": "C:\\anna\\dev.jsonl"}).data == "dev.jsonl"
        card = model_card(trained_folder, "me/x", report=SHORT)
        assert "anna" not in str(card)
        assert "F1, 95 %" not in card.text

    @pytest.mark.parametrize(
        "report",
        [
            {},
            {**SHORT, "scores": {}},
            {**SHORT, "scores": {"strict": {}}},
            {**SHORT, "scores": [1]},
            {**SHORT, "texts": "many"},
            {**SHORT, "data": None},
            {**REPORT, "breakdowns": {"relations": [1]}},
            {**REPORT, "reliability": 3},
        ],
    )
    def test_what_is_no_evaluation(self, report: Any, tmp_path: Path) -> None:
        path = tmp_path / "r.json"
        path.write_text(json.dumps(report), encoding="utf-8")
        with pytest.raises(ValueError, match=r"r\.json is not the output of an evaluation .* --report or --output"):
            read_evaluation(path)

    @pytest.mark.parametrize("text", ["{", "[1]", "\udcff"])
    def test_what_is_no_json_object(self, text: str, tmp_path: Path) -> None:
        path = tmp_path / "r.json"
        path.write_bytes(text.encode(errors="surrogateescape"))
        with pytest.raises(ValueError, match=r"r\.json(: expected a JSON object| is not JSON)"):
            read_evaluation(path)


class TestSavedModel:
    def test_what_a_model_reads_beside_its_text(self, trained_folder: str, tmp_path: Path) -> None:
        folder = tmp_path / "m"
        shutil.copytree(trained_folder, folder)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config["encoder_config"] |= {"word_vocab_size": 9, "segmenter": "rjieba", "dilations": [1, 2, 5]}
        (folder / "config.json").write_text(json.dumps(config | {"prior": True}), encoding="utf-8")
        facts = SavedModel.read(folder)
        assert facts.extras == ["words", "prior"]
        assert facts.requirement(["onnx"]) == "hf-spo[words,prior,onnx]"
        assert "3 layers" in facts.encoder

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("config.json", "{}", "is not a triple-extraction model"),
            ("config.json", '{"model_type": "bert", "relations": [{}]}', "model_type 'bert' and 1 relations"),
            ("config.json", '{"model_type": "hf_spo_ensemble", "relations": [{}], "groups": [["../x"]]}', "outside"),
            ("config.json", None, "has no config.json"),
            ("model.safetensors", "x", "model.safetensors is damaged"),
            ("model.safetensors", None, "has no model.safetensors"),
        ],
    )
    def test_what_is_no_model(
        self, trained_folder: str, tmp_path: Path, name: str, content: str | None, message: str
    ) -> None:
        folder = tmp_path / "m"
        shutil.copytree(trained_folder, folder)
        (folder / name).unlink()
        if content is not None:
            (folder / name).write_text(content, encoding="utf-8")
        with pytest.raises((ValueError, FileNotFoundError), match=re.escape(message)):
            SavedModel.read(folder)

    def test_weights_in_several_files(self, trained_model: Any, trained_folder: str, tmp_path: Path) -> None:
        trained_model.save_pretrained(tmp_path, max_shard_size="50KB")
        assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
        assert SavedModel.read(tmp_path).parameters == SavedModel.read(trained_folder).parameters

    @pytest.mark.parametrize(
        ("places", "message"),
        [({"a": "../../secret"}, "is damaged"), (None, "is damaged"), ({"a": "gone.safetensors"}, "is missing")],
    )
    def test_a_damaged_index(self, trained_folder: str, tmp_path: Path, places: Any, message: str) -> None:
        folder = tmp_path / "m"
        shutil.copytree(trained_folder, folder)
        (folder / "model.safetensors").unlink()
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}), encoding="utf-8")
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            SavedModel.read(folder)
