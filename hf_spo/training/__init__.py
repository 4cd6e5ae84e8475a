"""Fine-tuning with the Trainer of transformers."""

from .arguments import SpoTrainingArguments
from .ema import ExponentialMovingAverage
from .trainer import SpoTrainer

__all__ = ["ExponentialMovingAverage", "SpoTrainer", "SpoTrainingArguments"]
