"""Context packing: several training texts as one sequence, so that a model learns to read sentences among others."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ..model.schema import Example, Triple
from .occurrences import OccurrencePolicy, locate

_TRIES = 4
_STOPPED = re.compile(r"""[。！？!?…；;.．｡]["'”’」』）)\]】》]*\s*\Z|\n\Z""")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff00-\uffef]\W*\Z")


class ContextPacking:
    """Draws for each epoch which training texts are joined. A text is in one sequence of an epoch.

    A packed sequence begins with any text. Half of them go on with the texts that follow it in the data, where these
    are free, the others with any texts, up to a number of tokens that is drawn between those of the first text and the
    limit; a second text is taken wherever it fits. Only texts that are annotated for the same predicates are joined.

    Args:
        examples: the training texts.
        lengths: the number of tokens of each, special tokens included.
        share: of the sequences, that are packed.
        max_length: tokens that a sequence may have.
        seed: of what is drawn.
    """

    def __init__(
        self, examples: Sequence[Example], lengths: Sequence[int], share: float, max_length: int, seed: int = 42
    ) -> None:
        self._groups = [example.annotated_predicates for example in examples]
        self._lengths = lengths
        self._max_length = max_length
        self._seed = seed
        # An epoch has as many sequences as the first one, so that a training's steps can be counted beforehand.
        sequences = self._draw(0, share=share)
        self._merges = len(lengths) - len(sequences)

    def __len__(self) -> int:
        return len(self._lengths) - self._merges

    def sequences(self, epoch: int) -> list[tuple[int, ...]]:
        """Return the sequences of an epoch, each as the numbers of its texts; they depend on seed and epoch alone."""
        sequences = self._draw(epoch, merges=self._merges)
        while len(sequences) > len(self):
            sequences.sort(key=self._length)
            near = ((one, other) for one, other in pairwise(sequences) if self._fit(one, other))
            pair = next(near, None)
            if pair is None:  # one epoch goes without the texts that fit nowhere
                return sequences[: len(self)]
            sequences = [one for one in sequences if one not in pair] + [pair[0] + pair[1]]
        return sequences

    def _length(self, parts: tuple[int, ...]) -> int:
        return sum(self._lengths[number] for number in parts)

    def _fit(self, one: tuple[int, ...], other: tuple[int, ...]) -> bool:
        return (
            self._groups[one[0]] == self._groups[other[0]]
            and self._length(one) + self._length(other) <= self._max_length
        )

    def _draw(self, epoch: int, *, share: float = 1.0, merges: int | None = None) -> list[tuple[int, ...]]:
        count = len(self._lengths)
        rng = np.random.default_rng([self._seed, epoch, count])  # no item has this index
        order = rng.permutation(count).tolist()
        free = _Free(order)
        packed: list[tuple[int, ...]] = []
        single: list[tuple[int, ...]] = []
        merged = 0
        for first in order:
            if first not in free:
                continue
            done = len(packed) >= share * (count - merged) if merges is None else merged >= merges
            most = 1 if done else count if merges is None else merges - merged + 1
            parts = self._pack(first, free, most, rng)
            merged += len(parts) - 1
            (packed if len(parts) > 1 else single).append(parts)
        return packed + single

    def _pack(self, first: int, free: "_Free", most: int, rng: np.random.Generator) -> tuple[int, ...]:
        free.take(first)
        if most == 1:
            return (first,)
        parts, length = [first], self._lengths[first]
        target = int(rng.integers(length, max(length, self._max_length) + 1))
        neighbours = rng.random() < 0.5
        while len(parts) < most:
            limit = self._max_length if len(parts) == 1 else target
            following = [parts[-1] + 1] if neighbours and parts[-1] + 1 in free else free.next(_TRIES)
            fitting = [
                number
                for number in following
                if length + self._lengths[number] <= limit and self._groups[number] == self._groups[first]
            ]
            if not fitting:
                break
            free.take(fitting[0])
            parts.append(fitting[0])
            length += self._lengths[fitting[0]]
        return tuple(parts)


class _Free:
    """The texts that no sequence has yet, in the order in which they are drawn."""

    def __init__(self, order: Sequence[int]) -> None:
        self._order = order
        self._left = set(order)
        self._at = 0

    def __contains__(self, number: int) -> bool:
        return number in self._left

    def take(self, number: int) -> None:
        self._left.remove(number)

    def next(self, count: int) -> list[int]:
        """Return the first few."""
        found: list[int] = []
        while self._at < len(self._order) and self._order[self._at] not in self._left:
            self._at += 1
        for number in self._order[self._at : self._at + 4 * count]:
            if number in self._left and len(found) < count:
                found.append(number)
        return found


def join(
    examples: Sequence[Example], policy: OccurrencePolicy, rng: np.random.Generator
) -> tuple[Example, tuple[int, ...]]:
    """Join texts with all their labels.

    Args:
        examples: the texts, annotated for the same predicates.
        policy: which occurrences of strings without offsets are labelled, each in its own text.
        rng: draws what stands between two texts: nothing or a space where the first one ends with a stop, else a stop;
            now and then a line end.

    Returns:
        The text with its labels, and the characters where each of the texts begins.
    """
    text = ""
    triples: list[Triple] = []
    starts: list[int] = []
    for example in examples:
        if starts:
            text += _separator(text, rng)
        starts.append(len(text))
        located = [place for triple in example.triples for place in locate(example.text, triple, policy)]
        triples += [triple.moved(len(text)) for triple in located]
        text += example.text
    return replace(examples[0], text=text, triples=tuple(triples)), tuple(starts)


def _separator(text: str, rng: np.random.Generator) -> str:
    if rng.random() < 0.1:
        return "\n"
    stopped, unspaced = _STOPPED.search(text), _UNSPACED.search(text)
    if stopped:
        return "" if unspaced else " "
    stops = ("。", "。", "；") if unspaced else (". ", ". ", "; ")
    return stops[rng.integers(len(stops))]
