"""Examples encoded and labelled for training and evaluation."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset as HubDataset
from torch.utils.data import Dataset

from ..model.alignment import Encoding, encode
from ..model.features import Features
from ..model.schema import Example, Schema
from ..model.triple_store import StatedTriples, stated_triples
from .augmentation import EntitySwap
from .labels import AlignmentReport, Labels, label
from .occurrences import OccurrencePolicy
from .packing import ContextPacking, join
from .partial_labels import Completeness, PartialLabels
from .reach import Reaches, in_reach, places_in, windows_of
from .reading import example_from_row, read_examples


@dataclass(frozen=True, slots=True)
class LabelledItem:
    """One encoded text.

    Args:
        encoding: its tokens.
        labels: its subjects and their objects.
        rng: the random generator that its subjects are drawn with.
        completeness: how far the labels are complete; None where those of all texts are.
        starts: the characters where each of the texts begins that are joined in it.
    """

    encoding: Encoding
    labels: Labels
    rng: np.random.Generator
    completeness: Completeness | None = None
    starts: tuple[int, ...] = (0,)


class SpoDataset(Dataset[LabelledItem]):
    """Labelled texts, encoded once. Random choices for an item depend only on seed, epoch and index.

    A text of more than `max_length` tokens is read in windows, as extraction reads it; each window is a text of its own
    in training, with the triples that lie in it.

    Args:
        examples: [`Example`]s, or rows of a known format, see [`example_from_row`].
        tokenizer: a fast tokenizer.
        schema: the relations to label.
        max_length: tokens that the model reads at once, special tokens included.
        policy: which occurrences of gold strings are labelled.
        features: words and known triples that the model reads beside tokens; none by default.
        entity_swap_probability: probability that entities of a text are replaced by others, see [`EntitySwap`].
        context_packing: share of the items that join several texts, see [`ContextPacking`].
        seed: seed of the random choices.
        soft_labels: train a triple towards its score instead of 1; otherwise scores are ignored.

    Raises:
        ValueError: the format of a row is unknown, a triple's relation is not in the schema, or `soft_labels` is on and
            no triple has a score.
    """

    def __init__(
        self,
        examples: Iterable[Example | Mapping[str, Any]],
        tokenizer: Any,
        schema: Schema,
        *,
        max_length: int,
        policy: OccurrencePolicy = OccurrencePolicy.FIRST,
        features: Features | None = None,
        entity_swap_probability: float = 0.0,
        context_packing: float = 0.0,
        seed: int = 42,
        soft_labels: bool = False,
    ) -> None:
        self.examples = as_examples(examples)
        self.tokenizer = tokenizer
        self.schema = schema
        self.max_length = max_length
        self.policy = policy
        self.features = features or Features()
        self.soft_labels = soft_labels
        if soft_labels and all(triple.score is None for example in self.examples for triple in example.triples):
            raise ValueError("soft_labels: no triple of the data has a score; pass data that `hf-spo distill` wrote")
        # Rows of the same text count as one text: none of them is evidence for what another one states.
        self._stated: dict[str, StatedTriples] = {}
        for example in self.examples:
            stated = self._find_stated(example)
            self._stated[example.text] = stated | self._stated.get(example.text, stated)
        self.partial_labels = PartialLabels(self.examples, schema)
        self.report = AlignmentReport()
        """How many gold triples became labels."""
        self.texts: list[Example] = []
        """What is trained on: the examples, or windows of long ones."""
        self.encodings: list[Encoding] = []
        self.labels: list[Labels] = []
        self.long = 0
        """Number of examples that are read in windows."""
        self._whole = encode(tokenizer, [example.text for example in self.examples])
        known: list[list[StatedTriples]] = []
        for example, encoding in zip(self.examples, self._whole, strict=True):
            for text, part in self._parts(example, encoding):
                self.texts.append(text)
                self.encodings.append(part)
                known.append([self._stated[example.text]])
                # A window's stated triples are those of the text that it was cut from.
                self._stated.setdefault(text.text, self._stated[example.text])
        self.features.annotate(self.encodings, known)
        swaps = entity_swap_probability > 0
        self.swap = EntitySwap(self.texts, entity_swap_probability, policy) if swaps else None
        lengths = [len(encoding) for encoding in self.encodings]
        self.packing = (
            ContextPacking(self.texts, lengths, context_packing, max_length, seed) if context_packing > 0 else None
        )
        self._sequences: tuple[int, list[tuple[int, ...]]] = -1, []
        self.seed = seed
        # Shared memory, because a loader's workers may outlive an epoch.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    def _find_stated(self, example: Example) -> StatedTriples:
        try:
            return stated_triples(example, self.schema)
        except KeyError as error:
            raise ValueError(
                f"the text beginning {example.text[:20]!r}: {error.args[0]}; correct the triple, or add its relation "
                f"to the schema"
            ) from None

    def _parts(self, example: Example, encoding: Encoding) -> Iterator[tuple[Example, Encoding]]:
        """Label an example; yield what is trained on of it."""
        if len(encoding) <= self.max_length:
            self.labels.append(self._label(example, encoding, self.report))
            yield example, encoding
            return
        self.long += 1
        windows = windows_of(encoding, self.max_length, self.max_length)
        inside = in_reach(example, windows, self.policy, self.report)
        self._label(inside, encoding, self.report)
        places = [place for triple in inside.triples for place in places_in(windows, example.text, triple, self.policy)]
        for window in windows:
            text = window.part_of(replace(example, triples=tuple(places)))
            self.labels.append(self._label(text, window.encoding, AlignmentReport()))
            yield text, window.encoding

    def _label(self, example: Example, encoding: Encoding, report: AlignmentReport) -> Labels:
        return label(example, encoding, self.schema, self.policy, report, self.soft_labels)

    def reaches(self) -> Reaches:
        """Return what measures which gold triples windows of a size hold."""
        return Reaches(self.examples, self._whole, self.max_length, self.policy)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, which decides the subjects that are drawn and the texts that are joined."""
        self._epoch.fill_(epoch)

    @property
    def lengths(self) -> list[int]:
        """Number of tokens of each item; an estimate for items that join several texts."""
        return [sum(len(self.encodings[number]) for number in self._texts_of(index)) for index in range(len(self))]

    def __len__(self) -> int:
        return len(self.texts) if self.packing is None else len(self.packing)

    def _texts_of(self, index: int) -> tuple[int, ...]:
        """Return the numbers of the texts that an item of this epoch joins."""
        if self.packing is None:
            return (index,)
        epoch = int(self._epoch)
        if self._sequences[0] != epoch:
            self._sequences = epoch, self.packing.sequences(epoch)
        return self._sequences[1][index]

    def __getitem__(self, index: int) -> LabelledItem:
        if not 0 <= index < len(self):
            raise IndexError(f"item {index} of {len(self)}")
        rng = np.random.default_rng([self.seed, int(self._epoch), index])
        numbers = self._texts_of(index)
        given = [self.texts[number] for number in numbers]
        completeness = self.partial_labels.of(given[0]) if self.partial_labels else None
        examples = given if self.swap is None else [self.swap(example, rng) for example in given]
        if len(numbers) == 1 and examples[0] is given[0]:
            return LabelledItem(self.encodings[numbers[0]], self.labels[numbers[0]], rng, completeness)
        joined, starts = join(examples, self.policy, rng)
        stated = [
            self._stated[before.text] | (frozenset() if after is before else self._find_stated(after))
            for before, after in zip(given, examples, strict=True)
        ]
        (encoding,) = encode(self.tokenizer, [joined.text], self.max_length)
        self.features.annotate([encoding], [stated])
        return LabelledItem(encoding, self._label(joined, encoding, AlignmentReport()), rng, completeness, starts)


def as_examples(rows: Any) -> list[Example]:
    """Turn labelled texts into examples; leave examples as they are.

    Args:
        rows: examples or rows of a known format, a data frame of such rows, or a path that [`read_examples`] reads.

    Raises:
        TypeError: these are no rows; the message says what to pass.
        ValueError: a row is of no known format; the message says which.
    """
    if isinstance(rows, str | PathLike):
        return list(read_examples(Path(rows)))
    if isinstance(rows, Mapping):
        raise TypeError(
            f"a {type(rows).__name__} with {', '.join(map(repr, rows))}: expected rows; pass one of its values"
        )
    if type(rows).__name__ == "DataFrame":
        rows = HubDataset.from_pandas(rows) if hasattr(rows, "iloc") else rows.to_dicts()
    examples = []
    for number, row in enumerate(rows):
        if isinstance(row, Example):
            examples.append(row)
        elif isinstance(row, Mapping):
            if "input_ids" in row and "text" not in row:
                raise TypeError(f"row {number} is tokenised; expected text and triples, which are tokenised here")
            try:
                examples.append(example_from_row(row))
            except ValueError as error:
                raise ValueError(f"row {number}: {error}") from None
        else:
            raise TypeError(f"row {number}: expected an Example or a dictionary, got {type(row).__name__}")
    return examples
