import pytest
import torch
from torch import nn

from hf_spo.training import ExponentialMovingAverage


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return nn.Linear(3, 2)


def walk(layer, average, steps):
    """Change the weights at random; return what they were, in float64."""
    weights = []
    for _ in range(steps):
        with torch.no_grad():
            layer.weight.add_(torch.randn_like(layer.weight))
        average.update()
        weights.append(layer.weight.detach().double())
    return weights


@pytest.mark.parametrize("decay", [0.1, 0.9, 0.999])
@pytest.mark.parametrize("steps", [1, 2, 50])
def test_it_is_the_weighted_average(layer, decay, steps):
    expected = layer.weight.detach().double()
    average = ExponentialMovingAverage(layer, decay)
    for step, weight in enumerate(walk(layer, average, steps), 1):
        kept = min(decay, (1 + step) / (10 + step))
        expected = kept * expected + (1 - kept) * weight
    torch.testing.assert_close(average.average[0].double(), expected, rtol=1e-5, atol=1e-6)
    assert average.steps == steps


def test_a_young_average_follows_the_weights(layer):
    """With a fixed decay of 0.999, 99 % of it would be the start after 10 steps, and 90 % after 100."""
    start = layer.weight.detach().clone()
    average = ExponentialMovingAverage(layer, 0.999)
    for share in (0.9, 0.99999):
        for _ in range(10):
            with torch.no_grad():
                layer.weight.copy_(start + 1)
            average.update()
        assert (average.average[0] - start > share).all()


def test_an_old_average_decays_as_told(layer):
    average = ExponentialMovingAverage(layer, 0.9)
    average.steps = 10**6
    before = average.average[0].clone()
    with torch.no_grad():
        layer.weight.add_(1)
    average.update()
    torch.testing.assert_close(average.average[0], before + 0.1)


def test_applied_puts_the_raw_weights_back(layer):
    average = ExponentialMovingAverage(layer, 0.9)
    walk(layer, average, 5)
    raw = layer.weight.detach().clone()
    with average.applied():
        assert torch.equal(layer.weight, average.average[0])
        assert not torch.equal(layer.weight, raw)
    assert torch.equal(layer.weight, raw)
    with pytest.raises(ZeroDivisionError), average.applied():
        raise ZeroDivisionError
    assert torch.equal(layer.weight, raw)


def test_save_and_load(layer, tmp_path):
    average = ExponentialMovingAverage(layer, 0.9)
    walk(layer, average, 5)
    average.save(tmp_path)
    other = ExponentialMovingAverage(nn.Linear(3, 2), 0.9)
    other.load(tmp_path)
    assert other.steps == 5
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(average.average, other.average, strict=True))


def test_half_precision_weights_are_averaged_in_float32(layer):
    half = layer.half()
    average = ExponentialMovingAverage(half, 0.999)
    walk(half, average, 3)
    assert average.average[0].dtype == torch.float32
    average.copy_to_model()
    assert half.weight.dtype == torch.float16


def test_frozen_weights_are_left_out(layer):
    layer.bias.requires_grad_(False)
    assert ExponentialMovingAverage(layer, 0.9).names == ["weight"]


def test_nothing_to_average(layer):
    average = ExponentialMovingAverage(layer.requires_grad_(False), 0.9)
    assert average.average == []


def test_a_checkpoint_without_an_average(layer, tmp_path):
    with pytest.raises(FileNotFoundError, match="pass ema_decay=0"):
        ExponentialMovingAverage(layer, 0.9).load(tmp_path)


@pytest.mark.parametrize(
    ("other", "odd"), [(nn.Linear(3, 4), "bias"), (nn.Linear(3, 2, bias=False), "bias"), (nn.LayerNorm(3), "bias")]
)
def test_an_average_of_another_model(layer, other, odd, tmp_path):
    ExponentialMovingAverage(other, 0.9).save(tmp_path)
    with pytest.raises(ValueError, match=f"is the average of another model: .* such as {odd}"):
        ExponentialMovingAverage(layer, 0.9).load(tmp_path)
