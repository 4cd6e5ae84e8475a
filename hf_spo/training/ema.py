"""Moving average of a model's weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from ..model.checkpoint import share_weights


class ExponentialMovingAverage:
    """Average the trainable weights over optimizer steps, in float32; a young average looks back less far.

    Step t decays what was before by min(decay, (1 + t) / (10 + t)), so that the average reaches back over about a ninth
    of the steps so far until it reaches back over 1 / (1 − decay): early weights, which know nothing, fade in time
    (TensorFlow's ExponentialMovingAverage with num_updates; kexue.fm/archives/6575 for the use here).
    """

    FILE = "ema.safetensors"

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        trainable = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self.names = list(trainable)
        self.weights: list[torch.Tensor] = list(trainable.values())
        self.average = [weight.detach().float().clone() for weight in self.weights]

    @torch.no_grad()
    def update(self) -> None:
        """Take the present weights in."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.average, [weight.detach().float() for weight in self.weights], 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average into the model, and the raw weights back at the end."""
        raw = [weight.detach().clone() for weight in self.weights]
        self.copy_to_model()
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(self.weights, raw)

    @torch.no_grad()
    def copy_to_model(self) -> None:
        """Put the average into the model."""
        torch._foreach_copy_(self.weights, self.average)

    def save(self, folder: str | Path) -> None:
        """Write the average and its age to a checkpoint folder."""
        tensors = dict(zip(self.names, self.average, strict=True))
        save_file(tensors, Path(folder) / self.FILE, metadata={"steps": str(self.steps), "format": "pt"})
        share_weights(folder)

    def load(self, folder: str | Path) -> None:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: the folder has no average.
            ValueError: it is the average of another model.
        """
        path = Path(folder) / self.FILE
        if not path.exists():
            raise FileNotFoundError(
                f"{path} does not exist: the run that wrote this checkpoint kept no average, or was ended while "
                f"writing it; pass ema_decay=0, or go on from an earlier checkpoint"
            )
        with safe_open(path, "pt") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            wanted = {name: tuple(weight.shape) for name, weight in zip(self.names, self.weights, strict=True)}
            if shapes != wanted:
                odd = sorted(name for name in shapes.keys() | wanted.keys() if shapes.get(name) != wanted.get(name))
                raise ValueError(
                    f"{path} averages another model: {len(odd)} weights differ in name or shape, such as {odd[0]} "
                    f"({shapes.get(odd[0], 'absent')} there, {wanted.get(odd[0], 'absent')} here)"
                )
            for name, average in zip(self.names, self.average, strict=True):
                average.copy_(file.get_tensor(name))
            self.steps = int(file.metadata()["steps"])
