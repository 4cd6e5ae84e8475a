"""Defaults that follow from data and model."""

import pytest

from hf_spo.training.defaults import default_epochs, default_learning_rate


@pytest.mark.parametrize(
    ("texts", "batch_size", "epochs"),
    [(0, 8, 100), (40, 16, 100), (100, 8, 77), (500, 16, 50), (4_000, 16, 25), (26_000, 16, 4), (1_000_000, 16, 3)],
)
def test_default_epochs(texts, batch_size, epochs):
    assert default_epochs(texts, batch_size) == epochs


@pytest.mark.parametrize(
    ("model_type", "hidden_size", "rate"),
    [
        ("bert", 768, 5e-5),
        ("bert", 1024, 2.8125e-5),
        ("xlm-roberta", 384, 2e-4),
        ("bert", 128, 2e-4),
        ("dgcnn", 64, 1e-3),
    ],
)
def test_default_learning_rate(model_type, hidden_size, rate):
    assert default_learning_rate(model_type, hidden_size) == pytest.approx(rate)
