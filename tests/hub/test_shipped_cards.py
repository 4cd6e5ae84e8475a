"""The cards of our models agree with their recipes, with the models inside the package, and with themselves."""

import re
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard

from hf_spo import packaged
from hf_spo.hub import SavedModel

ROOT = Path(__file__).parents[2]
RECIPES = {
    "hf-spo-zh": "duie2-me5-small",
    "hf-spo-zh-lite": "duie2-dgcnn-lite",
    "hf-spo-zh-dgcnn": "duie2-dgcnn",
}
PACKAGED = {"hf-spo-zh": "base", "hf-spo-zh-lite": "lite"}
MATCHES = ("strict", "lenient", "full")
RATIOS = ("precision", "recall", "f1")


@pytest.fixture(params=RECIPES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def card(name: str) -> ModelCard:
    return ModelCard.load(ROOT / "model_cards" / f"{name}.md")


@pytest.fixture
def prose(card: ModelCard) -> str:
    """The card's text as one line."""
    return " ".join(card.text.split())


@pytest.fixture
def recipe(name: str) -> Path:
    return ROOT / "recipes" / RECIPES[name]


@pytest.fixture
def readme(recipe: Path) -> str:
    return (recipe / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def train(recipe: Path) -> dict[str, Any]:
    return yaml.safe_load((recipe / "train.yaml").read_text(encoding="utf-8"))


def figures(text: str) -> dict[str, tuple[float, ...]]:
    """Return the rows of tables whose first cell begins with a way of matching: precision, recall and F1."""
    rows = re.findall(r"^\| (strict|lenient|full)\b[^|]*\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", text, re.MULTILINE)
    return {match: tuple(map(float, values)) for match, *values in rows}


def test_every_card_is_checked() -> None:
    assert {path.stem for path in (ROOT / "model_cards").glob("*.md")} == set(RECIPES)


class TestItself:
    def test_front_matter(self, card: ModelCard, name: str) -> None:
        data = card.data
        assert (data.language, data.license, data.library_name) == ("zh", "apache-2.0", "hf-spo")
        assert data.pipeline_tag == "token-classification"
        assert {"relation-extraction", "triple-extraction"} <= set(data.tags)
        assert data.metrics == list(RATIOS)
        assert data.model_name == name
        assert (data.base_model == "intfloat/multilingual-e5-small") is (name == "hf-spo-zh")

    def test_the_index_has_the_figures_of_the_table(self, card: ModelCard) -> None:
        found = {(one.metric_name, one.metric_type): one.metric_value for one in card.data.eval_results}
        titles = {"precision": "precision", "recall": "recall", "f1": "F1"}
        assert found == {
            (f"{titles[ratio]} ({match})", ratio): value
            for match, values in figures(card.text).items()
            for ratio, value in zip(RATIOS, values, strict=True)
        }
        assert len(found) == 9

    def test_f1_is_the_harmonic_mean(self, card: ModelCard) -> None:
        for precision, recall, f1 in figures(card.text).values():
            assert f1 == pytest.approx(2 * precision * recall / (precision + recall), abs=1.1e-4)

    def test_counts_give_the_ratios(self, prose: str, name: str, card: ModelCard) -> None:
        counts = [int(number.replace(",", "")) for number in re.findall(r"\b\d,\d{3}\b|\b\d{3}\b", _limits(prose))]
        precision, recall, _ = figures(card.text)["strict"]
        if name == "hf-spo-zh":
            gold, missed, of_subjects, predicted, wrong = counts
            assert f"{of_subjects / missed:.0%}".replace("%", " %") in prose
        elif name == "hf-spo-zh-dgcnn":
            _, gold, missed, predicted, wrong = counts  # the first is the characters that it reads
        else:
            return
        assert gold == card.data.eval_results[0].dataset_args["triples"]
        assert 1 - wrong / predicted == pytest.approx(precision, abs=5e-5)
        assert 1 - missed / gold == pytest.approx(recall, abs=5e-5)

    def test_links_lead_somewhere(self, card: ModelCard) -> None:
        links = re.findall(r"\]\((?!https?:)([^)#]+)\)", card.text)
        assert links
        for link in links:
            assert (ROOT / "model_cards" / link).exists(), link


def _limits(prose: str) -> str:
    return prose.split("## Limits")[1].split("## Bias")[0].replace("DuIE 2.0", "")


class TestRecipe:
    def test_card_and_recipe_name_each_other(self, card: ModelCard, readme: str, recipe: Path, name: str) -> None:
        assert f"(../recipes/{recipe.name}/README.md)" in card.text.split("## How to reproduce")[1]
        assert f"(../../model_cards/{name}.md)" in readme

    def test_the_figures_are_those_of_the_recipe_s_end(self, card: ModelCard, readme: str) -> None:
        ours, theirs = figures(card.text), figures(readme)
        if not theirs:  # which has one row for the model that was packaged
            (row,) = re.findall(r"the packaged model \| ([\d.]+) \| ([\d.]+) \| \**([\d.]+)\** ", readme)
            ours, theirs = {"strict": ours["strict"]}, {"strict": tuple(map(float, row))}
        assert theirs.keys() == ours.keys()
        for match, values in theirs.items():
            assert values == pytest.approx(ours[match], abs=5.1e-4), match

    def test_the_seed(self, readme: str, train: dict[str, Any]) -> None:
        assert re.search(rf"\bseed {train['training']['seed']}\b", readme, re.IGNORECASE)

    def test_the_data(self, prose: str, readme: str, card: ModelCard) -> None:
        training, validation = re.search(r"([\d,]+) sentences for training, ([\d,]+) for validation", prose).groups()
        flat = " ".join(readme.split())
        assert f"{training} training and {validation} validation sentences" in flat
        for result in card.data.eval_results:
            assert f"{result.dataset_args['texts']:,}" == validation
            assert f"validation sentences of DuIE 2.0 ({result.dataset_args['triples']:,} triples)" in prose
        predicates = re.search(r"triples of the (\d+) predicates of DuIE 2.0", prose)[1]
        assert f"{predicates} predicates, 55 relations" in flat

    def test_the_encoder(self, prose: str, readme: str, train: dict[str, Any], name: str) -> None:
        encoder = train["model"]["encoder_config"]
        if name == "hf-spo-zh":
            layers, size = re.search(r"\((\d+) layers, hidden size (\d+)\)", prose).groups()
            assert f"{layers}-layer encoder of hidden size {size}" in readme
            return
        words = {12: "twelve", 6: "six"}[len(encoder["dilations"])]
        assert f"{words} dilated gated convolutions of width {encoder['hidden_size']}" in prose

    def test_sizes_that_only_the_recipe_knows(self, prose: str, readme: str, name: str) -> None:
        if name == "hf-spo-zh-dgcnn":
            flat = " ".join(readme.split())
            assert "2.7 million trained parameters" in prose
            assert "2.7 million trained parameters" in flat
            assert "30.5 MB on disk in float32" in prose
            assert "30.5 MB in float32" in flat


class TestPackagedModel:
    @pytest.fixture(params=PACKAGED)
    def name(self, request: pytest.FixtureRequest) -> str:
        return request.param

    @pytest.fixture
    def facts(self, name: str) -> SavedModel:
        return SavedModel.read(packaged(PACKAGED[name]))

    def test_schema(self, facts: SavedModel, prose: str, readme: str) -> None:
        predicates = {relation.predicate for relation in facts.schema}
        assert f"the {len(predicates)} predicates of DuIE 2.0" in prose
        assert f"{len(facts.schema)} relations" in readme

    def test_parameters_and_size(self, facts: SavedModel, prose: str, name: str) -> None:
        size = sum(path.stat().st_size for path in packaged(PACKAGED[name]).iterdir() if path.is_file())
        parameters, megabytes = re.search(
            r"([\d.]+) million parameters, ([\d.]+) MB on disk in float16", prose
        ).groups()
        assert facts.formats == ["float16"]
        assert parameters == _rounded(facts.parameters / 1e6)
        assert megabytes == _rounded(size / 1e6)

    def test_thresholds_and_calibration(self, facts: SavedModel, prose: str, name: str) -> None:
        decoding = facts.decoding
        four = [getattr(decoding.thresholds, side) for side in decoding.thresholds.__slots__]
        if name == "hf-spo-zh":
            assert four == [0.5] * 4
            assert "All border thresholds are 0.5" in prose
            assert decoding.score_thresholds == ()
        else:
            assert "Border thresholds are {}, {} for subjects and {}, {} for objects".format(*four) in prose
            assert f"around {median(decoding.score_thresholds):.2f}" in prose
            assert f"`span_pairing: {decoding.span_pairing}`" in prose
        assert decoding.calibration is not None
        assert f"({decoding.calibration.method.value}" in prose

    def test_rules(self, facts: SavedModel, prose: str) -> None:
        assert facts.schema.has_rules
        assert "rules" in prose

    def test_what_the_tokenizer_knows(self, facts: SavedModel, prose: str, name: str) -> None:
        encoder = facts.config["encoder_config"]
        if name == "hf-spo-zh":
            assert f"The vocabulary has {encoder['vocab_size']:,} tokens" in prose
            assert (encoder["num_hidden_layers"], encoder["hidden_size"]) == (12, 384)
        else:
            # Beside the characters there are [PAD] and [UNK].
            assert f"a vocabulary of {encoder['vocab_size'] - 2:,}" in prose
            assert (len(encoder["dilations"]), encoder["hidden_size"]) == (6, 64)


def _rounded(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}"
