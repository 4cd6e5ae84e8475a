"""Layers: each against the plain formula that it stands for."""

import math

import pytest
import torch
from torch import nn

from hf_spo.model.layers import (
    ConditionAddition,
    ConditionalLayerNorm,
    Convolution,
    GatedConvolution,
    GlobalGates,
    PointerHead,
    RelativePositions,
    SelfAttention,
    SubjectInsertion,
    SubjectVector,
    convolve,
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


class TestSubjectVector:
    hidden, rows = torch.randn(3, 20, 4), torch.tensor([2, 0, 0])
    spans = torch.tensor([[3, 3], [0, 19], [4, 6]])
    # Of six, evenly spread from the first to the last and rounded.
    tokens = ([3] * 6, [0, 4, 8, 11, 15, 19], [4, 4, 5, 5, 6, 6])

    @pytest.mark.parametrize("cell", ["gru", "lstm"])
    def test_a_network_reads_tokens_evenly_spread(self, cell):
        layer = SubjectVector(4, cell, 6)
        assert type(layer.network) is {"gru": nn.GRU, "lstm": nn.LSTM}[cell]
        got = layer(self.hidden, self.rows, self.spans)
        for index, (row, tokens) in enumerate(zip(self.rows.tolist(), self.tokens, strict=True)):
            states, _ = layer.network(self.hidden[row, tokens].unsqueeze(0))
            # What each direction holds after its last step.
            last = torch.cat([states[0, -1, :4], states[0, 0, 4:]])
            torch.testing.assert_close(got[index], layer.dense(last))

    def test_without_a_cell_the_borders_are_put_side_by_side(self):
        layer = SubjectVector(4, None, 6)
        assert layer.network is None
        got = layer(self.hidden, self.rows, self.spans)
        for index, (row, (start, end)) in enumerate(zip(self.rows.tolist(), self.spans.tolist(), strict=True)):
            borders = torch.cat([self.hidden[row, start], self.hidden[row, end]])
            torch.testing.assert_close(got[index], layer.dense(borders))

    @pytest.mark.parametrize("cell", ["gru", "lstm"])
    def test_one_position_is_the_first_token(self, cell):
        layer = SubjectVector(4, cell, 1)
        one = layer(self.hidden, self.rows, torch.tensor([[3, 9]] * 3))
        torch.testing.assert_close(one, layer(self.hidden, self.rows, torch.tensor([[3, 3]] * 3)))

    @pytest.mark.parametrize("cell", ["gru", "lstm", None])
    def test_no_subject(self, cell):
        layer = SubjectVector(4, cell, 6)
        got = layer(self.hidden, torch.zeros(0, dtype=torch.long), torch.zeros(0, 2, dtype=torch.long))
        assert got.shape == (0, 4)
        got.sum().backward()


class TestRelativePositions:
    def direct(self, layer, table, spans, length):
        """Embed each token's distances, then convolve over the sentence: as the reference does."""
        tokens = torch.arange(length)
        total = 0
        for side, convolution in enumerate((layer.start, layer.end)):
            distances = (tokens - spans[:, side, None]).abs().clamp(max=len(table) - 1)
            total = total + convolve(table[distances], convolution)
        return total

    spans = torch.tensor([[4, 6], [0, 0], [11, 11], [2, 9]])

    @pytest.mark.parametrize("positions", [30, 12, 5, 1])
    def test_it_is_the_direct_way_but_for_the_sentences_borders(self, positions):
        """At its borders, the direct way sees zeros where there is no token."""
        layer, table = RelativePositions(6, 8), torch.randn(positions, 6)
        got = layer(table, self.spans, 12)
        assert got.shape == (4, 12, 8)
        torch.testing.assert_close(got[:, 1:-1], self.direct(layer, table, self.spans, 12)[:, 1:-1])

    def test_it_depends_on_the_distance_alone(self):
        layer, table = RelativePositions(6, 8), torch.randn(30, 6)
        one, other = layer(table, torch.tensor([[1, 3]]), 12), layer(table, torch.tensor([[5, 7]]), 12)
        torch.testing.assert_close(one[0, :8], other[0, 4:])
        longer = layer(table, torch.tensor([[1, 3]]), 20)
        torch.testing.assert_close(longer[:, :12], one)

    def test_left_and_right_are_told_apart(self):
        got = RelativePositions(6, 8)(torch.randn(30, 6), torch.tensor([[5, 5]]), 11)[0]
        assert not torch.allclose(got[3], got[7])

    def test_distances_beyond_the_table_are_its_last(self):
        layer, table = RelativePositions(6, 8), torch.randn(4, 6)
        got = layer(table, torch.tensor([[0, 0]]), 12)[0]
        longer = layer(torch.cat([table, table[-1:].expand(20, 6)]), torch.tensor([[0, 0]]), 12)[0]
        torch.testing.assert_close(got, longer)
        torch.testing.assert_close(got[4:], got[4].expand(8, 8))

    def test_no_subject(self):
        none = torch.zeros(0, 2, dtype=torch.long)
        assert RelativePositions(6, 8)(torch.randn(4, 6), none, 12).shape == (0, 12, 8)

    def test_the_table_learns_too(self):
        table = torch.zeros(5, 6, requires_grad=True)
        RelativePositions(6, 8)(table, self.spans, 12).sum().backward()
        assert (table.grad.abs().sum(-1) > 0).all()


def test_subject_insertion_adds_the_vector_to_every_token():
    layer, table = SubjectInsertion(4, 6, "gru", 6), torch.randn(30, 6)
    hidden, rows, spans = torch.randn(2, 9, 4), torch.tensor([1, 0, 1]), torch.tensor([[2, 4], [0, 8], [5, 5]])
    got = layer(hidden, rows, spans, table)
    assert got.shape == (3, 9, 4)
    distances = layer.distances(table, spans, 9)
    vectors = layer.vector(hidden, rows, spans)
    torch.testing.assert_close(got, torch.stack([d + v for d, v in zip(distances, vectors, strict=True)]))


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
