"""Gold triples → token labels, with counts of the triples that have no token spans and the reasons."""

from collections import Counter
from dataclasses import dataclass, field

from ..model.alignment import Encoding, Misalignment, TokenSpan
from ..model.schema import Example, Mention, Schema, Triple
from .occurrences import OccurrencePolicy, locate, missing

Labels = dict[TokenSpan, dict[tuple[TokenSpan, int], float]]
"""For each subject, its objects with their relations, and the target of each: 1, or the score of a soft label."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A mention without a token span, and the reason."""

    cause: Misalignment
    mention: str


@dataclass
class AlignmentReport:
    """How many gold triples became labels, and why the others did not.

    Args:
        triples: number of gold triples.
        aligned: number of triples whose mentions all have token spans, at one occurrence at least.
        causes: number of other triples by cause; each has one cause.
        examples: for each cause the first few pairs of mention and text.
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

    A mention whose borders are not token borders is counted with the cause and gets no label; the triple keeps its
    other slots. The target of a soft label is the triple's score, or 1 if it has none.

    Raises:
        KeyError: a triple's relation is not in the schema.
        ValueError: the score of a soft label is not between 0 and 1.
    """
    labels: Labels = {}
    for triple in example.triples:
        truth = triple.score if soft and triple.score is not None else 1.0
        if not 0 <= truth <= 1:
            raise ValueError(
                f"the text beginning {example.text[:20]!r}: a triple has the score {truth}; expected a probability "
                f"from 0 to 1 for a soft label"
            )
        absent = missing(example.text, triple)
        if absent is not None:
            report.add(example.text, Miss(Misalignment.NOT_IN_TEXT, absent.text))
            continue
        places = locate(example.text, triple, policy)
        if policy != OccurrencePolicy.ALL and not any(_aligns(place, encoding) for place in places):
            others = locate(example.text, triple, OccurrencePolicy.ALL)
            places = [place for place in others if _aligns(place, encoding)][:1] or places
        misses = [_add(labels, place, truth, encoding, schema) for place in places]
        # One aligned occurrence is enough to train the triple.
        report.add(example.text, None if None in misses else misses[0])
    return labels


def _aligns(triple: Triple, encoding: Encoding) -> bool:
    mentions = (triple.subject, *(mention for _, mention in triple.slots()))
    return not any(isinstance(_tokens(encoding, mention), Miss) for mention in mentions)


def _add(labels: Labels, triple: Triple, truth: float, encoding: Encoding, schema: Schema) -> Miss | None:
    """Label the slots of a triple with offsets; return the first mention without a token span, if there is one."""
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
