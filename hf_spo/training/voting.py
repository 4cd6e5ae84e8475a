"""What several models say of labelled texts, triple by triple."""

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
"""Subject, relation and object: what a triple says, wherever in the text."""


def fact(triple: Triple, schema: Schema) -> Fact | None:
    """Return what a triple says; None if its relation is not in the schema. Qualifiers are no part of it."""
    try:
        relation = schema[schema.find(triple.predicate, triple.subject.type, triple.object.type)]
    except KeyError:
        return None
    return triple.subject.text, relation, triple.object.text


@dataclass(slots=True)
class Tally:
    """The votes for one fact in one text.

    Args:
        votes: models that find it.
        scores: sum of their scores.
        first: how one of them does, at the first place in the text.
        qualifiers: how many of them find each slot's mention with it.
    """

    votes: int = 0
    scores: float = 0.0
    first: Triple | None = None
    qualifiers: Counter[tuple[str, Mention]] = field(default_factory=Counter)

    @property
    def score(self) -> float | None:
        """Mean score of the models that find it; None if none does."""
        return self.scores / self.votes if self.votes else None

    @property
    def triple(self) -> Triple:
        """How it is said, at the first place in the text."""
        assert self.first is not None
        return self.first

    def add(self, triples: Sequence[Triple]) -> None:
        """Add one model's vote: the triples by which it says this."""
        self.votes += 1
        self.scores += max(triple.score or 0.0 for triple in triples)
        self.first = min([*triples, *([self.first] if self.first else [])], key=place)
        self.qualifiers.update({slot for triple in triples for slot in triple.qualifiers.items()})


def place(triple: Triple) -> tuple[Span, Span]:
    """Return where a triple with offsets stands: its subject, and its object."""
    assert triple.subject.span is not None
    assert triple.object.span is not None
    return triple.subject.span, triple.object.span


@dataclass(slots=True)
class Ballot:
    """The votes on one text.

    Args:
        voters: models that were asked.
        tallies: of every fact that one of them finds.
        read_whole: whether all of them read the text in one piece.
    """

    voters: int = 0
    tallies: dict[Fact, Tally] = field(default_factory=dict)
    read_whole: bool = True


@dataclass(frozen=True, slots=True)
class Poll:
    """The ballots of all texts, in their order, and the relations that were voted on."""

    schema: Schema
    ballots: Sequence[Ballot]


@dataclass(frozen=True, slots=True)
class Voter:
    """A model that votes.

    Args:
        name: for messages.
        model, tokenizer: the model.
        trained_on: tells of a text whether the model was trained on it; None: not known.
    """

    name: str
    model: SpoForTripleExtraction
    tokenizer: Any
    trained_on: Callable[[str], bool] | None = None


def vote(
    examples: Sequence[Example], voters: Iterable[Voter], *, held_out: bool = False, batch_size: int | None = None
) -> Poll:
    """Let models vote, one after the other, so that no more than one has to be in memory.

    Args:
        examples: labelled texts.
        voters: the models.
        held_out: ask of each text only those that were not trained on it.
        batch_size: at most this many texts in one forward pass.

    Raises:
        ValueError: there is no model, or they have different relations, or it is not known what one was trained on.
    """
    ballots = [Ballot() for _ in examples]
    first: Voter | None = None
    for voter in voters:
        first = first or voter
        schema = voter.model.config.schema
        if set(schema) != set(first.model.config.schema):
            raise ValueError(f"{voter.name} has other relations than {first.name}; models that vote have the same")
        if held_out and voter.trained_on is None:
            raise ValueError(
                f"it is not known which texts {voter.name} was trained on; expected a fold's model beside the "
                f"folds.json that `hf-spo kfold` wrote, or ask all models of all texts"
            )
        asked = [
            index
            for index, example in enumerate(examples)
            if not (held_out and voter.trained_on and voter.trained_on(example.text))
        ]
        extractor = _Extractor(voter, examples)
        found = extractor((examples[index].text for index in asked), batch_size)
        for index, triples in zip(asked, found, strict=True):
            ballot = ballots[index]
            ballot.voters += 1
            ballot.read_whole &= examples[index].text not in extractor.in_parts
            for said, group in _by_fact(triples, schema).items():
                ballot.tallies.setdefault(said, Tally()).add(group)
    if first is None:
        raise ValueError("expected at least one model, got none")
    return Poll(first.model.config.schema, ballots)


def _by_fact(triples: Iterable[Triple], schema: Schema) -> dict[Fact, list[Triple]]:
    groups: dict[Fact, list[Triple]] = {}
    for triple in triples:
        said = fact(triple, schema)
        assert said is not None
        groups.setdefault(said, []).append(triple)
    return groups


class _Extractor(TripleExtractor):
    """Extract from labelled texts, and remember which were read in several windows.

    A prior is consulted as in training: what only a text itself states is not known of it. Or the model would find its
    own labels.
    """

    def __init__(self, voter: Voter, examples: Iterable[Example]) -> None:
        config = voter.model.config
        super().__init__(
            TorchBackend(voter.model),
            voter.tokenizer,
            config.schema,
            max_length=config.max_length,
            window=config.window,
            features=voter.model.features,
            decoding=config.decoding,
        )
        self.in_parts: set[str] = set()
        self._stated = _stated(voter, examples) if self.features.prior is not None else {}

    def read(self, pieces: Sequence[Piece]) -> list[Window]:
        windows = super().read(pieces)
        numbers = Counter(window.text_index for window in windows)
        self.in_parts.update(piece.whole for piece in pieces if numbers[piece.text_index] > 1)
        return windows

    def annotate(self, encodings: Sequence[Encoding], texts: Sequence[str]) -> None:
        """Let no text know what it alone states."""
        self.features.annotate(encodings, [[self._stated.get(text, frozenset())] for text in texts])


def _stated(voter: Voter, examples: Iterable[Example]) -> Mapping[str, StatedTriples]:
    """Return what each text that a model was trained on is labelled with."""
    schema = voter.model.config.schema
    stated: dict[str, StatedTriples] = {}
    for example in examples:
        if voter.trained_on is None or voter.trained_on(example.text):
            known, _ = without_unknown_relations(example, schema)
            stated[example.text] = stated.get(example.text, frozenset()) | stated_triples(known, schema)
    return stated
