"""The evaluation report: every score, breakdown and error of a model's predictions, as data."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import numpy as np

from ..model.schema import Example, Schema, Triple
from .breakdown import Group, Macro, by_entities, by_length, by_number, by_overlap, by_relation, macro_average
from .duie_official import Aliases, OfficialScore, official_counts
from .errors import Cause, TripleError, explain
from .judging import Judgement, judge, total
from .reliability import Reliability, ThresholdPoint, reliability, threshold_curve
from .significance import Interval, bootstrap
from .triple_f1 import Match, Tokenize, TripleScore, TripleScorer

OFFICIAL = "official"
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Measure:
    """A corpus score and the 95 % intervals of its precision, recall and F1."""

    score: TripleScore | OfficialScore
    intervals: Mapping[str, Interval]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**self.score.to_dict(), "intervals": {name: [i.low, i.high] for name, i in self.intervals.items()}}


@dataclass(frozen=True, slots=True)
class TextResult:
    """A text, what was predicted for it, what is right by strict matching, and the cause of every error."""

    text: str
    predicted: tuple[Triple, ...]
    judgement: Judgement
    wrong: tuple[TripleError, ...]
    missed: tuple[TripleError, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What an evaluation found; `to_dict` gives it as plain data, without the texts.

    about: what was evaluated, as names and values to show. texts: one result each. measures: by way of matching,
    strict first; lenient only with a tokenizer, span only with offsets on both sides; then the official DuIE measure.
    macro: means over relations. breakdowns: overlap, number, length, relations, and entities with training texts; all
    strict. reliability and curve: None and empty unless every predicted triple has a probability for a score. schema:
    the relations asked for, if known. samples: drawn for the intervals. rules: scores by effect of declared rules, if
    any were applied.
    """

    about: Mapping[str, str]
    texts: tuple[TextResult, ...]
    measures: Mapping[str, Measure]
    macro: Macro
    breakdowns: Mapping[str, tuple[Group, ...]]
    reliability: Reliability | None
    curve: tuple[ThresholdPoint, ...]
    schema: Schema | None
    samples: int
    rules: Mapping[str, TripleScore] | None = None

    def causes(self) -> dict[str, dict[Cause, list[TripleError]]]:
        """Return the errors by cause, in the order of [`Cause`], of wrong and of missed triples."""
        sides = {
            "wrong": [error for result in self.texts for error in result.wrong],
            "missed": [error for result in self.texts for error in result.missed],
        }
        return {
            side: {cause: found for cause in Cause if (found := [error for error in errors if error.cause == cause])}
            for side, errors in sides.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; of each kind of error, a few examples."""
        return {
            "about": dict(self.about),
            "texts": len(self.texts),
            "samples": self.samples,
            "measures": {name: measure.to_dict() for name, measure in self.measures.items()},
            "macro": self.macro.to_dict(),
            "breakdowns": {name: [group.to_dict() for group in groups] for name, groups in self.breakdowns.items()},
            "errors": {
                side: {
                    cause.value: {"count": len(found), "examples": [error.to_dict() for error in found[:_EXAMPLES]]}
                    for cause, found in causes.items()
                }
                for side, causes in self.causes().items()
            },
            "reliability": self.reliability and self.reliability.to_dict(),
            "curve": [asdict(point) for point in self.curve],
            "rules": self.rules and {name: score.to_dict() for name, score in self.rules.items()},
        }


def evaluate_report(
    examples: Sequence[Example],
    predictions: Sequence[Sequence[Triple]],
    schema: Schema | None = None,
    *,
    train: Iterable[Example] | None = None,
    aliases: Aliases | None = None,
    tokenize: Tokenize | None = None,
    samples: int = 1000,
    seed: int = 0,
    about: Mapping[str, str] | None = None,
) -> Report:
    """Evaluate predictions in every way there is.

    Args:
        examples: labelled texts.
        predictions: the triples predicted for each, in the same order.
        schema: completes the types of relations that the data leave out.
        train: the texts that the model was trained on, for scores of seen and unseen entities.
        aliases: other names of entities, for the official measure, see [`read_aliases`].
        tokenize: splits a string into tokens, for lenient matching.
        samples: drawn for the confidence intervals.
        seed: of those samples.
        about: names and values that say what was evaluated on what.

    Raises:
        ValueError: there are no examples, or not as many predictions.
    """
    if not examples or len(examples) != len(predictions):
        raise ValueError(
            f"{len(examples)} labelled texts, predictions for {len(predictions)}: expected the same texts, at least one"
        )
    judged = {
        match: [
            judge(example, triples, TripleScorer(match, tokenize))
            for example, triples in zip(examples, predictions, strict=True)
        ]
        for match in _matches(examples, predictions, tokenize)
    }
    strict = judged[Match.STRICT]
    measures = {match.value: _measure(items, samples, seed) for match, items in judged.items()}
    official = official_counts(examples, predictions, aliases)
    measures[OFFICIAL] = Measure(OfficialScore(*official.sum(axis=0).tolist()), bootstrap(official, samples, seed))
    breakdowns = {"overlap": by_overlap(strict), "number": by_number(strict), "length": by_length(strict)}
    if train is not None:
        breakdowns["entities"] = by_entities(strict, train)
    breakdowns["relations"] = by_relation(strict, schema)
    found, curve = _reliability(strict)
    return Report(
        about=dict(about or {}),
        texts=tuple(
            TextResult(item.text, tuple(triples), item, *explain(item))
            for item, triples in zip(strict, predictions, strict=True)
        ),
        measures=measures,
        macro=macro_average(breakdowns["relations"]),
        breakdowns=breakdowns,
        reliability=found,
        curve=curve,
        schema=schema,
        samples=samples,
    )


def text_counts(judgements: Iterable[Judgement]) -> np.ndarray:
    """Return the counts of each text as [`bootstrap`] and [`compare`] take them. *Shape:* (T, 4)."""
    rows = [(right := len(item.right), right + len(item.wrong), right, right + len(item.missed)) for item in judgements]
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def _matches(
    examples: Iterable[Example], predictions: Iterable[Iterable[Triple]], tokenize: Tokenize | None
) -> Iterator[Match]:
    yield Match.STRICT
    if tokenize is not None:
        yield Match.LENIENT
    triples = chain(*(example.triples for example in examples), *predictions)
    if all(triple.subject.span is not None and triple.object.span is not None for triple in triples):
        yield Match.SPAN
    yield Match.FULL


def _measure(judgements: Sequence[Judgement], samples: int, seed: int) -> Measure:
    return Measure(total(judgements), bootstrap(text_counts(judgements), samples, seed))


def _reliability(judgements: Iterable[Judgement]) -> tuple[Reliability | None, tuple[ThresholdPoint, ...]]:
    scores: list[float] = []
    right: list[bool] = []
    gold = 0
    for item in judgements:
        gold += len(item.gold)
        for triple in item.predicted:
            if triple.score is None or not 0 <= triple.score <= 1:
                return None, ()
            scores.append(triple.score)
        right += [True] * len(item.right) + [False] * len(item.wrong)
    return (reliability(scores, right), threshold_curve(scores, right, gold)) if scores else (None, ())
