"""Nodes, edges and evidence: the elements of a graph."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ..model.fields import json_line
from ..model.schema import Span
from .names import node_id


@dataclass(slots=True, eq=False)
class Node:
    """An entity or a value.

    Args:
        type: type of all its mentions; may be empty.
        key: normalised name, see [`normalised`]; unique among the nodes of the type.
        forms: names as written in mentions, with their counts.
        name: form that is its label although others may be more frequent, since nodes were merged into it.
    """

    type: str
    key: str
    forms: Counter[str] = field(default_factory=Counter)
    name: str = ""

    @property
    def id(self) -> str:
        """Identifier, unique and independent of the other nodes, such as 人物:白露."""
        return node_id(self.type, self.key)

    @property
    def label(self) -> str:
        """The most frequent form; among equally frequent ones, the first in code point order."""
        return self.name or min(self.forms, key=lambda form: (-self.forms[form], form))

    @property
    def aliases(self) -> list[str]:
        """The other forms, most frequent first."""
        others = set(self.forms) - {self.label}
        return sorted(others, key=lambda form: (-self.forms[form], form))

    @property
    def mentions(self) -> int:
        """Number of triples' subjects, objects and qualifiers that name it."""
        return self.forms.total()

    def properties(self) -> dict[str, Any]:
        """Return flat properties, as property graphs store them."""
        return {"name": self.label, "type": self.type, "aliases": self.aliases, "mentions": self.mentions}


Qualifiers = tuple[tuple[str, Node], ...]
"""Qualifiers of one statement: slots with their nodes, sorted by slot."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement of a fact: its document, offsets and score."""

    document: str
    subject: Span | None
    object: Span | None
    score: float | None
    qualifiers: Qualifiers = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: document, offsets as [start, end], score and qualifiers, where known."""
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
    """A fact: all statements with the same subject, predicate and object.

    Args:
        count: number of statements.
        best_score: highest score of the statements; None if none has a score.
        qualifiers: distinct sets of qualifiers with the number of statements that have them.
        evidence: all statements; empty if the graph keeps no provenance.
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
        """Number of documents that state it.

        Without provenance, a document counts again if rows of other documents stand between its rows.
        """
        return len({statement.document for statement in self.evidence}) or self._documents

    @property
    def mean_score(self) -> float | None:
        """Mean score of the statements that have one."""
        return self._total / self._scores if self._scores else None

    def add(self, statement: Evidence, keep: bool) -> None:
        """Count a statement; `keep` adds it to the evidence."""
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

    def absorb(self, other: "Edge", kept: Callable[[Node], Node]) -> None:
        """Add the statements of another edge; `kept` gives the node that stays in place of one."""

        def moved(qualifiers: Qualifiers) -> Qualifiers:
            return tuple((slot, kept(node)) for slot, node in qualifiers)

        self.count += other.count
        self._documents += other._documents
        self._scores += other._scores
        self._total += other._total
        scores = [score for score in (self.best_score, other.best_score) if score is not None]
        self.best_score = max(scores, default=None)
        for qualifiers, count in other.qualifiers.items():
            self.qualifiers[moved(qualifiers)] += count
        self.evidence += [replace(one, qualifiers=moved(one.qualifiers)) for one in other.evidence]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: labels, types, counts, scores, and the evidence if it is kept."""
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

    def properties(self) -> dict[str, Any]:
        """Return flat properties, as property graphs store them; scores only if there are any.

        Qualifiers and evidence are lists of JSON objects as strings, since property graphs do not nest values.
        """
        scores = {"score": self.best_score, "mean_score": self.mean_score}
        return {
            "predicate": self.predicate,
            "documents": self.documents,
            "count": self.count,
            **{name: score for name, score in scores.items() if score is not None},
            "qualifiers": [json_line(plain(qualifiers)) for qualifiers in self.qualifiers],
            "sources": list(dict.fromkeys(statement.document for statement in self.evidence)),
            "evidence": [json_line(statement.to_dict()) for statement in self.evidence],
        }
