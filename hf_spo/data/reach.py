"""Reach: which gold triples a model can find when it reads texts in windows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..model.alignment import Encoding, Misalignment
from ..model.schema import Example, Triple
from ..model.windows import Window, WindowSize, split
from .labels import AlignmentReport, Miss
from .occurrences import OccurrencePolicy, locate

WANTED = 0.995
"""Share of the gold triples that a window chosen for training texts holds."""

_TEXTS = 20_000
_STEP = 1.15


def windows_of(encoding: Encoding, window: int, max_length: int) -> list[Window]:
    """Cut a text as extraction does, with windows of this many tokens, special tokens included."""
    return split(0, encoding, WindowSize.of_model(window, max_length, sum(encoding.specials)))


def places_in(windows: Sequence[Window], text: str, triple: Triple, policy: OccurrencePolicy) -> list[Triple]:
    """Return a triple's places in a text that lie in one of the windows; empty if it is out of reach.

    Strings without offsets whose occurrences by the policy lie in no window are looked up in each window.
    """
    places = [place for place in locate(text, triple, policy) if any(window.holds(place) for window in windows)]
    if not places and all(mention.span is None for mention in (triple.subject, *(one for _, one in triple.slots()))):
        for window in windows:
            found = [place.moved(window.start) for place in locate(window.encoding.text, triple, policy)]
            places += [place for place in found if window.holds(place)]
    return places


def out_of_reach(example: Example, windows: Sequence[Window], policy: OccurrencePolicy) -> list[Triple]:
    """Return the triples whose mentions are in the text but together in none of its windows."""
    return [
        triple
        for triple in example.triples
        if locate(example.text, triple, policy) and not places_in(windows, example.text, triple, policy)
    ]


def in_reach(example: Example, windows: Sequence[Window], policy: OccurrencePolicy, report: AlignmentReport) -> Example:
    """Leave out the triples that no window holds, and count them."""
    lost = out_of_reach(example, windows, policy)
    for triple in lost:
        # Neither of the two is wrong alone.
        report.add(example.text, Miss(Misalignment.OUT_OF_REACH, f"{triple.subject.text} … {triple.object.text}"))
    return replace(example, triples=tuple(triple for triple in example.triples if triple not in lost))


@dataclass(frozen=True, slots=True)
class Reach:
    """How many gold triples windows of one size hold.

    Args:
        window: tokens of a window, special tokens included.
        triples: gold triples whose mentions are in their texts.
        lost: those of them that no window holds.
    """

    window: int
    triples: int
    lost: int

    @property
    def share(self) -> float:
        """Share of the triples that are in reach; 1 without any triple."""
        return 1 - self.lost / self.triples if self.triples else 1.0

    def __str__(self) -> str:
        return f"of {self.triples:,} gold triples {self.lost:,} are out of reach of windows of {self.window} tokens"


class Reaches:
    """Measures the reach of windows on labelled texts; of many texts, on an even sample.

    Args:
        examples: the texts.
        encodings: of the whole texts.
        max_length: tokens that the model reads at once, special tokens included.
        policy: which occurrences of strings without offsets are labelled.
    """

    def __init__(
        self, examples: Sequence[Example], encodings: Sequence[Encoding], max_length: int, policy: OccurrencePolicy
    ) -> None:
        self.max_length = max_length
        self._policy = policy
        step = len(examples) // _TEXTS + 1
        self._texts = [
            (replace(example, triples=tuple(places)), encoding)
            for example, encoding in zip(examples[::step], encodings[::step], strict=True)
            if (places := [triple for triple in example.triples if locate(example.text, triple, policy)])
        ]
        self.triples = sum(len(example.triples) for example, _ in self._texts)

    def of(self, window: int) -> Reach:
        """Measure windows of a size."""
        lost = sum(
            len(out_of_reach(example, windows_of(encoding, window, self.max_length), self._policy))
            for example, encoding in self._texts
            if len(encoding) > window
        )
        return Reach(window, self.triples, lost)

    def smallest(self) -> Reach:
        """Return the smallest window that holds what is wanted, and at least the median text; else the largest."""
        for window in self._sizes():
            reach = self.of(window)
            if reach.share >= WANTED:
                return reach
        return self.of(self.max_length)

    def _sizes(self) -> Iterator[int]:
        lengths = [len(encoding) for _, encoding in self._texts] or [self.max_length]
        window = max(3, int(np.median(lengths)))
        while window < self.max_length:
            yield window
            window = int(window * _STEP) + 1
