"""Triple precision, recall and F1 as a metric for `evaluate`, a thin adapter of `hf_spo.metrics.TripleScorer`."""

from collections.abc import Callable, Iterable
from typing import Any

import datasets
import evaluate

from hf_spo.metrics import Match, TripleScorer
from hf_spo.metrics.triple_f1 import TripleForm

_DESCRIPTION = "Precision, recall and F1 of (subject, predicate, object) triples, micro-averaged over texts."
_INPUTS = """
Args:
    predictions: for each text, a list of triples as the pipeline "triple-extraction" returns them, or of tuples
        (subject, predicate, object).
    references: for each text, its gold triples in one of these forms; score, offsets and types may be missing.
    match: "strict" (texts and predicate), "lenient" (compared after tokenisation), "span" (offsets too) or "full"
        (types and qualifiers too).
    tokenize: for "lenient", a function from a string to its tokens, such as `tokenizer.tokenize`.
Returns:
    precision, recall, f1, correct, predicted, gold
"""


class SpoF1(evaluate.Metric):  # type: ignore[misc]  # evaluate has no types
    """Adapter of `TripleScorer` to the interface of `evaluate`."""

    def _info(self) -> Any:
        triples = datasets.List(datasets.Json())
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": triples, "references": triples}),
        )

    def _compute(
        self,
        predictions: list[list[TripleForm]],
        references: list[list[TripleForm]],
        match: str = Match.STRICT,
        tokenize: Callable[[str], Iterable[str]] | None = None,
    ) -> dict[str, float]:
        scorer = TripleScorer(Match(match), tokenize)
        for predicted, gold in zip(predictions, references, strict=True):
            scorer.add(predicted, gold)
        return scorer.score().to_dict()
