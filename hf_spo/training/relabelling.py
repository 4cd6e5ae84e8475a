"""Label cleaning by vote: what all models find and the label lacks is added, what none finds is removed.

The ladder of kexue.fm/archives/6671, whose models are those of eight folds.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..model.schema import Example, Mention, Relation, Schema, Span, Triple
from .voting import Ballot, Fact, Poll, Tally, fact, place


@dataclass(frozen=True, slots=True)
class Rules:
    """When labels change.

    Args:
        add: share of the models that have to find a triple for it to become a label.
        remove: a labelled triple that no greater share finds is removed; None: labels stay.
        min_score: mean score, of the models that find it, that an added triple needs.
        soft: give every triple a score, the share that agrees, in which the label itself counts as one more model:
            (votes + 1) / (models + 1), and votes / (models + 1) of an added triple. Where labels stay, theirs is 1;
            and so is that of a label that the models cannot judge.

    Raises:
        ValueError: a share or score is out of range, or the same share adds a triple and removes it.
    """

    add: float = 1.0
    remove: float | None = 0.0
    min_score: float = 0.0
    soft: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.add <= 1:
            raise ValueError(f"add={self.add}: expected a share above 0, up to 1")
        if self.remove is not None and not 0 <= self.remove < self.add:
            raise ValueError(f"remove={self.remove}: expected a share from 0, and below that of add, {self.add}")
        if not 0 <= self.min_score <= 1:
            raise ValueError(f"min_score={self.min_score}: expected a probability from 0 to 1")

    def adds(self, tally: Tally, ballot: Ballot) -> bool:
        """Tell whether a triple that is not labelled becomes a label."""
        return tally.votes / ballot.voters >= self.add and (tally.score or 0.0) >= self.min_score

    def removes(self, tally: Tally, ballot: Ballot) -> bool:
        """Tell whether a labelled triple is removed."""
        return self.remove is not None and tally.votes / ballot.voters <= self.remove


@dataclass(frozen=True, slots=True)
class Change:
    """A triple that is added to a text's labels, or removed from them, and the votes for it."""

    added: bool
    triple: Triple
    relation: Relation
    tally: Tally
    ballot: Ballot

    def to_dict(self, text: str) -> dict[str, Any]:
        """Return the JSON form, a line of the log."""
        score = self.tally.score
        return {
            "text": text,
            "change": "added" if self.added else "removed",
            "triple": self.triple.to_dict(),
            "votes": self.tally.votes,
            "models": self.ballot.voters,
            "score": None if score is None else round(score, 4),
        }


@dataclass(frozen=True, slots=True)
class Relabelled:
    """A text with its labels before and after, and what changed."""

    before: Example
    after: Example
    changes: Sequence[Change]


def relabel(examples: Iterable[Example], poll: Poll, rules: Rules | None = None) -> Iterator[Relabelled]:
    """Change labels as models voted, see [`vote`].

    A triple is matched by its strings, its predicate and the types. A removed one goes with its qualifiers; an added
    one gets those that as great a share of the models finds with it. An added mention stands where its string is
    labelled in the text already, or else where a model first finds it. Labels whose relation the models do not know,
    and those of texts that they do not read to the end, stay.

    Args:
        examples: those that were voted on.
        poll: the votes.
        rules: when labels change; default: where the models are of one mind.
    """
    rules = rules or Rules()
    for example, ballot in zip(examples, poll.ballots, strict=True):
        facts = [fact(triple, poll.schema) for triple in example.triples]
        kept, removed = _sifted(example, facts, ballot, rules)
        added = list(_added(example, facts, ballot, rules))
        triples = (*kept, *(change.triple for change in added))
        yield Relabelled(example, replace(example, triples=triples), [*removed, *added])


def _sifted(
    example: Example, facts: Sequence[Fact | None], ballot: Ballot, rules: Rules
) -> tuple[list[Triple], list[Change]]:
    """Return the labels that stay, and those that are removed."""
    kept, removed = [], []
    for triple, said in zip(example.triples, facts, strict=True):
        judged = said if rules.remove is not None and ballot.read_whole and ballot.voters else None
        tally = Tally() if judged is None else ballot.tallies.get(judged, Tally())
        if judged is not None and rules.removes(tally, ballot):
            removed.append(Change(False, triple, judged[1], tally, ballot))
        elif rules.soft:
            share = 1.0 if judged is None else (tally.votes + 1) / (ballot.voters + 1)
            kept.append(replace(triple, score=round(share, 4)))
        else:
            kept.append(triple)
    return kept, removed


def _added(example: Example, facts: Sequence[Fact | None], ballot: Ballot, rules: Rules) -> Iterator[Change]:
    places: dict[str, Span | None] = {}
    for triple in example.triples:
        for mention in (triple.subject, *(value for _, value in triple.slots())):
            if mention.span is not None:
                places.setdefault(mention.text, mention.span)

    def put(mention: Mention) -> Mention:
        return replace(mention, span=places.get(mention.text, mention.span))

    found = [(said, tally) for said, tally in ballot.tallies.items() if said not in facts and rules.adds(tally, ballot)]
    for (_, relation, _), tally in sorted(found, key=lambda entry: (place(entry[1].triple), entry[0])):
        votes = sorted(tally.qualifiers.items(), key=lambda entry: (-entry[1], entry[0][0], entry[0][1].span))
        qualifiers: dict[str, Mention] = {}
        for (slot, mention), count in votes:
            if count / ballot.voters >= rules.add:
                qualifiers.setdefault(slot, put(mention))
        score = round(tally.votes / (ballot.voters + 1), 4) if rules.soft else None
        triple = tally.triple
        label = Triple(put(triple.subject), triple.predicate, put(triple.object), qualifiers, score)
        yield Change(True, label, relation, tally, ballot)


class Summary:
    """What relabelling did, relation by relation.

    Args:
        schema: the relations that were voted on.
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
            said = fact(triple, self.schema)
            own = Relation(triple.subject.type, triple.predicate, triple.object.type)
            self._counts["labelled"][own if said is None else said[1]] += 1
        for change in text.changes:
            self._counts["added" if change.added else "removed"][change.relation] += 1

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, those of the relations that changed most first."""
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
