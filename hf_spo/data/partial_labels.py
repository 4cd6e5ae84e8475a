"""Partial labels: what an unlabelled border says in a text that is annotated for some predicates only."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..model.schema import Example, Schema

logger = logging.getLogger(__name__)

_Group = tuple[str, ...] | None
"""The predicates that texts are annotated for; None for all."""


@dataclass(frozen=True, slots=True, eq=False)
class Completeness:
    """How far a text's labels are complete.

    Args:
        relations: (R,) 1 for relations whose labels are complete, 0 for the others.
        subjects: probability that a subject of the text is labelled.
    """

    relations: np.ndarray
    subjects: float


class PartialLabels:
    """Tells how far the labels of training texts are complete, see [`Example.annotated_predicates`].

    An unlabelled border is a negative for the objects of annotated predicates and says nothing of the others. For the
    subject pointers, it may be a subject that only other predicates have. The probability that a subject is labelled in
    a text is estimated from all texts. A predicate's rate is the number of its subjects per text that is annotated for
    it. The probability is the sum of the rates of the text's annotated predicates, divided by that of all predicates.

    Args:
        examples: the training texts.
        schema: the relations to train.
    """

    def __init__(self, examples: Iterable[Example], schema: Schema) -> None:
        self._predicates = [relation.predicate for relation in schema]
        self._known: dict[_Group, Completeness] = {}
        self._texts: Counter[_Group] = Counter()
        self._subjects: Counter[tuple[_Group, str]] = Counter()
        for example in examples:
            group = example.annotated_predicates
            self._texts[group] += 1
            subjects = {(triple.predicate, triple.subject.text) for triple in example.triples}
            self._subjects.update((group, predicate) for predicate, _ in subjects)
        self._rates = {predicate: self._rate(predicate) for predicate in self._predicates}
        unknown = {name for group in self._texts for name in group or ()} - set(self._predicates)
        if unknown:
            logger.warning(
                "annotated_predicates names %d predicates that the schema lacks, such as %s", len(unknown), min(unknown)
            )

    def _rate(self, predicate: str) -> float:
        annotated = [group for group in self._texts if group is None or predicate in group]
        # A predicate that is complete nowhere has at least the subjects that are labelled.
        groups = annotated or list(self._texts)
        subjects = sum(self._subjects[group, predicate] for group in groups)
        return subjects / max(1, sum(self._texts[group] for group in groups))

    def __bool__(self) -> bool:
        """Whether any text has partial labels."""
        return any(group is not None for group in self._texts)

    def of(self, example: Example) -> Completeness:
        """Return how far the labels of a text are complete."""
        group = example.annotated_predicates
        if group not in self._known:
            self._known[group] = self._estimate(group)
        return self._known[group]

    def _estimate(self, group: _Group) -> Completeness:
        if group is None:
            return Completeness(np.ones(len(self._predicates), dtype=np.float32), 1.0)
        relations = np.array([predicate in group for predicate in self._predicates], dtype=np.float32)
        everything = sum(self._rates.values())
        own = sum(rate for predicate, rate in self._rates.items() if predicate in group)
        return Completeness(relations, own / everything if everything else 1.0)

    def __str__(self) -> str:
        partial = self._texts.total() - self._texts[None]
        shares = [
            f"{count} texts for {len(group)} predicates ({self._estimate(group).subjects:.0%} of all subjects)"
            for group, count in self._texts.most_common()
            if group is not None
        ]
        more = f" and {len(shares) - 5} further kinds" if len(shares) > 5 else ""
        return f"labels of {partial} of {self._texts.total()} texts are partial: {'; '.join(shares[:5])}{more}"
