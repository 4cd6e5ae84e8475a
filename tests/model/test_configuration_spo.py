"""Configuration: everything a model is built from, as data."""

import json

import pytest
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig, BertConfig, DistilBertConfig, RobertaConfig

from hf_spo import Schema, SpoConfig
from hf_spo.model.configuration_decoding import RENAMED_KEYS
from hf_spo.model.decoding_settings import Thresholds
from hf_spo.model.versions import package_version
from tests import builders

RELATIONS = builders.SCHEMA.to_list()


def saved(tmp_path, **changes):
    """Save a config and change its file; None removes a key."""
    SpoConfig(relations=RELATIONS, encoder_config=builders.encoder_config()).save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    data = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in data.items() if value is not None}))
    return tmp_path


class TestEncoder:
    @pytest.mark.parametrize("encoder", [BertConfig(hidden_size=36), DistilBertConfig(), RobertaConfig()])
    def test_may_be_a_config(self, encoder):
        assert SpoConfig(encoder_config=encoder, relations=RELATIONS).encoder_config is encoder

    def test_may_be_a_dictionary(self):
        config = SpoConfig(encoder_config={"model_type": "roberta", "hidden_size": 24}, relations=RELATIONS)
        assert isinstance(config.encoder_config, RobertaConfig)
        assert config.encoder_config.hidden_size == 24

    def test_is_where_the_vocabulary_is(self):
        config = SpoConfig(encoder_config=builders.encoder_config(vocab_size=77))
        assert config.get_text_config().vocab_size == 77


class TestRoundTrip:
    @pytest.mark.parametrize("model_type", builders.ENCODERS)
    def test_saved_and_loaded_is_the_same(self, tmp_path, model_type):
        config = SpoConfig(
            encoder_config=builders.encoder_config(model_type),
            relations=RELATIONS,
            subject_power=3,
            max_length=77,
            conditioning="addition",
            object_end_threshold=0.4,
        )
        config.save_pretrained(tmp_path)
        for loaded in (SpoConfig.from_pretrained(tmp_path), AutoConfig.from_pretrained(tmp_path)):
            assert type(loaded) is SpoConfig
            assert type(loaded.encoder_config) is type(config.encoder_config)
            assert loaded.to_diff_dict() == config.to_diff_dict()
            assert loaded.schema == builders.SCHEMA

    def test_fields_of_both_levels_can_be_overridden_when_loading(self, tmp_path):
        loaded = AutoConfig.from_pretrained(
            saved(tmp_path), max_length=40, encoder_config={"hidden_dropout_prob": 0.25}
        )
        assert loaded.max_length == 40
        assert loaded.encoder_config.hidden_dropout_prob == 0.25
        assert loaded.encoder_config.hidden_size == 32

    def test_version_is_that_of_the_writer(self, tmp_path):
        loaded = SpoConfig.from_pretrained(saved(tmp_path, hf_spo_version="0.0.1"))
        assert loaded.hf_spo_version == "0.0.1"
        loaded.save_pretrained(tmp_path)
        assert SpoConfig.from_pretrained(tmp_path).hf_spo_version == package_version()


class TestStrangeFiles:
    def test_unknown_keys_are_dropped_with_a_warning_that_names_them(self, tmp_path, caplog):
        loaded = SpoConfig.from_pretrained(saved(tmp_path, subject_treshold=0.3, beam=5, hf_spo_version="9.9"))
        (message,) = [record.getMessage() for record in caplog.records]
        assert "beam, subject_treshold" in message
        assert "written by version 9.9" in message
        assert not hasattr(loaded, "beam")

    def test_own_file_gives_no_warning(self, tmp_path, caplog):
        SpoConfig.from_pretrained(saved(tmp_path))
        assert not caplog.records

    @pytest.mark.parametrize("key", ["relations", "encoder_config"])
    def test_missing_key_is_named(self, tmp_path, key):
        with pytest.raises(ValueError, match=f'no "{key}" .*damaged or belongs to another model'):
            SpoConfig.from_pretrained(saved(tmp_path, **{key: None}))

    def test_missing_key_may_be_given_when_loading(self, tmp_path):
        loaded = SpoConfig.from_pretrained(saved(tmp_path, relations=None), relations=RELATIONS[:2])
        assert len(loaded.schema) == 2

    def test_renamed_key_is_followed(self, tmp_path, monkeypatch, caplog):
        monkeypatch.setitem(RENAMED_KEYS, "head_power", "subject_power")
        loaded = SpoConfig.from_pretrained(saved(tmp_path, subject_power=None, head_power=3))
        assert loaded.subject_power == 3
        assert not caplog.records


class TestValues:
    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("subject_power", 0, "subject_power=0: expected a whole number of at least 1"),
            ("object_power", -1, "object_power=-1"),
            ("subject_power", "two", "expected int, got str"),
            ("subject_start_threshold", 1.5, "threshold subject_start=1.5: expected a probability"),
            ("initial_subject_probability", 0.0, "initial_subject_probability=0.0: expected a probability between"),
            ("initial_object_probability", 1.0, "initial_object_probability=1.0"),
            ("max_length", 2, "max_length=2: expected at least 3"),
            ("conditioning", "norm", "conditioning='norm': expected one of layer_norm, addition"),
            ("conditioning_position", "between", "conditioning_position='between': expected one of before, after"),
            ("relations", [{"predicate": "p"}], 'no "subject_type"'),
            ("relations", [], "at least one relation"),
        ],
    )
    def test_impossible_one_is_refused_with_what_was_expected(self, field, value, message):
        with pytest.raises(StrictDataclassError, match=message):
            SpoConfig(**{"relations": RELATIONS, field: value})

    def test_impossible_one_is_not_saved(self, tmp_path):
        config = SpoConfig(relations=RELATIONS)
        config.object_power = 0
        with pytest.raises(StrictDataclassError, match="object_power=0"):
            config.save_pretrained(tmp_path)

    def test_unknown_field_is_refused_with_a_suggestion(self):
        with pytest.raises(TypeError, match=r"no field subject_pwer; did you mean subject_power\?"):
            SpoConfig(relations=RELATIONS, subject_pwer=3)

    def test_thresholds_as_one_object(self):
        config = SpoConfig(relations=RELATIONS, subject_end_threshold=0.1, object_start_threshold=0.2)
        assert config.thresholds == Thresholds(0.5, 0.1, 0.2, 0.5)


class TestSchema:
    def test_is_built_from_the_relations(self):
        assert SpoConfig(relations=RELATIONS).schema == Schema.from_list(RELATIONS)

    def test_without_relations_says_what_to_do(self):
        with pytest.raises(ValueError, match=r"no relations.*relations=schema\.to_list\(\)"):
            _ = SpoConfig().schema


def test_a_saved_config_does_not_tell_where_the_encoder_lay(tmp_path):
    encoder = BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    encoder._name_or_path = "a/private/folder"
    config = SpoConfig(encoder_config=encoder, relations=RELATIONS)
    config.save_pretrained(tmp_path)
    assert "private" not in (tmp_path / "config.json").read_text(encoding="utf-8")
    assert encoder._name_or_path == "a/private/folder"
