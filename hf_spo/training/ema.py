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
    """Average the trainable weights over optimizer steps, in float32, with a smaller decay in the first steps.

    The decay of step t is min(decay, (1 + t) / (10 + t)), so that the average covers about a ninth of the steps so far,
    and at most about 1 / (1 − decay) steps: untrained weights are soon forgotten (TensorFlow's ExponentialMovingAverage
    with num_updates; used as in kexue.fm/archives/6575).
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
        """Add the current weights to the average."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.average, [weight.detach().float() for weight in self.weights], 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Use the average as the model's weights within a `with` block, then restore the raw weights."""
        raw = [weight.detach().clone() for weight in self.weights]
        self.copy_to_model()
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(self.weights, raw)

    @torch.no_grad()
    def copy_to_model(self) -> None:
        """Copy the average into the model."""
        torch._foreach_copy_(self.weights, self.average)

    def save(self, folder: str | Path) -> None:
        """Write the average and its number of steps to a checkpoint folder."""
        tensors = dict(zip(self.names, self.average, strict=True))
        save_file(tensors, Path(folder) / self.FILE, metadata={"steps": str(self.steps), "format": "pt"})
        share_weights(folder)

    def load(self, folder: str | Path) -> None:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: the folder has no average.
            ValueError: the weights differ from the model's in name or shape.
        """
        path = Path(folder) / self.FILE
        if not path.exists():
            raise FileNotFoundError(
                f"{path} does not exist: the run that wrote this checkpoint kept no average, or stopped while "
                f"writing it; pass ema_decay=0, or resume from an earlier checkpoint"
            )
        with safe_open(path, "pt") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            wanted = {name: tuple(weight.shape) for name, weight in zip(self.names, self.weights, strict=True)}
            if shapes != wanted:
                odd = sorted(name for name in shapes.keys() | wanted.keys() if shapes.get(name) != wanted.get(name))
                raise ValueError(
                    f"{path} is the average of another model: {len(odd)} weights differ in name or shape, such as "
                    f"{odd[0]} (in the file: {shapes.get(odd[0], 'absent')}, in the model: "
                    f"{wanted.get(odd[0], 'absent')}); resume with the model of that checkpoint"
                )
            for name, average in zip(self.names, self.average, strict=True):
                average.copy_(file.get_tensor(name))
            self.steps = int(file.metadata()["steps"])
