"""Examples encoded and labelled for training and evaluation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from ..alignment import Encoding, encode
from ..schema import Example, Schema
from .duie import example_from_duie
from .labels import AlignmentReport, Labels, label
from .occurrences import OccurrencePolicy


@dataclass(frozen=True, slots=True)
class LabelledItem:
    """One encoded text, its labels and the random generator that its subjects are drawn with."""

    encoding: Encoding
    labels: Labels
    rng: np.random.Generator


class SpoDataset(Dataset[LabelledItem]):
    """Labelled texts, encoded once. What is random about an item depends only on seed, epoch and index.

    Args:
        examples: [`Example`]s or DuIE rows.
        tokenizer: a fast tokenizer.
        schema: the relations to label.
        max_length: tokens kept of a text.
        policy: which occurrences of gold strings are labelled.
        seed: of the subjects drawn in training.
    """

    def __init__(
        self,
        examples: Iterable[Example | Mapping[str, Any]],
        tokenizer: Any,
        schema: Schema,
        *,
        max_length: int,
        policy: OccurrencePolicy = OccurrencePolicy.FIRST,
        seed: int = 42,
    ) -> None:
        self.examples = [e if isinstance(e, Example) else example_from_duie(e) for e in examples]
        self.encodings = encode(tokenizer, [example.text for example in self.examples], max_length)
        self.report = AlignmentReport()
        self.labels = [
            label(example, encoding, schema, policy, self.report)
            for example, encoding in zip(self.examples, self.encodings, strict=True)
        ]
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Draw other subjects from now on."""
        self.epoch = epoch

    @property
    def lengths(self) -> list[int]:
        """Number of tokens of each item."""
        return [len(encoding) for encoding in self.encodings]

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> LabelledItem:
        if not 0 <= index < len(self):
            raise IndexError(index)
        rng = np.random.default_rng([self.seed, self.epoch, index])
        return LabelledItem(self.encodings[index], self.labels[index], rng)
