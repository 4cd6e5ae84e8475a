"""Labels by votes of several models: cleaned labels, and soft labels for the training of one student.

Label cleaning is from kexue.fm/archives/6671, which uses the models of eight folds; the other use is knowledge
distillation (Hinton et al. 2015, arXiv:1503.02531) with triples for classes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..model.decoding_settings import Combination
from ..model.schema import Example, Mention, Relation, Schema, Span, Triple
from .voting import Fact, FactVotes, TextVotes, VotingResult, fact, place


@dataclass(frozen=True, slots=True)
class VotePolicy:
    """Conditions under which labels change.

    Args:
        add: a triple becomes a label if at least this share of the models finds it.
        remove: a label is removed if at most this share of the models finds it; None keeps all labels.
        min_score: least mean score of an added triple, over the models that find it.

    Raises:
        ValueError: a share or score is out of range, or the same share adds a triple and removes it.
    """

    add: float = 1.0
    remove: float | None = 0.0
    min_score: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.add <= 1:
            raise ValueError(f"add={self.add}: expected a share above 0 and at most 1")
        if self.remove is not None and not 0 <= self.remove < self.add:
            raise ValueError(f"remove={self.remove}: expected a share of at least 0 and below add, which is {self.add}")
        if not 0 <= self.min_score <= 1:
            raise ValueError(f"min_score={self.min_score}: expected a probability from 0 to 1")

    def adds(self, votes: FactVotes, voters: int) -> bool:
        """Return whether an unlabelled triple becomes a label."""
        return votes.votes / voters >= self.add and (votes.score or 0.0) >= self.min_score

    def qualifies(self, count: int, votes: FactVotes, voters: int) -> bool:
        """Return whether an added triple gets a qualifier that `count` models find with it."""
        return count / voters >= self.add

    def score(self, votes: FactVotes, voters: int) -> float | None:
        """Return the score of an added triple: none, it is a label like others."""
        return None

    def removes(self, votes: FactVotes, voters: int) -> bool:
        """Return whether a label is removed."""
        return self.remove is not None and votes.votes / voters <= self.remove


@dataclass(frozen=True, slots=True)
class DistillationPolicy:
    """Conditions under which the triples of teachers become soft labels. Labels are kept.

    Args:
        combine: the score of a triple: "average", the mean over all models, where a model that does not find it counts
            as 0; "union", that of the surest model.
        min_score: least score of an added triple.

    Raises:
        ValueError: a value is out of range.
    """

    combine: str = Combination.AVERAGE
    min_score: float = 0.1

    def __post_init__(self) -> None:
        if self.combine not in (Combination.AVERAGE, Combination.UNION):
            raise ValueError(f"combine={self.combine!r}: expected average or union")
        if not 0 < self.min_score <= 1:
            raise ValueError(f"min_score={self.min_score}: expected a probability above 0 and at most 1")

    def adds(self, votes: FactVotes, voters: int) -> bool:
        """Return whether an unlabelled triple becomes a soft label."""
        return self.score(votes, voters) >= self.min_score

    def removes(self, votes: FactVotes, voters: int) -> bool:
        """Return False: labels are kept."""
        return False

    def qualifies(self, count: int, votes: FactVotes, voters: int) -> bool:
        """Return whether most models that find an added triple find a qualifier with it."""
        return 2 * count > votes.votes

    def score(self, votes: FactVotes, voters: int) -> float:
        """Return the score of an added triple, which is what training learns."""
        return round(votes.scores / voters if self.combine == Combination.AVERAGE else votes.best, 4)


Policy = VotePolicy | DistillationPolicy


@dataclass(frozen=True, slots=True)
class Change:
    """A triple that is added to the labels of a text or removed from them, with its votes and the number of models."""

    added: bool
    triple: Triple
    relation: Relation
    votes: FactVotes
    voters: int

    def to_dict(self, text: str) -> dict[str, Any]:
        """Return the JSON form, a line of the log."""
        score = self.votes.score
        return {
            "text": text,
            "change": "added" if self.added else "removed",
            "triple": self.triple.to_dict(),
            "votes": self.votes.votes,
            "models": self.voters,
            "score": None if score is None else round(score, 4),
        }


@dataclass(frozen=True, slots=True)
class Relabelled:
    """A text with its labels before and after, and the changes."""

    before: Example
    after: Example
    changes: Sequence[Change]


def relabel(examples: Iterable[Example], result: VotingResult, policy: Policy | None = None) -> Iterator[Relabelled]:
    """Change labels according to votes, see [`vote`].

    Triples are compared by strings, predicate and types. An added triple gets the qualifiers for which
    the policy decides. Its mentions get the offsets of the same strings in the labels of the text, otherwise the lowest
    offsets that a model found. Labels of relations that the models lack, and of texts that a model read in several
    windows, are kept.

    Args:
        examples: the texts that were voted on.
        result: the votes.
        policy: when labels change; default: when all models agree.
    """
    policy = policy or VotePolicy()
    for example, votes in zip(examples, result.texts, strict=True):
        facts = [fact(triple, result.schema) for triple in example.triples]
        kept, removed = _kept_and_removed(example, facts, votes, policy)
        added = list(_added(example, facts, votes, policy))
        triples = (*kept, *(change.triple for change in added))
        yield Relabelled(example, replace(example, triples=triples), [*removed, *added])


def _kept_and_removed(
    example: Example, facts: Sequence[Fact | None], votes: TextVotes, policy: Policy
) -> tuple[list[Triple], list[Change]]:
    kept, removed = [], []
    for triple, stated in zip(example.triples, facts, strict=True):
        judged = stated if votes.read_whole and votes.voters else None
        own = FactVotes() if judged is None else votes.facts.get(judged, FactVotes())
        if judged is not None and policy.removes(own, votes.voters):
            removed.append(Change(False, triple, judged[1], own, votes.voters))
        else:
            kept.append(triple)
    return kept, removed


def _added(example: Example, facts: Sequence[Fact | None], votes: TextVotes, policy: Policy) -> Iterator[Change]:
    places: dict[str, Span | None] = {}
    for triple in example.triples:
        for mention in (triple.subject, *(value for _, value in triple.slots())):
            if mention.span is not None:
                places.setdefault(mention.text, mention.span)

    def put(mention: Mention) -> Mention:
        return replace(mention, span=places.get(mention.text, mention.span))

    found = [
        (stated, own) for stated, own in votes.facts.items() if stated not in facts and policy.adds(own, votes.voters)
    ]
    for (_, relation, _), own in sorted(found, key=lambda entry: (place(entry[1].triple), entry[0])):
        counts = sorted(own.qualifiers.items(), key=lambda entry: (-entry[1], entry[0][0], entry[0][1].span))
        qualifiers: dict[str, Mention] = {}
        for (slot, mention), count in counts:
            if policy.qualifies(count, own, votes.voters):
                qualifiers.setdefault(slot, put(mention))
        triple = own.triple
        score = policy.score(own, votes.voters)
        label = Triple(put(triple.subject), triple.predicate, put(triple.object), qualifiers, score)
        yield Change(True, label, relation, own, votes.voters)


def distil(
    examples: Iterable[Example], result: VotingResult, policy: DistillationPolicy | None = None
) -> Iterator[Relabelled]:
    """Add the triples of teachers to labels, with their scores, see [`vote`] and [`relabel`].

    Labels are kept. A triple that differs from a label of an annotated predicate only in its borders is not added,
    since the label is right. All texts are then annotated for all predicates.

    Args:
        examples: the texts that were voted on, labelled, partially labelled, or without labels.
        result: the votes.
        policy: which triples are added, and their scores.
    """
    for text in relabel(examples, result, policy or DistillationPolicy()):
        example = text.before
        changes = [change for change in text.changes if not _has_other_borders(change.triple, example)]
        triples = (*example.triples, *(change.triple for change in changes))
        yield Relabelled(example, replace(example, triples=triples, annotated_predicates=None), changes)


def _has_other_borders(triple: Triple, example: Example) -> bool:
    """Return whether a triple is a label of an annotated predicate, but for the borders of its mentions."""
    annotated = example.annotated_predicates
    return (annotated is None or triple.predicate in annotated) and any(
        triple.predicate == label.predicate
        and _overlap(triple.subject.text, label.subject.text)
        and _overlap(triple.object.text, label.object.text)
        for label in example.triples
    )


def _overlap(one: str, other: str) -> bool:
    return one in other or other in one


class Summary:
    """Numbers of labels, additions and removals, in all and by relation.

    Args:
        schema: the relations of the models.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.texts = self.changed = 0
        self._counts: dict[str, Counter[Relation]] = {name: Counter() for name in ("labelled", "added", "removed")}

    def add(self, text: Relabelled) -> None:
        """Count one text."""
        self.texts += 1
        self.changed += bool(text.changes)
        for triple in text.before.triples:
            stated = fact(triple, self.schema)
            own = Relation(triple.subject.type, triple.predicate, triple.object.type)
            self._counts["labelled"][own if stated is None else stated[1]] += 1
        for change in text.changes:
            self._counts["added" if change.added else "removed"][change.relation] += 1

    def to_dict(self) -> dict[str, Any]:
        """Return the counts for JSON, the relations with the most changes first."""
        counts = self._counts
        relations = sorted(
            counts["labelled"] | counts["added"], key=lambda r: (-counts["added"][r] - counts["removed"][r], r)
        )
        return {
            "texts": self.texts,
            "changed": self.changed,
            **{name: count.total() for name, count in counts.items()},
            "relations": [
                {
                    "subject_type": relation.subject_type,
                    "predicate": relation.predicate,
                    "object_type": relation.object_type,
                    **{name: count[relation] for name, count in counts.items()},
                }
                for relation in relations
            ],
        }
