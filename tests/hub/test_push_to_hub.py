"""`push_to_hub` of all that has it, and loading from there."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from huggingface_hub import HfApi, ModelCard
from huggingface_hub.errors import RepositoryNotFoundError
from transformers import AutoTokenizer, pipeline
from typer.testing import CliRunner

import hf_spo
from hf_spo import AutoModelForTripleExtraction, Example, SpoConfig, SpoEnsemble, SpoForTripleExtraction, TripleStore
from hf_spo.cli import app
from hf_spo.hub.card_files import is_generated
from hf_spo.hub.standalone import add_standalone_code
from hf_spo.training import SpoTrainer, SpoTrainingArguments
from tests import builders
from tests.hub import matrix


def load(kind):
    return SpoForTripleExtraction.from_pretrained(matrix.CHECKPOINTS / kind)


def tokenizer(kind):
    return AutoTokenizer.from_pretrained(matrix.CHECKPOINTS / kind)


def says_what_it_should(extract, kind):
    said = matrix.expected(kind)
    return matrix.close(extract(said["texts"]), said["triples"])


class TestModelAndTokenizer:
    def test_come_back(self, here):
        load("dgcnn").push_to_hub("x")
        tokenizer("dgcnn").push_to_hub("x")
        files = set(here["me/x"].files)
        assert {"config.json", "model.safetensors", "tokenizer.json", "README.md", "words.txt"} < files
        assert not [name for name in files if name.endswith(".py")]
        assert type(AutoModelForTripleExtraction.from_pretrained("me/x")) is SpoForTripleExtraction
        assert says_what_it_should(pipeline("triple-extraction", model="me/x"), "dgcnn")

    def test_what_is_known_travels(self, here):
        """Words are tried with the kept checkpoint; these are the triples of a store."""
        config = SpoConfig.from_pretrained(matrix.CHECKPOINTS / "bert", prior=True)
        model = SpoForTripleExtraction(config)
        known = builders.example("《晚风》由白露演唱", ("晚风", "歌手", "白露"))
        model.features.prior = TripleStore.from_examples([known], config.schema)
        model.push_to_hub("x")
        assert len(SpoForTripleExtraction.from_pretrained("me/x").features.prior) == 1

    def test_a_second_push_replaces_the_first(self, here):
        model = load("bert")
        model.push_to_hub("x", commit_message="one")
        model.config.max_length = 12
        model.push_to_hub("x", commit_message="two")
        assert here["me/x"].messages == ["initial commit", "one", "two"]
        assert SpoConfig.from_pretrained("me/x").max_length == 12

    def test_arguments_pass_through(self, here):
        load("dgcnn").push_to_hub("x", private=True, revision="draft", commit_description="of a kind")
        assert here["me/x"].private
        assert list(here["me/x"].files) == []
        assert SpoForTripleExtraction.from_pretrained("me/x", revision="draft").takes_words
        with pytest.raises(RepositoryNotFoundError):
            HfApi(endpoint=here.url, token=False).model_info("me/x")

    def test_a_folder_of_a_repository(self, here, tmp_path):
        shutil.copytree(matrix.CHECKPOINTS / "dgcnn", tmp_path / "deep" / "model")
        here.upload(tmp_path, "me/x")
        model = SpoForTripleExtraction.from_pretrained("me/x", subfolder="deep/model")
        own = AutoTokenizer.from_pretrained("me/x", subfolder="deep/model")
        assert says_what_it_should(pipeline("triple-extraction", model=model, tokenizer=own), "dgcnn")

    def test_saving_can_push(self, here, tmp_path):
        load("dgcnn").save_pretrained(tmp_path / "x", push_to_hub=True)
        assert "words.txt" in here["me/x"].files


class TestPipeline:
    def test_comes_back(self, here):
        pipeline("triple-extraction", model=str(matrix.CHECKPOINTS / "dgcnn")).push_to_hub("x")
        config = json.loads(here["me/x"].files["config.json"])
        assert not {"auto_map", "custom_pipelines"} & set(config)
        assert says_what_it_should(pipeline("triple-extraction", model="me/x"), "dgcnn")

    def test_the_task_is_that_of_the_card(self, here, tmp_path):
        folder = shutil.copytree(matrix.CHECKPOINTS / "bert", tmp_path / "bert")
        (folder / "README.md").write_text("---\npipeline_tag: triple-extraction\nlibrary_name: transformers\n---\n")
        add_standalone_code(folder)
        here.upload(folder, "me/x")
        assert says_what_it_should(pipeline(model="me/x"), "bert")


class TestEnsemble:
    @pytest.fixture
    def ensemble(self):
        return SpoEnsemble.from_models([matrix.CHECKPOINTS / kind for kind in matrix.KINDS], "union")

    @pytest.fixture
    def triples(self, ensemble, tmp_path):
        ensemble.save_pretrained(tmp_path / "local")
        return pipeline("triple-extraction", model=str(tmp_path / "local"))(matrix.expected("bert")["texts"])

    def test_comes_back(self, here, ensemble, triples):
        ensemble.push_to_hub("x")
        files = set(here["me/x"].files)
        assert {f"group-{n}/member-0/model.safetensors" for n in (0, 1)} < files
        assert "group-1/member-0/words.txt" in files
        assert isinstance(AutoModelForTripleExtraction.from_pretrained("me/x"), SpoEnsemble)
        extract = pipeline("triple-extraction", model="me/x")
        assert extract(matrix.expected("bert")["texts"]) == triples
        assert all(triples)
        extract.push_to_hub("y", private=True)
        assert here["me/y"].private
        assert set(here["me/y"].files) == files
        assert pipeline("triple-extraction", model="me/y")(matrix.expected("bert")["texts"]) == triples

    def test_arguments_pass_through(self, here, ensemble, tmp_path):
        (tmp_path / "y").mkdir()
        (tmp_path / "y" / "diary.txt").write_text("nobody's business")
        options = {"repo_id": "me/x", "private": True, "revision": "draft", "commit_message": "both"}
        ensemble.save_pretrained(tmp_path / "y", push_to_hub=True, **options)
        assert here["me/x"].private
        assert here["me/x"].messages == ["initial commit", "both"]
        assert here["me/x"].files == {}
        assert "diary.txt" not in here["me/x"].commits[here["me/x"].branches["draft"]]
        assert len(SpoEnsemble.from_pretrained("me/x", revision="draft").groups) == 2

    def test_a_folder_of_a_repository(self, here, ensemble, tmp_path):
        ensemble.save_pretrained(tmp_path / "deep" / "model")
        here.upload(tmp_path, "me/x")
        assert len(SpoEnsemble.from_pretrained("me/x", subfolder="deep/model").groups) == 2


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # of peft
class TestAdapter:
    """A LoRA adapter on the Hub, of a model on the Hub."""

    @pytest.fixture
    def merged(self, here, trained_folder):
        peft = pytest.importorskip("peft")
        here.upload(Path(trained_folder), "me/base")
        model = SpoForTripleExtraction.from_pretrained("me/base", dtype=torch.float32)
        lora = peft.get_peft_model(model, peft.LoraConfig(target_modules=["query"], init_lora_weights=False))
        lora.push_to_hub("adapter")
        assert "config.json" not in here["me/adapter"].files
        return lora.merge_and_unload().eval()

    @pytest.mark.parametrize(
        "load",
        [
            lambda name: hf_spo.load(name, dtype="float32").model,
            lambda name: hf_spo.pipeline(model=name).model,
            lambda name: pipeline("triple-extraction", model=name).model,
            SpoForTripleExtraction.from_pretrained,
            AutoModelForTripleExtraction.from_pretrained,
        ],
    )
    def test_comes_back(self, load, merged):
        torch.testing.assert_close(load("me/adapter").state_dict(), merged.state_dict())

    def test_has_settings_and_tokenizer_of_its_own(self, here, merged, trained_folder, tmp_path):
        config = SpoConfig.from_pretrained(trained_folder)
        config.score_threshold = 0.25
        config.save_pretrained(tmp_path)
        shutil.copy(Path(trained_folder) / "tokenizer.json", tmp_path)
        HfApi(endpoint=here.url).upload_folder(repo_id="me/adapter", folder_path=tmp_path)
        assert hf_spo.load("me/adapter").model.config.score_threshold == 0.25

    def test_commands(self, merged, trained_folder, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        rows = [json.dumps(example.to_dict()) for example in builders.EXAMPLES]
        Path("gold.jsonl").write_text("\n".join(rows), encoding="utf-8")
        Path("texts.txt").write_text("\n".join(example.text for example in builders.EXAMPLES), encoding="utf-8")
        texts = [example.text for example in builders.EXAMPLES]
        found = merged.extract(texts, AutoTokenizer.from_pretrained(trained_folder))
        for words in (
            "extract --input texts.txt --output lines.jsonl --dtype float32",
            "extract --input texts.txt --output corpus --dtype float32",
            "evaluate --data gold.jsonl",
            "export --output exported",
        ):
            result = CliRunner().invoke(app, [*words.split(), "--model", "me/adapter"])
            assert result.exit_code == 0, result.stderr
        for path in ("lines.jsonl", "corpus/part-00000.jsonl"):
            lines = Path(path).read_text(encoding="utf-8").splitlines()
            assert matrix.close([json.loads(line)["triples"] for line in lines], found)
        assert matrix.close(hf_spo.load("exported")(texts), found)


@pytest.mark.slow
def test_a_trainer_pushes_what_a_model_reads_while_it_trains(here, tmp_path):
    settings = {"push_to_hub": True, "hub_strategy": "every_save", "save_strategy": "steps", "save_steps": 1}
    arguments = SpoTrainingArguments(
        str(tmp_path / "run"), use_cpu=True, hub_model_id="me/x", disable_tqdm=True, max_steps=1, **settings
    )
    SpoTrainer(load("dgcnn"), arguments, [Example("今天天气很好")], processing_class=tokenizer("dgcnn")).train()
    assert {"model.safetensors", "tokenizer.json", "words.txt"} < set(here["me/x"].files)


@pytest.mark.slow
def test_a_trainer_pushes_what_it_trained(here, tmp_path):
    arguments = SpoTrainingArguments(str(tmp_path / "run"), use_cpu=True, hub_model_id="me/x", disable_tqdm=True)
    SpoTrainer(load("dgcnn"), arguments, processing_class=tokenizer("dgcnn")).push_to_hub(language="zh", tags="films")
    assert "words.txt" in here["me/x"].files
    card = here["me/x"].files["README.md"].decode()
    assert is_generated(card)
    assert 'model="me/x"' in card
    data = ModelCard(card).data
    assert (data.library_name, data.language) == ("hf-spo", ["zh"])
    assert {"triple-extraction", "films"} <= set(data.tags)
    assert says_what_it_should(pipeline("triple-extraction", model="me/x"), "dgcnn")
