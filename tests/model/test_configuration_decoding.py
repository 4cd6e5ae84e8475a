import copy
import json
import pickle

import pytest
from huggingface_hub.errors import StrictDataclassClassValidationError

from hf_spo import EnsembleConfig, SpoConfig
from hf_spo.model.calibration import Calibration, CalibrationMethod
from hf_spo.model.decoding_settings import DecodingSettings, SpanPairing, Thresholds
from tests import builders

RELATIONS = builders.SCHEMA.to_list()
CALIBRATION = Calibration(CalibrationMethod.TEMPERATURE, (1.2, -0.1))
SETTINGS = [
    DecodingSettings(),
    DecodingSettings(Thresholds(0.4, 0.3, 0.2, 0.1), SpanPairing.EITHER, CALIBRATION, (0.35,)),
    DecodingSettings(Thresholds(), SpanPairing.ALL, None, tuple(i / 20 for i in range(len(RELATIONS)))),
]


@pytest.fixture(params=["model", "ensemble"])
def config(request):
    if request.param == "model":
        return SpoConfig(encoder_config=builders.encoder_config(), relations=RELATIONS)
    return EnsembleConfig(groups=[["a"]], relations=RELATIONS)


@pytest.mark.parametrize("settings", SETTINGS)
def test_settings_survive_saving(config, settings, tmp_path):
    config.decode_by(settings)
    assert config.decoding == settings
    config.save_pretrained(tmp_path)
    assert type(config).from_pretrained(tmp_path).decoding == settings


def test_later_settings_leave_nothing_of_earlier_ones(config):
    for settings in (*SETTINGS, *reversed(SETTINGS)):
        config.decode_by(settings)
        assert config.decoding == settings


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("span_pairing", "farthest", "expected one of nearest, either, all"),
        ("score_threshold", 1.5, "from 0 to 1"),
        ("relation_score_thresholds", [0.5], "has 1 values: expected one for each of the 14"),
        ("relation_score_thresholds", [2.0] * 14, "from 0 to 1"),
        ("score_calibration", {"method": "magic"}, "magic"),
        ("subject_start_threshold", -0.1, "subject_start"),
        ("max_length", 2, "at least 3"),
    ],
)
def test_wrong_values_are_named(config, field, value, problem):
    with pytest.raises(StrictDataclassClassValidationError, match=problem):
        type(config)(**{**config.to_dict(), field: value})


def test_labels_are_named_by_the_relations(config, tmp_path):
    assert config.num_labels == len(RELATIONS)
    assert config.id2label[0] == "主演"
    assert config.id2label[4] == "成立日期 (机构 → Date)"
    assert config.label2id["票房.inArea"] == 10
    config.relations = RELATIONS[:3]
    config.save_pretrained(tmp_path)
    assert type(config).from_pretrained(tmp_path).id2label == {0: "主演", 1: "导演", 2: "作者"}


class TestTravellingCode:
    """The same file in a model's own folder, imported from there by transformers."""

    @pytest.fixture
    def travelling(self, monkeypatch):
        monkeypatch.setattr("hf_spo.model.configuration_decoding.INSTALLED", False)

    def test_goes_along_when_a_config_is_saved(self, travelling, config, tmp_path):
        config.hf_spo_version = "0.0.9"
        config.save_pretrained(tmp_path / "new")
        data = json.loads((tmp_path / "new" / "config.json").read_text())
        code = {path.stem for path in (tmp_path / "new").glob("*.py")}
        assert {"pipeline", "configuration_decoding"} <= code
        assert "__init__" not in code
        assert data["auto_map"] == REFERENCES[type(config)]
        assert data["custom_pipelines"]["triple-extraction"]["impl"] == "pipeline.TripleExtractionPipeline"
        assert data["hf_spo_version"] == "0.0.9"
        again = type(config).from_pretrained(tmp_path / "new")
        assert again.auto_map == data["auto_map"]

    def test_is_not_heard_of_by_the_package(self, config, tmp_path):
        config.save_pretrained(tmp_path)
        path = tmp_path / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | config.code_references()))
        again = type(config).from_pretrained(tmp_path)
        assert not hasattr(again, "auto_map")
        assert not hasattr(again, "custom_pipelines")
        assert not list(tmp_path.glob("*.py"))

    def test_of_others_is_kept(self, tmp_path):
        """A class of somebody else's, made from ours."""
        mine = type("MyConfig", (SpoConfig,), {"__module__": "mine"})
        data = {"auto_map": {"AutoConfig": "mine.MyConfig"}, "relations": RELATIONS, "encoder_config": {}}
        assert mine.from_dict(data).auto_map == data["auto_map"]


class TestSchema:
    def test_is_built_once(self, config):
        assert config.schema is config.schema
        assert config.schema == builders.SCHEMA

    def test_follows_a_change_of_the_relations(self, config):
        config.relations = [*RELATIONS[:3]]
        assert len(config.schema) == 3
        config.relations.pop()
        assert len(config.schema) == 2
        config.relations[0] = {**config.relations[0], "rules": {"max_objects": 1}}
        assert config.schema[0].rules.max_objects == 1
        config.relations[0]["rules"]["max_objects"] = 2
        assert config.schema[0].rules.max_objects == 2

    @pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
    def test_copies_have_their_own(self, config, again):
        schema, other = config.schema, again(config)
        assert other == config
        other.relations = RELATIONS[:2]
        assert (len(other.schema), config.schema) == (2, schema)

    def test_is_not_part_of_the_config(self, config):
        before = config.to_json_string()
        assert config.schema
        assert config.to_json_string() == before
        assert config.to_dict().keys() == type(config)(**config.to_dict()).to_dict().keys()


REFERENCES = {
    SpoConfig: {"AutoConfig": "pipeline.SpoConfig", "AutoModel": "pipeline.SpoForTripleExtraction"},
    EnsembleConfig: {"AutoConfig": "pipeline.EnsembleConfig", "AutoModel": "pipeline.SpoEnsemble"},
}
