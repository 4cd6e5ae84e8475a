"""Layers: each against the plain formula that it stands for."""

import math

import pytest
import torch
from torch import nn

from hf_spo.model.layers import (
    Convolution,
    GatedConvolution,
    GlobalGates,
    PointerHead,
    SelfAttention,
    convolve,
    inverse_powered_sigmoid,
    powered_cross_entropy,
    powered_sigmoid,
)

POWERS = pytest.mark.parametrize("power", [1, 2, 4])


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


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


class TestConvolutions:
    hidden = torch.randn(3, 9, 8)
    mask = torch.tensor([[1] * 9, [1] * 4 + [0] * 5, [0] * 9])

    @pytest.mark.parametrize("kernel", [1, 3, 5])
    @pytest.mark.parametrize("dilation", [1, 2, 5])
    def test_convolve_is_a_convolution_that_keeps_the_length(self, kernel, dilation):
        layer = nn.Conv1d(8, 6, kernel, dilation=dilation)
        expected = nn.functional.conv1d(
            self.hidden.transpose(1, 2),
            layer.weight,
            layer.bias,
            padding=dilation * (kernel // 2),
            dilation=dilation,
        ).transpose(1, 2)
        got = convolve(self.hidden, layer)
        assert got.shape == (3, 9, 6)
        torch.testing.assert_close(got, expected)

    @pytest.mark.parametrize("dilation", [1, 2])
    def test_a_gated_one_is_the_published_formula(self, dilation):
        """Y = X·(1 − σ) + Conv₁(X)·σ, σ = sigmoid(Conv₂(X)); the first half of the channels is Conv₂."""
        layer = GatedConvolution(8, 3, dilation, 0.0)
        x = self.hidden.transpose(1, 2)
        gate, value = (
            nn.functional.conv1d(x, layer.weight[half], layer.bias[half], padding=dilation, dilation=dilation)
            for half in (slice(8), slice(8, 16))
        )
        sigma = torch.sigmoid(gate)
        expected = (x * (1 - sigma) + value * sigma).transpose(1, 2)
        torch.testing.assert_close(layer(self.hidden, torch.ones(3, 9, 1)), expected)

    def test_a_gated_one_keeps_padding_at_zero(self):
        layer, mask = GatedConvolution(8, 3, 1, 0.0), self.mask.unsqueeze(-1)
        got = layer(self.hidden * mask, mask)
        assert got[self.mask == 0].abs().max() == 0
        assert got[self.mask == 1].abs().min() > 0

    def test_the_gates_dropout_is_of_training_only(self):
        layer, mask = GatedConvolution(8, 3, 1, 0.5), torch.ones(3, 9, 1)
        assert not torch.equal(layer(self.hidden, mask), layer(self.hidden, mask))
        layer.eval()
        assert torch.equal(layer(self.hidden, mask), layer(self.hidden, mask))

    def test_channels_are_convolved_side_by_side(self):
        layer, marks = Convolution(10, 6), torch.randn(3, 9, 2)
        both = torch.cat([self.hidden, marks], dim=-1).transpose(1, 2)
        expected = nn.functional.conv1d(both, layer.weight, layer.bias, padding=1).transpose(1, 2)
        torch.testing.assert_close(layer([self.hidden, marks], torch.ones(3, 9)), expected)

    def test_what_padding_holds_does_not_matter(self):
        layer = Convolution(8, 6)
        other = torch.where(self.mask.unsqueeze(-1) == 1, self.hidden, 99.0)
        torch.testing.assert_close(layer([self.hidden], self.mask), layer([other], self.mask))
        shorter = layer([self.hidden[1:2, :4]], self.mask[1:2, :4])
        torch.testing.assert_close(layer([self.hidden], self.mask)[1:2, :4], shorter)

    def test_channels_of_other_types_are_brought_to_the_first(self):
        layer = Convolution(10, 6).to(torch.bfloat16)
        got = layer([self.hidden.to(torch.bfloat16), torch.ones(3, 9, 2)], self.mask)
        assert got.dtype == torch.bfloat16


class TestSelfAttention:
    """Training and extraction take different ways to the same result."""

    hidden = torch.randn(3, 7, 8)
    mask = torch.tensor([[1] * 7, [1] * 4 + [0] * 3, [0] * 7])
    modes = pytest.mark.parametrize("grad", [True, False])
    types = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])

    @modes
    def test_it_is_scaled_dot_product_attention(self, grad):
        layer = SelfAttention(8, 2, 5)
        query, key, value = (
            part.view(3, 7, 2, 5).transpose(1, 2) for part in (self.hidden @ layer.qkv.weight.T).chunk(3, dim=-1)
        )
        seen = self.mask[:2, None, None].bool()
        expected = nn.functional.scaled_dot_product_attention(query[:2], key[:2], value[:2], attn_mask=seen)
        with torch.set_grad_enabled(grad):
            got = layer(self.hidden, self.mask)
        assert got.shape == (3, 7, 10)
        torch.testing.assert_close(got[:2], expected.transpose(1, 2).flatten(2))

    @modes
    def test_masked_tokens_are_not_seen(self, grad):
        layer = SelfAttention(8, 2, 5)
        other = torch.where(self.mask.unsqueeze(-1) == 1, self.hidden, 9.0)
        seen = self.mask == 1
        with torch.set_grad_enabled(grad):
            torch.testing.assert_close(layer(self.hidden, self.mask)[seen], layer(other, self.mask)[seen])

    @types
    @modes
    def test_a_sentence_without_tokens_is_finite(self, dtype, grad):
        layer = SelfAttention(8, 2, 5).to(dtype)
        with torch.set_grad_enabled(grad):
            got = layer(self.hidden.to(dtype), self.mask)
        assert got.dtype == dtype
        assert torch.isfinite(got).all()

    @types
    def test_its_gradients_are_finite_too(self, dtype):
        layer, hidden = SelfAttention(8, 2, 5).to(dtype), self.hidden.clone().to(dtype).requires_grad_()
        layer(hidden, self.mask).float().sum().backward()
        assert torch.isfinite(hidden.grad).all()
        assert torch.isfinite(layer.qkv.weight.grad).all()


class TestGlobalGates:
    hidden = torch.randn(3, 7, 8)
    mask = torch.tensor([[1] * 7, [1] * 4 + [0] * 3, [0] * 7])

    def test_shapes(self):
        gates = GlobalGates(8, 5)
        assert gates.entities(self.hidden).shape == (3, 7, 2)
        assert gates.relations(self.hidden, self.mask).shape == (3, 5)
        assert gates.any_object(torch.randn(4, 7, 8)).shape == (4, 7, 1)

    def test_starts_and_ends_have_their_own(self):
        gates = GlobalGates(8, 5)
        entities = gates.entities(self.hidden)
        torch.testing.assert_close(entities[..., :1], gates.entity_start(self.hidden))
        torch.testing.assert_close(entities[..., 1:], gates.entity_end(self.hidden))

    def test_relations_read_the_strongest_state_of_each_channel(self):
        gates = GlobalGates(8, 5)
        got = gates.relations(self.hidden, self.mask)
        torch.testing.assert_close(got[0], gates.relation(self.hidden[0].amax(0)))
        torch.testing.assert_close(got[1], gates.relation(self.hidden[1, :4].amax(0)))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
    def test_a_sentence_without_tokens_is_finite(self, dtype):
        gates = GlobalGates(8, 5).to(dtype)
        assert torch.isfinite(gates.relations(self.hidden.to(dtype), self.mask)).all()


class TestGatedCrossEntropy:
    @POWERS
    @pytest.mark.parametrize("count", [1, 3])
    def test_it_is_that_of_the_product(self, power, count):
        logits = torch.linspace(-8, 8, 33, dtype=torch.float64)
        gates = [torch.linspace(6, -6, 33, dtype=torch.float64).roll(7 * number) for number in range(count)]
        product = torch.sigmoid(logits) ** power
        for gate in gates:
            product = product * torch.sigmoid(gate)
        for target in (0.0, 0.3, 1.0):
            expected = -(target * product.log() + (1 - target) * (1 - product).log())
            got = powered_cross_entropy(logits, torch.full(logits.shape, target), power, gates)
            assert got.dtype == torch.float32
            torch.testing.assert_close(got.double(), expected, rtol=1e-4, atol=1e-6)

    @POWERS
    def test_gradients_are_those_of_the_product(self, power):
        values = [torch.linspace(-5, 5, 21, dtype=torch.float64).roll(5 * i).requires_grad_() for i in range(3)]
        targets = (torch.arange(21) % 2).double()
        product = torch.sigmoid(values[0]) ** power * torch.sigmoid(values[1]) * torch.sigmoid(values[2])
        naive = -(targets * product.log() + (1 - targets) * (1 - product).log()).sum()
        loss = powered_cross_entropy(values[0], targets, power, values[1:]).sum()
        for got, expected in zip(torch.autograd.grad(loss, values), torch.autograd.grad(naive, values), strict=True):
            torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)

    @POWERS
    @pytest.mark.parametrize("target", [0.0, 1.0])
    @pytest.mark.parametrize("size", [0.0, 20.0, 88.0, 200.0, 1e4])
    def test_value_and_gradients_are_finite_for_every_logit(self, power, target, size):
        signs = torch.cartesian_prod(*[torch.tensor([-size, size])] * 4)
        logits, *gates = (signs[:, number].clone().requires_grad_() for number in range(4))
        loss = powered_cross_entropy(logits, torch.full((16,), target), power, gates)
        loss.sum().backward()
        assert torch.isfinite(loss).all()
        for values in (logits, *gates):
            assert torch.isfinite(values.grad).all()

    def test_a_gate_that_is_open_changes_nothing(self):
        logits, targets = torch.randn(50), torch.rand(50)
        plain = powered_cross_entropy(logits, targets, 2)
        torch.testing.assert_close(powered_cross_entropy(logits, targets, 2, [torch.full((50,), 200.0)]), plain)

    def test_gates_are_broadcast(self):
        logits, targets = torch.randn(2, 5, 3, 2), torch.rand(2, 5, 3, 2)
        gates = [torch.randn(2, 5, 1, 2), torch.randn(2, 5, 1, 1), torch.randn(2, 1, 3, 1)]
        expected = powered_cross_entropy(logits, targets, 2, [gate.expand_as(logits) for gate in gates])
        torch.testing.assert_close(powered_cross_entropy(logits, targets, 2, gates), expected)
