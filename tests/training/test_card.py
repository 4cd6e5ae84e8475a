"""The card that a trainer writes is ours, has what the trainer knows, and stays once somebody has edited it."""

from huggingface_hub import ModelCard

from hf_spo.training.card import on_hub
from tests.training import tiny


def test_the_card_of_a_trained_model(tmp_path):
    run = tiny.trainer(tmp_path / "films", dev=tiny.TEXTS, max_steps=1)
    run.train()
    score = run.evaluate()
    run.create_model_card(language="zh", license="apache-2.0", tags=["films"], dataset_tags="me/films", dataset="Films")
    path = tmp_path / "films" / "README.md"
    card = ModelCard.load(path)
    assert card.data.library_name == "hf-spo"
    assert {"triple-extraction", "films"} <= set(card.data.tags)
    assert (card.data.language, card.data.license, card.data.datasets) == (["zh"], "apache-2.0", ["me/films"])
    assert {result.metric_value for result in card.data.eval_results} >= {round(score["eval_f1"], 4)}
    assert "On 10 texts of eval\\_dataset" in card.text
    assert "by SpoTrainer" in card.text
    assert "hf-spo evaluate --model films --data" not in card.text
    assert (tmp_path / "films" / "model.safetensors").is_file()
    path.write_text("mine", encoding="utf-8")
    run.create_model_card()
    assert path.read_text(encoding="utf-8") == "mine"


def test_without_an_evaluation_and_a_second_time(tmp_path):
    run = tiny.trainer(tmp_path / "films")
    run.create_model_card()
    run.create_model_card(finetuned_from="me/base", model_name="films-2")
    card = ModelCard.load(tmp_path / "films" / "README.md")
    assert card.data.base_model == "me/base"
    assert "films-2" in card.text
    assert not card.data.eval_results


def test_names_that_the_hub_allows(tmp_path):
    assert on_hub("google-bert/bert-base-chinese") == "google-bert/bert-base-chinese"
    assert [on_hub(name) for name in (None, "", str(tmp_path), "a//b")] == [None, None, None, None]
