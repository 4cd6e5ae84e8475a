"""Layers: each against the plain formula that it stands for."""

import math

import pytest
import torch
from torch import nn

from hf_spo.layers import (
    ConditionAddition,
    ConditionalLayerNorm,
    PointerHead,
    inverse_powered_sigmoid,
    powered_cross_entropy,
    powered_sigmoid,
)

POWERS = pytest.mark.parametrize("power", [1, 2, 4])


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


class TestConditionalLayerNorm:
    hidden, condition, rows = torch.randn(3, 5, 8), torch.randn(4, 16), torch.tensor([0, 2, 2, 1])

    def test_fresh_one_is_a_plain_layer_norm(self):
        plain = nn.LayerNorm(8, eps=1e-12)(self.hidden)[self.rows]
        torch.testing.assert_close(ConditionalLayerNorm(8, 16)(self.hidden, self.condition, self.rows), plain)

    def test_scale_and_shift_are_linear_in_the_condition(self):
        layer = ConditionalLayerNorm(8, 16)
        for parameter in layer.parameters():
            nn.init.normal_(parameter)
        got = layer(self.hidden, self.condition, self.rows)
        for index, row in enumerate(self.rows.tolist()):
            x = self.hidden[row]
            normal = (x - x.mean(-1, keepdim=True)) / x.var(-1, keepdim=True, correction=0).sqrt()
            scale = layer.weight + layer.gamma_dense.weight @ self.condition[index]
            shift = layer.bias + layer.beta_dense.weight @ self.condition[index]
            torch.testing.assert_close(got[index], normal * scale + shift, rtol=1e-4, atol=1e-4)

    def test_a_fresh_one_learns_from_the_condition(self):
        layer = ConditionalLayerNorm(8, 16)
        layer(self.hidden, self.condition, self.rows).pow(2).sum().backward()
        assert layer.gamma_dense.weight.grad.abs().sum() > 0
        assert layer.beta_dense.weight.grad.abs().sum() > 0

    def test_no_subject(self):
        none = torch.zeros(0, dtype=torch.long)
        assert ConditionalLayerNorm(8, 16)(self.hidden, self.condition[:0], none).shape == (0, 5, 8)


def test_condition_addition_adds_then_normalises():
    layer = ConditionAddition(8, 16)
    hidden, condition, rows = torch.randn(3, 5, 8), torch.randn(2, 16), torch.tensor([2, 0])
    expected = torch.stack([layer.norm(hidden[row] + layer.dense(condition[i])) for i, row in enumerate([2, 0])])
    torch.testing.assert_close(layer(hidden, condition, rows), expected)


class TestPointerHead:
    def test_gives_two_logits_a_label(self):
        assert PointerHead(8, 3, 2, 0.02)(torch.randn(2, 5, 8)).shape == (2, 5, 3, 2)

    @POWERS
    def test_fresh_one_gives_the_initial_probability(self, power):
        head = PointerHead(8, 3, power, 0.02)
        probs = powered_sigmoid(head(torch.zeros(1, 8)), power)
        torch.testing.assert_close(probs, torch.full_like(probs, 0.02))


class TestPower:
    @POWERS
    @pytest.mark.parametrize("probability", [1e-6, 0.02, 0.5, 0.99])
    def test_inverse(self, power, probability):
        logit = torch.tensor(inverse_powered_sigmoid(probability, power), dtype=torch.float64)
        assert powered_sigmoid(logit, power).item() == pytest.approx(probability, rel=1e-3)

    @POWERS
    def test_cross_entropy_is_the_naive_formula(self, power):
        logits = torch.linspace(-8, 8, 161, dtype=torch.float64)
        for target in (0.0, 0.3, 1.0):
            p = (1 / (1 + (-logits).exp())) ** power
            naive = -(target * p.log() + (1 - target) * (1 - p).log())
            got = powered_cross_entropy(logits, torch.full(logits.shape, target), power)
            assert got.dtype == torch.float32
            torch.testing.assert_close(got.double(), naive, rtol=1e-4, atol=1e-6)

    @POWERS
    def test_gradient_is_that_of_the_naive_formula(self, power):
        logits = torch.linspace(-8, 8, 161, dtype=torch.float64, requires_grad=True)
        targets = (torch.arange(161) % 2).double()
        p = torch.sigmoid(logits) ** power
        (expected,) = torch.autograd.grad(-(targets * p.log() + (1 - targets) * (1 - p).log()).sum(), logits)
        (got,) = torch.autograd.grad(powered_cross_entropy(logits, targets, power).sum(), logits)
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)

    @POWERS
    @pytest.mark.parametrize("target", [0.0, 1.0])
    @pytest.mark.parametrize("size", [0.0, 20.0, 88.0, 1e3, 1e4])
    def test_value_and_gradient_are_finite_for_every_logit(self, power, target, size):
        logits = torch.tensor([-size, size], requires_grad=True)
        loss = powered_cross_entropy(logits, torch.full((2,), target), power)
        loss.sum().backward()
        assert torch.isfinite(loss).all()
        assert torch.isfinite(logits.grad).all()
        assert (loss >= 0).all()

    @POWERS
    def test_loss_grows_as_the_naive_one_where_that_overflows(self, power):
        logits = torch.tensor([-1e4, 1e4])
        assert powered_cross_entropy(logits, torch.ones(2), power).tolist() == pytest.approx([power * 1e4, 0])
        expected = [0, 1e4 - math.log(power)]
        assert powered_cross_entropy(logits, torch.zeros(2), power).tolist() == pytest.approx(expected)

    def test_power_one_is_the_usual_cross_entropy(self):
        logits, targets = torch.randn(50), torch.rand(50)
        usual = nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        torch.testing.assert_close(powered_cross_entropy(logits, targets, 1), usual)

    def test_half_precision_is_computed_in_float32(self):
        logits = torch.randn(5, dtype=torch.bfloat16)
        assert powered_sigmoid(logits, 2).dtype == torch.float32
        assert powered_cross_entropy(logits, torch.zeros(5), 2).dtype == torch.float32
