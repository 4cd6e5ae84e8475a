"""Models saved by other versions: those of the first release load for ever, those of a newer one say that they are."""

import json
import logging
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel, AutoTokenizer, pipeline

from hf_spo import SpoConfig, SpoForTripleExtraction
from hf_spo.model.versions import NewerVersionError, is_newer, package_version

CHECKPOINTS = Path(__file__).parents[1] / "fixtures" / "checkpoint-0.1.0"
KINDS = pytest.mark.parametrize("kind", ["bert", "dgcnn"])


def expected(kind):
    return json.loads((CHECKPOINTS / kind / "expected.json").read_text(encoding="utf-8"))


def approximately(triple):
    return {**triple, "score": pytest.approx(triple["score"], abs=1e-5)}


@KINDS
class TestFirstRelease:
    def test_gives_the_same_triples(self, kind):
        said = expected(kind)
        found = pipeline("triple-extraction", model=str(CHECKPOINTS / kind))(said["texts"])
        assert found == [[approximately(triple) for triple in triples] for triples in said["triples"]]
        assert all(found)

    def test_gives_the_same_probabilities(self, kind, caplog, recwarn):
        said = expected(kind)
        model, info = AutoModel.from_pretrained(CHECKPOINTS / kind, output_loading_info=True)
        assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
        with torch.inference_mode():
            output = model.eval()(**{name: torch.tensor(value) for name, value in said["inputs"].items()})
        for name in ("subject_probs", "object_probs"):
            torch.testing.assert_close(getattr(output, name), torch.tensor(said[name]), atol=1e-5, rtol=1e-4)
        assert caplog.records == []
        assert recwarn.list == []

    def test_tokens_are_the_same(self, kind):
        said = expected(kind)
        tokenizer = AutoTokenizer.from_pretrained(CHECKPOINTS / kind)
        assert tokenizer(said["texts"], padding=True)["input_ids"] == said["inputs"]["input_ids"]

    def test_can_be_saved_anew(self, kind, tmp_path):
        model = SpoForTripleExtraction.from_pretrained(CHECKPOINTS / kind)
        model.save_pretrained(tmp_path)
        again = SpoForTripleExtraction.from_pretrained(tmp_path)
        assert again.config.to_diff_dict() | {"_name_or_path": ""} == model.config.to_diff_dict() | {
            "_name_or_path": ""
        }
        assert again.state_dict().keys() == model.state_dict().keys()
        for name, tensor in model.state_dict().items():
            assert torch.equal(again.state_dict()[name], tensor)


@pytest.mark.parametrize(
    ("version", "newer"),
    [("99.0", True), ("0.1.1.dev0", True), ("0.10.0", True), ("0.0.9", False), ("0.1.0rc1", False), ("unknown", False)],
)
def test_versions_are_compared_as_versions(version, newer, monkeypatch):
    monkeypatch.setattr("hf_spo.model.versions.package_version", lambda: "0.1.0")
    assert is_newer(version) is newer
    assert not is_newer(None)


@pytest.fixture
def newer(tmp_path):
    """Return what makes a checkpoint one of a newer version, with changes to its config."""

    def make(version, **changes):
        folder = shutil.copytree(CHECKPOINTS / "bert", tmp_path / version)
        config = json.loads((folder / "config.json").read_text())
        config |= {"hf_spo_version": version, **changes}
        config = {key: value for key, value in config.items() if value is not None}
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    return make


class TestNewerVersion:
    def test_says_so_once_and_names_what_is_unknown(self, newer, caplog):
        folder = newer("99.1", beam_width=5, arcs=True)
        said = expected("bert")
        with caplog.at_level(logging.WARNING):
            found = pipeline("triple-extraction", model=str(folder))(said["texts"])
        (record,) = caplog.records
        assert record.getMessage() == (
            f"this hf_spo config was written by version 99.1, newer than {package_version()} here: "
            "pip install --upgrade hf-spo; unknown keys are ignored: arcs, beam_width"
        )
        assert found == [[approximately(triple) for triple in triples] for triples in said["triples"]]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"relations": None}, 'no "relations"'),
            ({"span_pairing": "beam"}, "span_pairing"),
            ({"max_length": "long"}, "max_length"),
        ],
    )
    def test_config_that_cannot_be_read(self, newer, changes, reason):
        folder = newer("99.2", **changes)
        for load in (AutoConfig, SpoConfig, SpoForTripleExtraction):
            with pytest.raises(NewerVersionError, match=rf"version 99\.2 of hf_spo.*upgrade hf-spo \(.*{reason}"):
                load.from_pretrained(folder)

    @pytest.mark.parametrize("change", ["missing", "unknown", "other shape"])
    def test_weights_that_do_not_fit(self, newer, change):
        folder = newer("99.3")
        weights = load_file(folder / "model.safetensors")
        name = "object_head.bias"
        if change == "missing":
            del weights[name]
        elif change == "unknown":
            weights["arc_head.bias"] = torch.zeros(3)
        else:
            weights[name] = torch.zeros(7)
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        for load in (SpoForTripleExtraction, AutoModel):
            with pytest.raises(NewerVersionError, match=r"/99\.3 was written by version 99\.3.*upgrade hf-spo"):
                load.from_pretrained(folder)
        model = SpoForTripleExtraction.from_pretrained(folder, ignore_mismatched_sizes=True)
        assert model.config.hf_spo_version == "99.3"

    def test_what_fails_otherwise_is_not_blamed_on_the_version(self, newer):
        for version in ("0.0.1", package_version()):
            folder = newer(version, span_pairing="beam")
            with pytest.raises(Exception, match="span_pairing") as caught:  # whatever transformers raises
                SpoForTripleExtraction.from_pretrained(folder)
            assert not isinstance(caught.value, NewerVersionError)
