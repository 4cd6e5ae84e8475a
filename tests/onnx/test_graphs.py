"""Graphs of every kind of model; those that take long to make are marked slow."""

import pytest
import torch
from torch import nn

from hf_spo import DgcnnConfig
from hf_spo.onnx import export_onnx
from hf_spo.onnx.graphs import SteppedNetwork, plain
from tests import builders

DGCNN = DgcnnConfig(vocab_size=320, hidden_size=16, dilations=[1, 2])


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
@pytest.mark.parametrize("shape", [(3, 6), (1, 1), (2, 4)])
def test_stepped_network_is_the_same(kind, shape):
    torch.manual_seed(0)
    network = kind(8, 8, batch_first=True, bidirectional=True)
    tokens = torch.randn(*shape, 8)
    last = network(tokens)[1]
    expected = last[0] if isinstance(last, tuple) else last
    torch.testing.assert_close(SteppedNetwork(network)(tokens)[1], expected)


def test_plain_leaves_the_model_as_it_is():
    model = builders.spo_model(attn_implementation="sdpa").to(torch.bfloat16).train()
    copy = plain(model)
    assert (copy.dtype, copy.training, copy.encoder.config._attn_implementation) == (torch.float32, False, "eager")
    assert (model.dtype, model.training, model.encoder.config._attn_implementation) == (torch.bfloat16, True, "sdpa")
    assert copy.features is model.features


@pytest.mark.slow
@pytest.mark.parametrize("model_type", builders.ENCODERS)
@pytest.mark.parametrize("position", ["before", "after"])
def test_every_encoder(model_type, position, tiny_tokenizer, tmp_path):
    model = builders.spo_model(
        builders.encoder_config(model_type, layers=1),
        conditioning="addition" if position == "before" else "layer_norm",
        conditioning_position=position,
    )
    assert export_onnx(model, tiny_tokenizer, tmp_path / "x").largest_difference < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"conditioning": "recurrent", "recurrent_cell": "gru"},
        {"conditioning": "concatenation"},
        {"conditioning": "layer_norm", "global_gates": True},
        {"conditioning": "addition", "head_attention_heads": 2},
    ],
)
@pytest.mark.parametrize("encoder", [DGCNN, builders.encoder_config("bert", layers=1)], ids=["dgcnn", "bert"])
def test_every_conditioning(encoder, settings, tiny_tokenizer, tmp_path):
    model = builders.spo_model(encoder, **settings)
    assert export_onnx(model, tiny_tokenizer, tmp_path / "x").largest_difference < 1e-5
