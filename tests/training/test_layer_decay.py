import builders
import pytest
from transformers import AutoModel

from hf_spo import DgcnnConfig
from hf_spo.training.layer_decay import layer_factors


def names(kind):
    if kind == "dgcnn":
        sizes = {"vocab_size": 9, "hidden_size": 8, "word_vocab_size": 4, "word_embedding_size": 3}
        config = DgcnnConfig(dilations=[1, 2, 5], max_position_embeddings=20, **sizes)
    else:
        config = builders.encoder_config(kind, layers=3)
    return [f"encoder.{name}" for name, _ in AutoModel.from_config(config).named_parameters()]


LAYERED = [kind for kind in builders.ENCODERS if kind != "albert"]


@pytest.mark.parametrize("kind", [*LAYERED, "dgcnn"])
def test_layers_are_found(kind):
    found = layer_factors(names(kind), 0.5)
    assert list(found) == names(kind)
    for layer, factor in enumerate((0.25, 0.5, 1.0)):
        assert {value for name, value in found.items() if f".{layer}." in name and "embeddings" not in name} == {factor}
    embeddings = {value for name, value in found.items() if "embeddings" in name and ".0." not in name}
    assert embeddings == {0.125}
    assert set(found.values()) == {0.125, 0.25, 0.5, 1.0}


def test_what_follows_the_layers_is_not_slowed():
    assert layer_factors(names("modernbert"), 0.5)["encoder.final_norm.weight"] == 1.0


def test_off_needs_no_layers():
    assert layer_factors(["a", "b"], 1.0) == {"a": 1.0, "b": 1.0}


def test_layers_that_share_their_weights():
    with pytest.raises(
        ValueError, match=r"layer_decay=0.9: .*embeddings.* in no list of layers .*leave layer_decay at 1"
    ):
        layer_factors(names("albert"), 0.9)
