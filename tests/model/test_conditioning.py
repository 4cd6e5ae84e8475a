"""Conditionings: each against the plain formula that it stands for."""

import pytest
import torch
from torch import nn

from hf_spo.model.conditioning import (
    CONDITIONINGS,
    ConditionAddition,
    ConditionalLayerNorm,
    RelativePositions,
    SubjectInsertion,
    SubjectVector,
)
from hf_spo.model.configuration_spo import Conditioning
from hf_spo.model.layers import convolve


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_every_name_has_a_builder():
    assert set(CONDITIONINGS) == set(Conditioning)


class TestConditionalLayerNorm:
    hidden, rows = torch.randn(3, 5, 8), torch.tensor([0, 2, 2, 1])
    spans = torch.tensor([[0, 1], [2, 4], [3, 3], [1, 4]])

    def test_fresh_one_is_a_plain_layer_norm(self):
        plain = nn.LayerNorm(8, eps=1e-12)(self.hidden)[self.rows]
        torch.testing.assert_close(ConditionalLayerNorm(8)(self.hidden, self.rows, self.spans), plain)

    def test_scale_and_shift_are_linear_in_the_condition(self):
        layer = ConditionalLayerNorm(8)
        for parameter in layer.parameters():
            nn.init.normal_(parameter)
        got = layer(self.hidden, self.rows, self.spans)
        for index, row in enumerate(self.rows.tolist()):
            x = self.hidden[row]
            normal = (x - x.mean(-1, keepdim=True)) / x.var(-1, keepdim=True, correction=0).sqrt()
            condition = torch.cat([x[self.spans[index, 0]], x[self.spans[index, 1]]])
            scale = layer.weight + layer.gamma_dense.weight @ condition
            shift = layer.bias + layer.beta_dense.weight @ condition
            torch.testing.assert_close(got[index], normal * scale + shift, rtol=1e-4, atol=1e-4)

    def test_a_fresh_one_learns_from_the_condition(self):
        layer = ConditionalLayerNorm(8)
        layer(self.hidden, self.rows, self.spans).pow(2).sum().backward()
        assert layer.gamma_dense.weight.grad.abs().sum() > 0
        assert layer.beta_dense.weight.grad.abs().sum() > 0

    def test_no_subject(self):
        none = torch.zeros(0, dtype=torch.long)
        assert ConditionalLayerNorm(8)(self.hidden, none, self.spans[:0]).shape == (0, 5, 8)


def test_condition_addition_adds_then_normalises():
    layer, hidden = ConditionAddition(8), torch.randn(3, 5, 8)
    rows, spans = torch.tensor([2, 0]), torch.tensor([[1, 3], [4, 4]])
    borders = [torch.cat([hidden[2, 1], hidden[2, 3]]), torch.cat([hidden[0, 4], hidden[0, 4]])]
    expected = [layer.norm(hidden[row] + layer.dense(border)) for row, border in zip((2, 0), borders, strict=True)]
    torch.testing.assert_close(layer(hidden, rows, spans), torch.stack(expected))


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
