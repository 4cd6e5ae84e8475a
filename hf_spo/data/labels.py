"""Gold triples → token labels, with a count of what could not be aligned and why."""

from collections import Counter
from dataclasses import dataclass, field

from ..model.alignment import Encoding, Misalignment, TokenSpan
from ..model.schema import Example, Mention, Schema, Triple
from .occurrences import OccurrencePolicy, locate, missing

Labels = dict[TokenSpan, dict[tuple[TokenSpan, int], float]]
"""For each subject, its objects with their relations, and how true each is: 1, or less of a soft label."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A mention that no tokens stand for, and why."""

    cause: Misalignment
    mention: str


@dataclass
class AlignmentReport:
    """How many gold triples became labels, and why the others did not.

    Args:
        triples: gold triples seen.
        aligned: those of which every mention is aligned, at one occurrence at least.
        causes: why the others are not; one cause a triple.
        examples: for each cause the first few, as (mention, text).
    """

    triples: int = 0
    aligned: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    _KEPT_EXAMPLES = 5

    @property
    def share(self) -> float:
        """Share of gold triples that are aligned; 1 without any triple."""
        return self.aligned / self.triples if self.triples else 1.0

    def add(self, text: str, miss: Miss | None) -> None:
        """Count one triple."""
        self.triples += 1
        if miss is None:
            self.aligned += 1
            return
        self.causes[miss.cause] += 1
        kept = self.examples.setdefault(miss.cause, [])
        if len(kept) < self._KEPT_EXAMPLES:
            kept.append((miss.mention, text))

    def __str__(self) -> str:
        causes = "".join(f"; {count} {cause}" for cause, count in self.causes.most_common())
        return f"{self.aligned} of {self.triples} gold triples aligned ({self.share:.2%}){causes}"


def label(
    example: Example,
    encoding: Encoding,
    schema: Schema,
    policy: OccurrencePolicy,
    report: AlignmentReport,
    soft: bool = False,
) -> Labels:
    """Turn an example's triples into token labels.

    A mention that no token boundary matches is counted with its cause and never labelled as something else; a triple
    keeps those of its slots that do align. A soft label is as true as its triple's score says, 1 without any.

    Raises:
        KeyError: a triple's relation is not in the schema.
        ValueError: a soft label's score is no probability.
    """
    labels: Labels = {}
    for triple in example.triples:
        truth = triple.score if soft and triple.score is not None else 1.0
        if not 0 <= truth <= 1:
            raise ValueError(
                f"the text beginning {example.text[:20]!r}: a triple's score is {truth}; as a soft label it has to "
                f"be a probability from 0 to 1"
            )
        absent = missing(example.text, triple)
        if absent is not None:
            report.add(example.text, Miss(Misalignment.NOT_IN_TEXT, absent.text))
            continue
        misses = [_add(labels, place, truth, encoding, schema) for place in locate(example.text, triple, policy)]
        # Of several occurrences one that aligns is enough: the triple is taught.
        report.add(example.text, None if None in misses else misses[0])
    return labels


def _add(labels: Labels, triple: Triple, truth: float, encoding: Encoding, schema: Schema) -> Miss | None:
    """Add what aligns of a triple with offsets; return what does not, if anything."""
    miss: Miss | None = None
    subject = _tokens(encoding, triple.subject)
    for slot, mention in triple.slots():
        relation = schema.find(triple.predicate, triple.subject.type, mention.type, slot)
        value = _tokens(encoding, mention)
        if isinstance(subject, Miss):
            miss = miss or subject
        elif isinstance(value, Miss):
            miss = miss or value
        else:
            objects = labels.setdefault(subject, {})
            objects[value, relation] = max(truth, objects.get((value, relation), 0.0))
    return miss


def _tokens(encoding: Encoding, mention: Mention) -> TokenSpan | Miss:
    assert mention.span is not None
    tokens = encoding.token_span(mention.span)
    return Miss(tokens, mention.text) if isinstance(tokens, Misalignment) else tokens
