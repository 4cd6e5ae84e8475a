"""Checks of relations: rare, absent, unknown and inconsistently named ones."""

from collections import Counter
from collections.abc import Iterator

from ..data.unknown_relations import without_unknown_relations
from ..model.schema import VALUE_SLOT, Example, Relation, Schema
from .diagnosis import Finding, Severity, beginning, counted

_SHOWN = 8
_FEW = 20
"""A relation with fewer triples counts as rare."""


class RelationChecks:
    """Count triples by relation, text by text."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._counts: Counter[int] = Counter()
        self._unknown: Counter[Relation] = Counter()
        self._first: dict[Relation, str] = {}

    def add(self, example: Example) -> Example:
        """Count the triples of one text; return the text without those whose relation the schema lacks."""
        known, unknown = without_unknown_relations(example, self.schema)
        for relation in unknown:
            self._unknown[relation] += 1
            self._first.setdefault(relation, example.text)
        for triple in known.triples:
            for slot, mention in triple.slots():
                self._counts[self.schema.find(triple.predicate, triple.subject.type, mention.type, slot)] += 1
        return known

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """Numbers of triples by relation, the most frequent first."""
        counts = [(relation_name(relation), self._counts[index]) for index, relation in enumerate(self.schema)]
        return tuple(sorted(counts, key=lambda item: -item[1]))

    def findings(self) -> list[Finding]:
        """Return the findings."""
        return [*self._outside(), *self._scarce(), *self._spellings()]

    def _outside(self) -> Iterator[Finding]:
        if self._unknown:
            count = sum(self._unknown.values())
            names = [f"{relation_name(relation)} ({times:,})" for relation, times in self._unknown.most_common()]
            yield Finding(
                Severity.ERROR,
                "unknown relations",
                f"{counted(len(names), 'relation')} that the schema lacks, in {counted(count, 'triple')}: "
                f"{_listed(names)}",
                "correct predicate and types, add the relation to the schema, or omit --schema; training refuses these "
                "data",
                count,
                tuple(
                    f"{relation_name(relation)} in the text beginning {beginning(self._first[relation])!r}: "
                    f"{self._reason(relation)}"
                    for relation, _ in self._unknown.most_common(_SHOWN)
                ),
            )

    def _reason(self, relation: Relation) -> str:
        try:
            self.schema.find(relation.predicate, relation.subject_type, relation.object_type, relation.slot)
        except KeyError as error:
            return str(error.args[0])
        return "the schema has another subject type or slot"

    def _scarce(self) -> Iterator[Finding]:
        few = [(name, count) for name, count in reversed(self.counts) if 0 < count < _FEW]
        if few:
            yield Finding(
                Severity.WARNING,
                "rare relations",
                f"{counted(len(few), 'relation')} with fewer than {_FEW} triples: "
                + _listed([f"{name} ({count})" for name, count in few]),
                "label more of them, or remove them from the schema: they are hardly learnt and reduce precision",
                len(few),
            )
        none = [name for name, count in self.counts if not count]
        if none:
            yield Finding(
                Severity.NOTE,
                "absent relations",
                f"{counted(len(none), 'relation')} of the schema without a triple: {_listed(none)}",
                "they cannot be learnt from these data; remove them from the schema unless you add data",
                len(none),
            )

    def _spellings(self) -> Iterator[Finding]:
        spelt: dict[str, dict[str, None]] = {}
        typed: dict[tuple[str, str], set[bool]] = {}
        for relation in self.schema:
            spelt.setdefault("".join(relation.predicate.casefold().split()), {})[relation.predicate] = None
            untyped = not relation.subject_type or not relation.object_type
            typed.setdefault((relation.predicate, relation.slot), set()).add(untyped)
        alike = [" and ".join(map(repr, names)) for names in spelt.values() if len(names) > 1]
        if alike:
            yield Finding(
                Severity.WARNING,
                "predicates spelt in two ways",
                f"predicates that differ only in letter case or white space: {_listed(alike)}",
                "use one spelling of each; the model learns them as different relations",
                len(alike),
            )
        mixed = [predicate for (predicate, _), kinds in typed.items() if len(kinds) > 1]
        if mixed:
            yield Finding(
                Severity.WARNING,
                "types given in part",
                f"some triples have types and others have none, so one relation becomes two: {_listed(mixed)}",
                "annotate all types or none, or pass a schema file, from which missing types are filled in",
                len(mixed),
            )


def relation_name(relation: Relation) -> str:
    """Return a relation as one line, with its slot if that is a qualifier's."""
    slot = "" if relation.slot == VALUE_SLOT else f".{relation.slot}"
    subject, value = (f"{kind} " if kind else "" for kind in (relation.subject_type, relation.object_type))
    return f"{subject}–{relation.predicate}{slot}→ {value}".strip()


def _listed(names: list[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
