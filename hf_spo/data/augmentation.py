"""Entity-swap augmentation: one triple's subject and object make way for those of another with the same relation.

As in kg-2019 (`random_generate`), kexue.fm/archives/6671; offsets are rebuilt rather than looked up again.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ..model.schema import Example, Mention, Span, Triple
from .occurrences import OccurrencePolicy, locate

RelationKey = tuple[str, str, str]


class EntitySwap:
    """Swaps entities of labelled texts.

    Args:
        examples: the labelled texts to take other entities from: those that are trained on, and no others.
        probability: that a text is changed at all.
        policy: which occurrences of strings without offsets are labelled.
    """

    def __init__(self, examples: Iterable[Example], probability: float, policy: OccurrencePolicy) -> None:
        self.probability = probability
        self.policy = policy
        self._donors: dict[RelationKey, list[tuple[str, str]]] = {}
        for example in examples:
            for triple in example.triples:
                if triple.subject.text and triple.object.text:
                    self._donors.setdefault(_key(triple), []).append((triple.subject.text, triple.object.text))

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """Return the example, or a changed one with offsets; what cannot be changed cleanly stays as it is."""
        if not example.triples or rng.random() >= self.probability:
            return example
        chosen = example.triples[rng.integers(len(example.triples))]
        donors = self._donors.get(_key(chosen), [])
        if not donors:
            return example
        subject, value = donors[rng.integers(len(donors))]
        located = [place for triple in example.triples for place in locate(example.text, triple, self.policy)]
        changes = {chosen.subject.text: subject, chosen.object.text: value}
        return _replaced(replace(example, triples=tuple(located)), changes) or example


def _key(triple: Triple) -> RelationKey:
    return triple.subject.type, triple.predicate, triple.object.type


def _replaced(example: Example, changes: dict[str, str]) -> Example | None:
    """Replace strings wherever they stand, and move the triples' mentions; None if one would be cut in two."""
    text = example.text
    if len(changes) < 2 or not all(changes):
        return None  # subject and object are one string
    # The longer one first: of 鲁迅自传 and 鲁迅, the first is no place of the second.
    pattern = "|".join(re.escape(old) for old in sorted(changes, key=len, reverse=True))
    moved = np.full(len(text) + 1, -1)
    pieces: list[str] = []
    length = at = 0
    for found in re.finditer(pattern, text):
        kept, new = text[at : found.start()], changes[found[0]]
        moved[at : found.start() + 1] = np.arange(length, length + len(kept) + 1)
        length += len(kept) + len(new)
        at = found.end()
        moved[at] = length
        pieces += [kept, new]
    moved[at:] = np.arange(length, length + len(text) - at + 1)
    new_text = "".join([*pieces, text[at:]])

    def move(mention: Mention) -> Mention | None:
        assert mention.span is not None
        start, end = int(moved[mention.span.start]), int(moved[mention.span.end])
        # An empty one would be a mention of nothing.
        return Mention(new_text[start:end], Span(start, end), mention.type) if 0 <= start < end else None

    triples = []
    for triple in example.triples:
        subject, value = move(triple.subject), move(triple.object)
        qualifiers = {slot: move(mention) for slot, mention in triple.qualifiers.items()}
        whole = {slot: mention for slot, mention in qualifiers.items() if mention is not None}
        if subject is None or value is None or len(whole) < len(qualifiers):
            return None
        triples.append(Triple(subject, triple.predicate, value, whole, triple.score))
    return replace(example, text=new_text, triples=tuple(triples))
