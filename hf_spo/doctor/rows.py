"""Checks of rows: repeated and contradictory ones, and triples that are unusual in themselves."""

from collections import Counter
from collections.abc import Iterator

from ..model.schema import Example, Triple
from .diagnosis import Cases, Finding, Severity, beginning, counted

_SYMMETRIC = 0.5
"""A relation counts as symmetric if this share of its triples occurs in both directions."""

Fact = tuple[str, str, str, str, str]
"""Subject, its type, predicate, object, its type."""


class RowChecks:
    """Collect problems with whole rows, text by text."""

    def __init__(self) -> None:
        self.texts = self.triples = self.several_types = 0
        self.without_triples, self._blank = Cases("text"), Cases("text")
        self._repeated, self._reflexive = Cases("triple"), Cases("triple")
        self._partial: Counter[tuple[str, ...]] = Counter()
        self._stated: dict[str, list[frozenset[Fact]]] = {}

    def add(self, example: Example) -> None:
        """Check one row."""
        self.texts += 1
        self.triples += len(example.triples)
        if not example.triples:
            self.without_triples.add()
        if example.annotated_predicates is not None:
            self._partial[example.annotated_predicates] += 1
        if not example.text.strip():
            self._blank.add()
        self._stated.setdefault(example.text, []).append(frozenset(map(_fact, example.triples)))
        place = f"in the text beginning {beginning(example.text)!r}"
        types: dict[str, set[str]] = {}
        for index, triple in enumerate(example.triples):
            if triple in example.triples[:index]:
                self._repeated.add(f"{_show(_fact(triple))} {place}")
            if triple.subject.text and triple.subject.text == triple.object.text:
                self._reflexive.add(f"{_show(_fact(triple))} {place}")
            for mention in (triple.subject, triple.object):
                types.setdefault(mention.text, set()).add(mention.type)
        self.several_types += any(len(kinds) > 1 for kinds in types.values())

    def findings(self) -> list[Finding]:
        """Return the findings."""
        return [*self._repetitions(), *self._oddities(), *self._partial_labels(), *self._directions()]

    def _repetitions(self) -> Iterator[Finding]:
        copies, differing = Cases("row"), Cases("text")
        for text, facts in self._stated.items():
            copies.add(f"the text beginning {beginning(text)!r}", times=len(facts) - len(set(facts)))
            one, *others = dict.fromkeys(facts)
            if others:
                differing.add(f"the text beginning {beginning(text)!r}: only one row has {_show(min(one ^ others[0]))}")
        yield from copies.finding(
            Severity.NOTE,
            "duplicate rows",
            f"the same text and triples as another row: {copies}",
            "delete them, since they count twice; above all, none may be in both training and evaluation data",
        )
        yield from differing.finding(
            Severity.WARNING,
            "contradictory rows",
            f"the same text in several rows with different triples: {differing}",
            "merge each into one row: a triple of one row is a wrong answer in the others",
        )
        yield from self._repeated.finding(
            Severity.NOTE,
            "duplicate triples",
            f"the same triple twice in a row: {self._repeated}",
            "delete them; training and scores count each once",
        )

    def _oddities(self) -> Iterator[Finding]:
        yield from self._reflexive.finding(
            Severity.WARNING if self._reflexive.count >= 0.01 * self.triples else Severity.NOTE,
            "subject equals object",
            f"subject and object are the same string: {self._reflexive}",
            "correct if the text gives two things the same name, such as a song and its album; otherwise a mistake",
        )
        yield from self._blank.finding(
            Severity.NOTE, "blank texts", f"only white space: {self._blank}", "delete these rows"
        )
        count = self.without_triples.count
        share = count / max(self.texts, 1)
        yield from self.without_triples.finding(
            Severity.WARNING if share > 0.5 else Severity.NOTE,
            "texts without triples",
            f"no triple: {count:,} of {counted(self.texts, 'text')} ({share:.1%})",
            "some are useful, as examples of texts without a triple; label triples that were forgotten",
        )

    def _partial_labels(self) -> Iterator[Finding]:
        partial = Cases("text")
        for names, number in self._partial.most_common():
            shown = ", ".join(names[:3]) + ("…" if len(names) > 3 else "")
            partial.add(
                f"{counted(number, 'text')} complete for {counted(len(names), 'predicate')}: {shown}", times=number
            )
        yield from partial.finding(
            Severity.NOTE,
            "partial labels",
            f"labels that are complete for some predicates only: {partial.count:,} of {counted(self.texts, 'text')}",
            "nothing to do: in these texts, training does not count unlabelled triples of other predicates as wrong",
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
        pairs = Cases("pair")
        for fact in sorted(fact for fact in both if fact[2] in doubted and fact[0] < fact[3]):
            pairs.add(_show(fact))
        names = ", ".join(f"{predicate} ({count // 2})" for predicate, count in sorted(doubted.items()))
        yield from pairs.finding(
            Severity.WARNING,
            "both directions",
            f"both directions of a relation that mostly has one: {pairs}: {names}",
            "delete the wrong direction; if the relation holds both ways, label both everywhere",
        )


def _fact(triple: Triple) -> Fact:
    return triple.subject.text, triple.subject.type, triple.predicate, triple.object.text, triple.object.type


def _show(fact: Fact) -> str:
    subject, _, predicate, value, _ = fact
    return f"({subject}, {predicate}, {value})"
