import pytest
import torch
from torch import nn

from hf_spo.training.adversarial import FastGradient


@pytest.fixture
def table():
    torch.manual_seed(0)
    return nn.Embedding(6, 4)


def loss(table, ids=(1, 2, 2)):
    return (table(torch.tensor(ids)) ** 3).sum()


def gradient(table, ids):
    return torch.autograd.grad(loss(table, ids), table.weight)[0]


def test_it_moves_by_epsilon_along_the_gradient(table):
    before, along = table.weight.detach().clone(), gradient(table, (1, 2, 2))
    adversary = FastGradient(table, 0.5)
    with adversary.watching():
        loss(table).backward()
    with adversary.applied():
        step = table.weight.detach() - before
        torch.testing.assert_close(step, 0.5 * along / along.norm())
    assert step.norm() == pytest.approx(0.5)
    assert (step[[0, 3, 4, 5]] == 0).all()


def test_the_loss_is_higher_there(table):
    adversary = FastGradient(table, 0.1)
    with adversary.watching():
        clean = loss(table)
        clean.backward()
    with adversary.applied():
        assert loss(table) > clean


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_very_same_weights_come_back(table, dtype):
    table.to(dtype)
    before = table.weight.detach().clone()
    adversary = FastGradient(table, 0.7)
    with adversary.watching():
        loss(table).backward()
    with adversary.applied():
        assert not torch.equal(table.weight, before)
    assert torch.equal(table.weight, before)


def test_they_come_back_after_an_error(table):
    before = table.weight.detach().clone()
    adversary = FastGradient(table, 0.7)
    with adversary.watching():
        loss(table).backward()
    with pytest.raises(ZeroDivisionError), adversary.applied():
        raise ZeroDivisionError
    assert torch.equal(table.weight, before)


def test_gradients_of_earlier_batches_do_not_count(table):
    before, along = table.weight.detach().clone(), gradient(table, (3,))
    loss(table, (1, 5)).backward()
    adversary = FastGradient(table, 1.0)
    with adversary.watching():
        loss(table, (3,)).backward()
    with adversary.applied():
        torch.testing.assert_close(table.weight.detach() - before, along / along.norm())


def test_gradients_add_up(table):
    adversary = FastGradient(table, 1.0)
    with adversary.watching():
        loss(table).backward()
    clean = table.weight.grad.clone()
    with adversary.applied():
        other = gradient(table, (1, 2, 2))
        loss(table).backward()
    assert not torch.equal(clean, other)
    assert torch.equal(table.weight.grad, clean + other)


def test_a_batch_without_gradient_moves_nothing(table):
    before = table.weight.detach().clone()
    adversary = FastGradient(table, 1.0)
    with adversary.watching():
        (0 * loss(table)).backward()
    with adversary.applied():
        assert torch.equal(table.weight, before)


def test_frozen_embeddings(table):
    table.requires_grad_(False)
    with pytest.raises(ValueError, match="frozen; unfreeze them, or pass 0"):
        FastGradient(table, 1.0)
