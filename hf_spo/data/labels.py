"""Gold triples → token labels, with a count of what could not be aligned and why."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..alignment import Encoding, Misalignment, TokenSpan
from ..schema import Example, Schema, Triple
from .occurrences import OccurrencePolicy, locate

Labels = dict[TokenSpan, list[tuple[TokenSpan, int]]]
"""For each subject, its objects and their relations."""


@dataclass
class AlignmentReport:
    """How many gold triples became labels, and why the others did not."""

    triples: int = 0
    aligned: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    _KEPT_EXAMPLES = 5

    @property
    def share(self) -> float:
        """Share of gold triples of which every mention is aligned; 1 without any triple."""
        return self.aligned / self.triples if self.triples else 1.0

    def miss(self, cause: str, text: str, mention: str) -> None:
        """Count a triple that is not aligned, and keep the first few as examples."""
        self.causes[cause] += 1
        kept = self.examples.setdefault(cause, [])
        if len(kept) < self._KEPT_EXAMPLES:
            kept.append((mention, text))

    def __str__(self) -> str:
        causes = ", ".join(f"{count} {cause}" for cause, count in self.causes.most_common())
        return f"{self.aligned} of {self.triples} gold triples aligned ({self.share:.2%})" + (
            f"; {causes}" * bool(causes)
        )


def label(
    example: Example, encoding: Encoding, schema: Schema, policy: OccurrencePolicy, report: AlignmentReport
) -> Labels:
    """Turn an example's triples into token labels.

    A mention that no token boundary matches is counted with its cause and never labelled as something else; a triple
    keeps those of its slots that do align.

    Raises:
        KeyError: a triple's relation is not in the schema.
    """
    labels: Labels = {}
    for triple in example.triples:
        report.triples += 1
        problems: list[tuple[str, str] | None] = []
        for version in locate(example.text, triple, policy):
            problem: tuple[str, str] | None = None
            for subject, value, relation, mention in _aligned(version, encoding, schema):
                if isinstance(subject, Misalignment):
                    problem = problem or (subject, triple.subject.text)
                elif isinstance(value, Misalignment):
                    problem = problem or (value, mention)
                elif (value, relation) not in labels.setdefault(subject, []):
                    labels[subject].append((value, relation))
            problems.append(problem)
        # Of several occurrences one that aligns is enough: the triple is taught.
        worst = next((p for p in problems if p), (Misalignment.NOT_IN_TEXT, _absent(example.text, triple)))
        if None in problems:
            report.aligned += 1
        else:
            report.miss(worst[0], example.text, worst[1])
    return labels


def _aligned(
    triple: Triple, encoding: Encoding, schema: Schema
) -> Iterator[tuple[TokenSpan | Misalignment, TokenSpan | Misalignment, int, str]]:
    """Yield, for each slot, subject and value as token spans, the relation, and the value's text."""
    assert triple.subject.span is not None
    subject = encoding.token_span(triple.subject.span)
    for slot, mention in triple.slots():
        assert mention.span is not None
        relation = schema.find(triple.predicate, triple.subject.type, mention.type, slot)
        yield subject, encoding.token_span(mention.span), relation, mention.text


def _absent(text: str, triple: Triple) -> str:
    mentions = [triple.subject, *(mention for _, mention in triple.slots())]
    return next((mention.text for mention in mentions if mention.text not in text), triple.subject.text)
