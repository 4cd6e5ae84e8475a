"""Adversarial training: each batch is learnt a second time, with embeddings moved to where its loss is higher."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class FastGradient:
    """Move a table of embeddings a step of fixed length along a batch's gradient, and back again.

    The step is ε·g/‖g‖ (Miyato et al. 2017, arXiv:1605.07725, section 3), with g of the whole table rather than of each
    sequence (kexue.fm/archives/7234).

    Args:
        embeddings: the table.
        epsilon: length of the step.

    Raises:
        ValueError: the table is frozen, so no gradient reaches it.
    """

    def __init__(self, embeddings: nn.Module, epsilon: float) -> None:
        self.weight = embeddings.get_parameter("weight")
        if not self.weight.requires_grad:
            raise ValueError(
                "adversarial_epsilon moves the word embeddings, but they are frozen; unfreeze them, or pass 0"
            )
        self.epsilon = epsilon
        self._gradient: torch.Tensor | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Remember the gradient of the backward pass in here, apart from what has been accumulated before."""
        handle = self.weight.register_hook(self._remember)
        try:
            yield
        finally:
            handle.remove()

    def _remember(self, gradient: torch.Tensor) -> None:
        self._gradient = gradient

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Take the step along the remembered gradient; put the very same weights back at the end."""
        gradient, self._gradient = self._gradient, None
        assert gradient is not None, "nothing was learnt under watching()"
        weight = self.weight.detach()
        before = weight.clone()
        length = gradient.float().norm().clamp(min=torch.finfo(torch.float32).tiny)
        weight.add_(gradient * (self.epsilon / length))
        del gradient  # the next backward pass may add to it in place
        try:
            yield
        finally:
            weight.copy_(before)
