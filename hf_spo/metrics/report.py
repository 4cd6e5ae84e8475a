"""The evaluation report as data: scores, breakdowns and errors of predictions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import numpy as np

from ..model.schema import Example, Schema, Triple
from .breakdown import Group, Macro, by_entities, by_length, by_number, by_overlap, by_relation, macro_average
from .duie_official import Aliases, OfficialScore, official_counts
from .errors import Cause, TripleError, explain
from .reliability import Reliability, ThresholdPoint, reliability, threshold_curve
from .significance import Interval, bootstrap
from .triple_f1 import Judgement, Match, Tokenize, TripleScore, TripleScorer, judge, total

OFFICIAL = "official"
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Measure:
    """A corpus score with 95 % intervals of its precision, recall and F1."""

    score: TripleScore | OfficialScore
    intervals: Mapping[str, Interval]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**self.score.to_dict(), "intervals": {name: [i.low, i.high] for name, i in self.intervals.items()}}


@dataclass(frozen=True, slots=True)
class TextResult:
    """A text with its predicted triples, their strict comparison with the gold triples, and the errors by cause."""

    text: str
    predicted: tuple[Triple, ...]
    judgement: Judgement
    wrong: tuple[TripleError, ...]
    missed: tuple[TripleError, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Results of an evaluation; `to_dict` returns them without the texts.

    Args:
        about: names and values that describe model and data.
        texts: the result of each text.
        measures: scores by way of matching: strict, lenient (with a tokenizer), span (if all triples have offsets),
            full, and the official DuIE score.
        macro: strict means over relations.
        breakdowns: strict scores by overlap, number, length, relations and, with training texts, entities.
        reliability, curve: calibration and effect of a score threshold; None and empty unless every predicted triple
            has a score from 0 to 1.
        schema: the extracted relations, if known.
        samples: bootstrap samples drawn for the intervals.
        rules: scores by rules applied, see [`rule_effects`]; None without rules.
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
        """Return the wrong and the missed triples, each by cause in the order of [`Cause`]."""
        sides = {
            "wrong": [error for result in self.texts for error in result.wrong],
            "missed": [error for result in self.texts for error in result.missed],
        }
        return {
            side: {cause: found for cause in Cause if (found := [error for error in errors if error.cause == cause])}
            for side, errors in sides.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with at most five examples of each kind of error."""
        return {
            "about": dict(self.about),
            "texts": len(self.texts),
            "samples": self.samples,
            "measures": {name: measure.to_dict() for name, measure in self.measures.items()},
            "macro": asdict(self.macro),
            "breakdowns": {name: [group.to_dict() for group in groups] for name, groups in self.breakdowns.items()},
            "errors": {
                side: {
                    cause.value: {"count": len(found), "examples": [error.to_dict() for error in found[:_EXAMPLES]]}
                    for cause, found in causes.items()
                }
                for side, causes in self.causes().items()
            },
            "reliability": self.reliability and asdict(self.reliability),
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
    """Evaluate predictions by all measures and breakdowns.

    Args:
        examples: labelled texts.
        predictions: the triples predicted for each text, in the same order.
        schema: fills in types that the data omit.
        train: the training texts, for scores of seen and new entities.
        aliases: other names of entities for the official score, see [`read_aliases`].
        tokenize: splits a string into tokens, for lenient matching.
        samples: bootstrap samples to draw for the confidence intervals.
        seed: of the bootstrap.
        about: names and values that describe model and data.

    Raises:
        ValueError: there are no examples, or the number of predictions differs.
    """
    if not examples or len(examples) != len(predictions):
        raise ValueError(
            f"got {len(examples)} labelled texts and predictions for {len(predictions)}: expected predictions for the "
            f"same texts, and at least one text"
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
    correct, predicted, found, gold = official.sum(axis=0).tolist()
    measures[OFFICIAL] = Measure(OfficialScore(correct, predicted, gold, found), bootstrap(official, samples, seed))
    breakdowns = {"overlap": by_overlap(strict), "number": by_number(strict), "length": by_length(strict)}
    if train is not None:
        breakdowns["entities"] = by_entities(strict, train)
    breakdowns["relations"] = by_relation(strict, schema)
    calibration, curve = _reliability(strict)
    return Report(
        about=dict(about or {}),
        texts=tuple(
            TextResult(item.text, tuple(triples), item, *explain(item))
            for item, triples in zip(strict, predictions, strict=True)
        ),
        measures=measures,
        macro=macro_average(breakdowns["relations"]),
        breakdowns=breakdowns,
        reliability=calibration,
        curve=curve,
        schema=schema,
        samples=samples,
    )


def text_counts(judgements: Iterable[Judgement]) -> np.ndarray:
    """Return the counts of each text for [`bootstrap`] and [`compare`]. *Shape:* (T, 4)."""
    rows = [
        (score.correct, score.predicted, score.correct, score.gold) for score in (item.score for item in judgements)
    ]
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
    return Measure(total(item.score for item in judgements), bootstrap(text_counts(judgements), samples, seed))


def _reliability(judgements: Sequence[Judgement]) -> tuple[Reliability | None, tuple[ThresholdPoint, ...]]:
    scores = [triple.score for item in judgements for triple in item.predicted]
    usable = [score for score in scores if score is not None and 0 <= score <= 1]
    if not scores or len(usable) < len(scores):
        return None, ()
    right = [is_right for item in judgements for is_right in [True] * len(item.right) + [False] * len(item.wrong)]
    return reliability(usable, right), threshold_curve(usable, right, sum(len(item.gold) for item in judgements))
