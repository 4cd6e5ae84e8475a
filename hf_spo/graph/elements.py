"""Nodes, edges and evidence, of which a graph is made."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ..model.schema import Span
from .names import node_id


@dataclass(slots=True, eq=False)
class Node:
    """An entity or a value.

    Args:
        type: of all its mentions; may be empty.
        key: what their names have in common, see [`normalised`]. No other node of the type has it.
        forms: names that mentions have, and how often.
    """

    type: str
    key: str
    forms: Counter[str] = field(default_factory=Counter)

    @property
    def id(self) -> str:
        """A name that no other node has, and that does not depend on the other nodes: 人物:白露."""
        return node_id(self.type, self.key)

    @property
    def label(self) -> str:
        """The most frequent form; of several the first in the order of code points."""
        return min(self.forms, key=lambda form: (-self.forms[form], form))

    @property
    def aliases(self) -> list[str]:
        """The other forms, the most frequent first."""
        ordered = sorted(self.forms, key=lambda form: (-self.forms[form], form))
        return ordered[1:]

    @property
    def mentions(self) -> int:
        """Number of times that a triple has it as subject, object or qualifier."""
        return self.forms.total()


Qualifiers = tuple[tuple[str, Node], ...]
"""Slots of one statement and what stands in them, sorted by slot."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement: where it was found."""

    document: str
    subject: Span | None
    object: Span | None
    score: float | None
    qualifiers: Qualifiers = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: document, offsets as [start, end], score and qualifiers by slot, as far as known."""
        spans = {"subject": self.subject, "object": self.object}
        return {
            "document": self.document,
            **{role: [span.start, span.end] for role, span in spans.items() if span is not None},
            **({} if self.score is None else {"score": self.score}),
            **({"qualifiers": plain(self.qualifiers)} if self.qualifiers else {}),
        }


def plain(qualifiers: Qualifiers) -> dict[str, str]:
    """Return the labels of qualifiers by slot."""
    return {slot: node.label for slot, node in qualifiers}


@dataclass(slots=True, eq=False)
class Edge:
    """A fact: all statements with this subject, predicate and object.

    Args:
        count: number of statements.
        best_score: of the statements that have one.
        qualifiers: different sets of qualifiers, and how many statements have them; statements without are not in it.
        evidence: every statement; empty if the graph keeps no provenance.
    """

    subject: Node
    predicate: str
    object: Node
    count: int = 0
    best_score: float | None = None
    qualifiers: Counter[Qualifiers] = field(default_factory=Counter)
    evidence: list[Evidence] = field(default_factory=list)
    _scores: int = 0
    _total: float = 0.0
    _documents: int = 0
    _last_document: str | None = None

    @property
    def documents(self) -> int:
        """Number of documents that state it. One that repeats itself gives no more evidence.

        Without provenance, a document is taken for another when others were in between.
        """
        return len({statement.document for statement in self.evidence}) or self._documents

    @property
    def mean_score(self) -> float | None:
        """Mean of the statements that have a score."""
        return self._total / self._scores if self._scores else None

    def add(self, statement: Evidence, keep: bool) -> None:
        """Count a statement, and keep it as evidence or not."""
        self.count += 1
        self._documents += statement.document != self._last_document
        self._last_document = statement.document
        if statement.score is not None:
            self._scores += 1
            self._total += statement.score
            self.best_score = statement.score if self.best_score is None else max(self.best_score, statement.score)
        if statement.qualifiers:
            self.qualifiers[statement.qualifiers] += 1
        if keep:
            self.evidence.append(statement)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: labels, types, counts, scores and, if it is kept, the provenance."""
        scores = {"best_score": self.best_score, "mean_score": self.mean_score}
        return {
            "subject": {"text": self.subject.label, "type": self.subject.type},
            "predicate": self.predicate,
            "object": {"text": self.object.label, "type": self.object.type},
            "documents": self.documents,
            "count": self.count,
            **{name: score for name, score in scores.items() if score is not None},
            **({"provenance": [one.to_dict() for one in self.evidence]} if self.evidence else {}),
        }
