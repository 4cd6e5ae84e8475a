"""Rows that repeat or contradict each other, and triples that are odd in themselves."""

from collections import Counter
from collections.abc import Iterator

from ..model.schema import Example, Triple
from .diagnosis import Finding, Severity, beginning, counted

_SHOWN = 5
_SYMMETRIC = 0.5
"""From this share of triples that also stand the other way round, a relation is taken to be symmetric."""

Fact = tuple[str, str, str, str, str]
"""Subject, its type, predicate, object, its type."""


class RowChecks:
    """Counts rows that repeat or contradict each other, text by text."""

    def __init__(self) -> None:
        self.texts = self.triples = self.without_triples = self.several_types = 0
        self._partial: Counter[tuple[str, ...]] = Counter()
        self._blank = 0
        self._stated: dict[str, list[frozenset[Fact]]] = {}
        self._repeated: list[str] = []
        self._reflexive: list[str] = []

    def add(self, example: Example) -> None:
        """Count one text."""
        self.texts += 1
        self.triples += len(example.triples)
        self.without_triples += not example.triples
        if example.annotated_predicates is not None:
            self._partial[example.annotated_predicates] += 1
        self._blank += not example.text.strip()
        self._stated.setdefault(example.text, []).append(frozenset(map(_fact, example.triples)))
        place = f"in the text beginning {beginning(example.text)!r}"
        seen: list[Triple] = []
        for triple in example.triples:
            if triple in seen:
                self._repeated.append(f"{_show(_fact(triple))} {place}")
            seen.append(triple)
            if triple.subject.text and triple.subject.text == triple.object.text:
                self._reflexive.append(f"{_show(_fact(triple))} {place}")
        types: dict[str, set[str]] = {}
        for triple in example.triples:
            for mention in (triple.subject, triple.object):
                types.setdefault(mention.text, set()).add(mention.type)
        self.several_types += any(len(kinds) > 1 for kinds in types.values())

    def findings(self) -> list[Finding]:
        """Say what was found."""
        return [*self._repetitions(), *self._oddities(), *self._partial_labels(), *self._directions()]

    def _repetitions(self) -> Iterator[Finding]:
        copies = sum(len(facts) - len(set(facts)) for facts in self._stated.values())
        if copies:
            shown = [text for text, facts in self._stated.items() if len(facts) > len(set(facts))]
            yield Finding(
                Severity.NOTE,
                "duplicate rows",
                f"text and triples of another row: {counted(copies, 'row')}",
                "delete them: they count twice; and none of them may be in both training and evaluation data",
                copies,
                tuple(f"the text beginning {beginning(text)!r}" for text in shown[:_SHOWN]),
            )
        differing = {text: list(dict.fromkeys(facts)) for text, facts in self._stated.items() if len(set(facts)) > 1}
        if differing:
            yield Finding(
                Severity.WARNING,
                "contradictory rows",
                f"the same text in several rows with different triples: {counted(len(differing), 'text')}",
                "merge each into one row: what one row states, the other teaches to leave out",
                len(differing),
                tuple(
                    f"the text beginning {beginning(text)!r}: only one row has {_show(min(one ^ other))}"
                    for text, (one, other, *_) in list(differing.items())[:_SHOWN]
                ),
            )
        if self._repeated:
            yield Finding(
                Severity.NOTE,
                "duplicate triples",
                f"the same triple twice in a row: {counted(len(self._repeated), 'triple')}",
                "delete them; training and scores count each once",
                len(self._repeated),
                tuple(self._repeated[:_SHOWN]),
            )

    def _oddities(self) -> Iterator[Finding]:
        if self._reflexive:
            yield Finding(
                Severity.WARNING if len(self._reflexive) >= 0.01 * self.triples else Severity.NOTE,
                "subject equals object",
                f"subject and object are the same string: {counted(len(self._reflexive), 'triple')}",
                "right where the text names two things alike, such as a song and its album; else a mistake",
                len(self._reflexive),
                tuple(self._reflexive[:_SHOWN]),
            )
        if self._blank:
            yield Finding(
                Severity.NOTE,
                "blank texts",
                f"nothing but white space: {counted(self._blank, 'text')}",
                "delete these rows",
                self._blank,
            )
        if self.without_triples:
            share = self.without_triples / self.texts
            yield Finding(
                Severity.WARNING if share > 0.5 else Severity.NOTE,
                "texts without triples",
                f"no triple: {self.without_triples:,} of {counted(self.texts, 'text')} ({share:.1%})",
                "some are good: they teach to find nothing; where a triple was forgotten, label it",
                self.without_triples,
            )

    def _partial_labels(self) -> Iterator[Finding]:
        count = self._partial.total()
        if count:
            yield Finding(
                Severity.NOTE,
                "partial labels",
                f"labels that are complete for some predicates only: {count:,} of {counted(self.texts, 'text')}",
                "nothing to do: training does not take a triple of another predicate for wrong where no label says so",
                count,
                tuple(
                    f"{counted(number, 'text')} complete for {counted(len(names), 'predicate')}: {', '.join(names[:3])}"
                    + ("…" if len(names) > 3 else "")
                    for names, number in self._partial.most_common(_SHOWN)
                ),
            )

    def _directions(self) -> Iterator[Finding]:
        known = {fact for rows in self._stated.values() for facts in rows for fact in facts}
        totals = Counter(predicate for _, _, predicate, _, _ in known)
        both = [fact for fact in known if fact[0] != fact[3] and (*fact[3:], fact[2], *fact[:2]) in known]
        doubted = {
            predicate: count
            for predicate, count in Counter(fact[2] for fact in both).items()
            if count < _SYMMETRIC * totals[predicate]
        }
        if doubted:
            pairs = sorted(fact for fact in both if fact[2] in doubted and fact[0] < fact[3])
            names = ", ".join(f"{predicate} ({count // 2})" for predicate, count in sorted(doubted.items()))
            yield Finding(
                Severity.WARNING,
                "both directions",
                f"both directions of a relation that mostly has one: {counted(len(pairs), 'pair')}: {names}",
                "delete the wrong direction; if the relation holds both ways, label both everywhere",
                len(pairs),
                tuple(_show(fact) for fact in pairs[:_SHOWN]),
            )


def _fact(triple: Triple) -> Fact:
    return triple.subject.text, triple.subject.type, triple.predicate, triple.object.text, triple.object.type


def _show(fact: Fact) -> str:
    subject, _, predicate, value, _ = fact
    return f"({subject}, {predicate}, {value})"
