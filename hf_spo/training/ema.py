"""Moving average of a model's weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn


class ExponentialMovingAverage:
    """Average the trainable weights over optimizer steps, corrected for the short past of a young average.

    After t steps the average is Σ d^(t−i)·w_i / Σ d^(t−i): without the correction, short runs would be judged by weights
    close to the initial ones (Kingma & Ba 2015, section 3; kexue.fm/archives/6575 for the use here).
    """

    FILE = "ema.safetensors"

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.names, self.weights = zip(*((n, p) for n, p in model.named_parameters() if p.requires_grad), strict=True)
        self.average = [weight.detach().float().clone() for weight in self.weights]

    @torch.no_grad()
    def update(self) -> None:
        """Take the present weights in."""
        self.steps += 1
        share = (1 - self.decay) / (1 - self.decay**self.steps)
        torch._foreach_lerp_(self.average, [weight.detach().float() for weight in self.weights], share)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average into the model, and the raw weights back at the end."""
        raw = [weight.detach().clone() for weight in self.weights]
        self.copy_to_model()
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(list(self.weights), raw)

    @torch.no_grad()
    def copy_to_model(self) -> None:
        """Put the average into the model."""
        torch._foreach_copy_(list(self.weights), self.average)

    def save(self, folder: str | Path) -> None:
        """Write the average and its age to a checkpoint folder."""
        tensors = dict(zip(self.names, self.average, strict=True))
        save_file(tensors, Path(folder) / self.FILE, metadata={"steps": str(self.steps), "format": "pt"})

    def load(self, folder: str | Path) -> None:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: the folder has no average; it was written with ema_decay=0.
        """
        path = Path(folder) / self.FILE
        if not path.exists():
            raise FileNotFoundError(
                f"{path} does not exist: the run that wrote this checkpoint kept no average; pass ema_decay=0"
            )
        tensors = load_file(path)
        for name, average in zip(self.names, self.average, strict=True):
            average.copy_(tensors[name])
        with safe_open(path, "pt") as file:
            self.steps = int(file.metadata()["steps"])
