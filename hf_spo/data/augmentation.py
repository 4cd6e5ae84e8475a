"""Entity-swap augmentation: replace a triple's subject and object by those of another triple of the same relation.

As in kg-2019 (`random_generate`), kexue.fm/archives/6671; offsets are computed, not searched for.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ..model.schema import Example, Mention, Span, Triple
from .occurrences import OccurrencePolicy, locate

RelationKey = tuple[str, str, str]


class EntitySwap:
    """Replaces entities of labelled texts.

    Args:
        examples: the training texts, from which the new entities are taken.
        probability: probability that a text is changed.
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
        """Return a changed example with offsets, or the example itself if it is not drawn or cannot be changed."""
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
    """Replace all occurrences of strings, and move the triples' mentions; None if that would cut a mention."""
    text = example.text
    if len(changes) < 2 or not all(changes):
        return None  # subject and object are the same string
    # The longer string first: 鲁迅自传 must not be changed as an occurrence of 鲁迅.
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
        # -1 marks positions inside a replaced string.
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
