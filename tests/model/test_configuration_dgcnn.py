"""Configuration of the convolutional encoder."""

import pytest
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig

from hf_spo import DgcnnConfig, SpoConfig


def test_defaults_are_the_published_ones():
    config = DgcnnConfig()
    assert config.hidden_size == config.word_embedding_size == 128
    assert config.dilations == [1, 2, 5, 1, 2, 5, 1, 2, 5, 1, 1, 1]
    assert config.num_hidden_layers == 12
    assert config.kernel_size == 3
    assert config.max_position_embeddings == 512
    assert (config.hidden_dropout_prob, config.gate_dropout_prob) == (0.25, 0.1)


def test_layers_follow_the_dilations():
    assert DgcnnConfig(dilations=[1, 2, 5, 1, 2, 5]).num_hidden_layers == 6


def test_two_configs_do_not_share_their_dilations():
    DgcnnConfig().dilations.append(7)
    assert DgcnnConfig().dilations[-1] == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vocab_size": 0}, "vocab_size=0: expected a whole number of at least 1"),
        ({"hidden_size": -8}, "hidden_size=-8: expected a whole number of at least 1"),
        ({"word_embedding_size": 0}, "word_embedding_size=0"),
        ({"kernel_size": 0}, "kernel_size=0: expected a whole number of at least 1"),
        ({"kernel_size": 4}, "kernel_size=4: expected an odd number"),
        ({"dilations": []}, r"dilations=\[\]: expected one or more dilations"),
        ({"dilations": [1, 0]}, r"dilations=\[1, 0\]: .*of at least 1"),
        ({"max_position_embeddings": -1}, "max_position_embeddings=-1: expected a whole number; 0 is off"),
        ({"word_vocab_size": -1}, "word_vocab_size=-1: expected a whole number; 0 is off"),
        ({"hidden_dropout_prob": 1.0}, r"hidden_dropout_prob=1\.0: expected at least 0"),
        ({"gate_dropout_prob": -0.1}, r"gate_dropout_prob=-0\.1: expected at least 0"),
        ({"segmenter": 3}, "segmenter"),
    ],
)
def test_wrong_values(settings, message):
    with pytest.raises((ValueError, StrictDataclassError), match=message):
        DgcnnConfig(**settings)


@pytest.mark.parametrize("name", ["hidden_dropout_prob", "gate_dropout_prob"])
def test_no_dropout_may_be_a_whole_number(name):
    """As YAML and JSON write it, and as BERT's config takes it."""
    assert getattr(DgcnnConfig(**{name: 0}), name) == 0


@pytest.mark.parametrize(
    "settings", [{}, {"dilations": [2], "kernel_size": 5, "word_vocab_size": 9, "segmenter": "characters"}]
)
def test_saved_and_loaded_is_the_same(settings, tmp_path):
    config = DgcnnConfig(**settings)
    config.save_pretrained(tmp_path)
    loaded = AutoConfig.from_pretrained(tmp_path)
    assert type(loaded) is DgcnnConfig
    assert loaded.to_diff_dict() == config.to_diff_dict()
    assert loaded.dilations == config.dilations


def test_it_is_known_by_its_type():
    config = SpoConfig(encoder_config={"model_type": "dgcnn", "dilations": [1, 2]})
    assert isinstance(config.encoder_config, DgcnnConfig)
    assert config.encoder_config.dilations == [1, 2]
