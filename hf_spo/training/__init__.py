"""Fine-tuning with the Trainer of transformers."""

from typing import TYPE_CHECKING

from ..support.lazy import lazy_names

if TYPE_CHECKING:
    from .arguments import SpoTrainingArguments
    from .ema import ExponentialMovingAverage
    from .trainer import SpoTrainer
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {"ExponentialMovingAverage": "ema", "SpoTrainer": "trainer", "SpoTrainingArguments": "arguments"},
    )

__all__ = ["ExponentialMovingAverage", "SpoTrainer", "SpoTrainingArguments"]
