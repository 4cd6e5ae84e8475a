"""LoRA adapters: trained, saved, and loaded as if they were whole models."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from transformers import pipeline

import hf_spo
from hf_spo import AutoModelForTripleExtraction, SpoForTripleExtraction
from hf_spo.hub import SavedModel
from hf_spo.loading.checked import load_checked
from hf_spo.model.checkpoint import CheckpointError
from tests.training import tiny

# Of peft, about a name that transformers has changed.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")

TEXTS = [text.text for text in tiny.TEXTS]
PARTS = {"target_modules": ["query", "value"], "modules_to_save": ["subject_head", "object_head"]}


@pytest.fixture(scope="module")
def trained(trained_folder, tmp_path_factory):
    """A folder with an adapter that was trained as users do, and the model with it merged."""
    peft = pytest.importorskip("peft")
    folder = tmp_path_factory.mktemp("adapter")
    model = SpoForTripleExtraction.from_pretrained(trained_folder, dtype=torch.float32)
    lora = peft.get_peft_model(model, peft.LoraConfig(r=4, **PARTS))
    run = tiny.trainer(folder, lora, max_steps=2, learning_rate=0.01, ema_decay=0.0)
    run.train()
    lora.config.score_threshold = 0.25
    run.save_model()
    return folder, lora.merge_and_unload().eval()


@pytest.fixture
def adapter(trained, tmp_path):
    """A copy of the adapter, which may be changed."""
    return Path(shutil.copytree(trained[0], tmp_path / "adapter"))


def edit(adapter, **entries):
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_only_the_adapter_and_the_settings_are_saved(trained):
    names = {path.name for path in trained[0].iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "config.json", "tokenizer.json"} <= names
    assert "model.safetensors" not in names


@pytest.mark.parametrize(
    "load",
    [
        lambda path: hf_spo.load(path, dtype="float32").model,
        lambda path: hf_spo.pipeline(model=path).model,
        lambda path: pipeline("triple-extraction", model=str(path)).model,
        SpoForTripleExtraction.from_pretrained,
        AutoModelForTripleExtraction.from_pretrained,
        lambda path: load_checked(str(path))[0],
    ],
)
def test_it_loads_as_a_whole_model(load, trained, trained_folder):
    folder, merged = trained
    model = load(folder)
    assert type(model) is SpoForTripleExtraction
    assert model.name_or_path == str(folder)
    assert model.config.decoding == merged.config.decoding
    assert model.config.window == merged.config.window
    weights = model.state_dict()
    assert weights.keys() == merged.state_dict().keys()
    for name, tensor in merged.state_dict().items():
        torch.testing.assert_close(weights[name], tensor)
    before = SpoForTripleExtraction.from_pretrained(trained_folder).state_dict()
    changed = {name for name, tensor in before.items() if not torch.equal(tensor, weights[name])}
    assert {"object_head.weight", "encoder.encoder.layer.0.attention.self.query.weight"} <= changed


def test_without_settings_and_tokenizer_those_of_the_model_are_used(adapter, trained_folder):
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (adapter / name).unlink()
    extract = hf_spo.load(adapter)
    assert extract.model.config.decoding == SpoForTripleExtraction.from_pretrained(trained_folder).config.decoding
    assert len(extract(TEXTS)) == len(TEXTS)
    assert SpoForTripleExtraction.from_pretrained(adapter).config.schema == extract.schema


def test_a_packaged_model_is_found_on_any_machine(adapter, trained_folder, monkeypatch):
    asked = []
    monkeypatch.setattr("hf_spo.loading.checked.find_model", lambda name: asked.append(name) or trained_folder)
    edit(adapter, base_model_name_or_path="/home/else/site-packages/hf_spo/default_model")
    assert hf_spo.load(adapter).schema == SpoForTripleExtraction.from_pretrained(trained_folder).config.schema
    assert asked == ["base"]


@pytest.mark.parametrize("load", [hf_spo.load, SpoForTripleExtraction.from_pretrained])
class TestRefused:
    def test_no_peft(self, load, adapter, monkeypatch):
        monkeypatch.setitem(sys.modules, "peft", None)
        with pytest.raises(ImportError, match=r"adapter, which needs peft: pip install 'hf-spo\[peft\]'"):
            load(adapter)

    @pytest.mark.parametrize(
        ("entries", "message"),
        [
            ({"base_model_name_or_path": None}, "base_model_name_or_path=None: expected the model that"),
            ({"base_model_name_or_path": ""}, "base_model_name_or_path='': expected the model that"),
            ({"r": 3}, "the adapter cannot be merged into .*expected an adapter of this model"),
        ],
    )
    def test_wrong_configs(self, load, adapter, entries, message):
        edit(adapter, **entries)
        with pytest.raises(CheckpointError, match=message):
            load(adapter)

    def test_damaged_files(self, load, adapter):
        (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
        with pytest.raises(CheckpointError, match=r"no adapter_model\.safetensors; pickles are not read"):
            load(adapter)
        (adapter / "adapter_config.json").write_text("[")
        with pytest.raises(CheckpointError, match="is not the config of an adapter"):
            load(adapter)


def test_a_model_that_is_not_here(adapter):
    edit(adapter, base_model_name_or_path="/no/such/model")
    with pytest.raises(CheckpointError, match="enter the place of the model as base_model"):
        hf_spo.load(adapter)


def test_a_whole_model_is_published_exported_or_made_of_it(adapter, trained, tmp_path):
    with pytest.raises(ValueError, match="has an adapter only; save the whole model by "):
        SavedModel.read(adapter)
    hf_spo.load(adapter, dtype="float32").save_pretrained(tmp_path / "merged")
    assert SavedModel.read(tmp_path / "merged").members == [""]
    torch.testing.assert_close(
        SpoForTripleExtraction.from_pretrained(tmp_path / "merged").state_dict(), dict(trained[1].state_dict())
    )
