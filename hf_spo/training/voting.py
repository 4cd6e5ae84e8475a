"""Votes of several models on the triples of labelled texts."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..data.unknown_relations import without_unknown_relations
from ..model.alignment import Encoding
from ..model.extraction import TripleExtractor
from ..model.modeling_spo import SpoForTripleExtraction, TorchBackend
from ..model.schema import Example, Mention, Relation, Schema, Span, Triple
from ..model.triple_store import StatedTriples, stated_triples
from ..model.windows import Piece, Window

Fact = tuple[str, Relation, str]
"""Subject, relation and object of a triple, regardless of offsets."""


def fact(triple: Triple, schema: Schema) -> Fact | None:
    """Return the fact of a triple, without qualifiers; None if its relation is not in the schema."""
    try:
        relation = schema[schema.find(triple.predicate, triple.subject.type, triple.object.type)]
    except KeyError:
        return None
    return triple.subject.text, relation, triple.object.text


@dataclass(slots=True)
class FactVotes:
    """The votes for one fact in one text.

    Args:
        votes: number of models that find it.
        scores: sum of their scores.
        best: the highest of their scores.
        first: the triple with the lowest offsets among those found.
        qualifiers: number of models that find each mention of a slot with it.
    """

    votes: int = 0
    scores: float = 0.0
    best: float = 0.0
    first: Triple | None = None
    qualifiers: Counter[tuple[str, Mention]] = field(default_factory=Counter)

    @property
    def score(self) -> float | None:
        """Mean score of the models that find it; None without votes."""
        return self.scores / self.votes if self.votes else None

    @property
    def triple(self) -> Triple:
        """The triple with the lowest offsets."""
        assert self.first is not None
        return self.first

    def add(self, triples: Sequence[Triple]) -> None:
        """Add the vote of one model: its triples that state the fact."""
        self.votes += 1
        score = max(triple.score or 0.0 for triple in triples)
        self.scores += score
        self.best = max(self.best, score)
        self.first = min([*triples, *([self.first] if self.first else [])], key=place)
        self.qualifiers.update({slot for triple in triples for slot in triple.qualifiers.items()})


def place(triple: Triple) -> tuple[Span, Span]:
    """Return the spans of subject and object of a triple with offsets."""
    assert triple.subject.span is not None
    assert triple.object.span is not None
    return triple.subject.span, triple.object.span


@dataclass(slots=True)
class TextVotes:
    """The votes on one text.

    Args:
        voters: number of models that voted.
        facts: the votes for each fact that a model finds.
        read_whole: whether all models read the text in one window.
    """

    voters: int = 0
    facts: dict[Fact, FactVotes] = field(default_factory=dict)
    read_whole: bool = True


@dataclass(frozen=True, slots=True)
class VotingResult:
    """The votes on all texts, in their order, and the relations of the models."""

    schema: Schema
    texts: Sequence[TextVotes]


@dataclass(frozen=True, slots=True)
class Voter:
    """A model that votes.

    Args:
        name: for messages.
        model, tokenizer: the model.
        trained_on: returns whether the model was trained on a text; None if that is unknown.
    """

    name: str
    model: SpoForTripleExtraction
    tokenizer: Any
    trained_on: Callable[[str], bool] | None = None


def vote(
    examples: Sequence[Example],
    voters: Iterable[Voter],
    *,
    held_out: bool = False,
    batch_size: int | None = None,
    threshold: float | None = None,
) -> VotingResult:
    """Let models vote, one after the other, so that only one is in memory at a time.

    Args:
        examples: the texts, with the labels that models with a prior were trained on.
        voters: the models.
        held_out: let only the models vote on a text that were not trained on it.
        batch_size: maximum number of texts in one forward pass.
        threshold: border threshold of all models; default: that of each.

    Raises:
        ValueError: there is no model, the relations of two models differ, or `held_out` and the training texts of a
            model are unknown.
    """
    result = [TextVotes() for _ in examples]
    first: Voter | None = None
    for voter in voters:
        first = first or voter
        schema = voter.model.config.schema
        if set(schema) != set(first.model.config.schema):
            raise ValueError(f"{voter.name} has other relations than {first.name}; expected models of one schema")
        if held_out and voter.trained_on is None:
            raise ValueError(
                f"the training texts of {voter.name} are unknown; expected the model of a fold in the output folder of "
                f"`hf-spo kfold`, or votes of all models on all texts"
            )
        asked = [
            (example.text, votes)
            for example, votes in zip(examples, result, strict=True)
            if not (held_out and voter.trained_on and voter.trained_on(example.text))
        ]
        extractor = _Extractor(voter, examples, threshold)
        found = extractor((text for text, _ in asked), batch_size)
        for (text, votes), triples in zip(asked, found, strict=True):
            votes.voters += 1
            votes.read_whole &= text not in extractor.in_parts
            for stated, group in _by_fact(triples, schema).items():
                votes.facts.setdefault(stated, FactVotes()).add(group)
    if first is None:
        raise ValueError("expected at least one model, got none")
    return VotingResult(first.model.config.schema, result)


def _by_fact(triples: Iterable[Triple], schema: Schema) -> dict[Fact, list[Triple]]:
    groups: dict[Fact, list[Triple]] = {}
    for triple in triples:
        stated = fact(triple, schema)
        assert stated is not None
        groups.setdefault(stated, []).append(triple)
    return groups


class _Extractor(TripleExtractor):
    """Extract from labelled texts, and record which were read in several windows.

    The prior of a text omits the triples that only its own labels state, as in training; otherwise the model would find
    these labels.
    """

    def __init__(self, voter: Voter, examples: Iterable[Example], threshold: float | None) -> None:
        config = voter.model.config
        super().__init__(
            TorchBackend(voter.model),
            voter.tokenizer,
            config.schema,
            max_length=config.max_length,
            window=config.window,
            features=voter.model.features,
            decoding=config.decoding,
            threshold=threshold,
        )
        self.in_parts: set[str] = set()
        self._stated = _stated(voter, examples) if self.features.prior is not None else {}

    def read(self, pieces: Sequence[Piece]) -> list[Window]:
        windows = super().read(pieces)
        numbers = Counter(window.text_index for window in windows)
        self.in_parts.update(piece.whole for piece in pieces if numbers[piece.text_index] > 1)
        return windows

    def annotate(self, encodings: Sequence[Encoding], texts: Sequence[str]) -> None:
        """Add features; the prior of a text omits what only this text states."""
        self.features.annotate(encodings, [[self._stated.get(text, frozenset())] for text in texts])


def _stated(voter: Voter, examples: Iterable[Example]) -> Mapping[str, StatedTriples]:
    """Return the labels of each text that a model was trained on."""
    schema = voter.model.config.schema
    stated: dict[str, StatedTriples] = {}
    for example in examples:
        if voter.trained_on is None or voter.trained_on(example.text):
            known, _ = without_unknown_relations(example, schema)
            stated[example.text] = stated.get(example.text, frozenset()) | stated_triples(known, schema)
    return stated
