"""Explanation of an evaluation with an F1 of 0, in a few lines."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..metrics import TripleScorer, judge
from ..metrics.errors import Cause, explain
from ..model.decoding_settings import DecodingSettings
from ..model.schema import Example, Mention, Triple
from .stages import StageScore


@dataclass(frozen=True, slots=True)
class TrainingState:
    """Progress of a training.

    Args:
        step, max_steps: optimizer steps done and planned.
        learning_rate: peak learning rate of the encoder.
        losses: logged so far.
        raw_f1: F1 of the raw weights, if they were evaluated beside the averaged ones.
    """

    step: int
    max_steps: int
    learning_rate: float
    losses: Sequence[float] = ()
    raw_f1: float | None = None


def explain_zero(
    examples: Sequence[Example],
    predictions: Sequence[Sequence[Triple]],
    stages: StageScore,
    decoding: DecodingSettings,
    state: TrainingState,
) -> list[str]:
    """Return lines that say at which stage extraction fails, and what usually helps."""
    count = sum(len(example.triples) for example in examples)
    if not count:
        return [f"none of the {len(examples)} texts is labelled with a triple; check these data"]
    if not stages.subjects.gold:
        return [
            f"none of the {count} gold triples aligns with tokens of its text, so the stages cannot be scored",
            "run hf-spo doctor --data FILE for the reasons",
        ]
    if any(math.isnan(value) for value in (stages.subject_peak, stages.object_peak, *state.losses[-1:])):
        return [
            f"the probabilities or the loss are NaN after {state.step} steps: training has diverged",
            "restart with a lower learning rate or a warm-up (warmup_steps), and without fp16",
        ]
    if state.raw_f1:
        return [
            f"the averaged weights lag behind the raw ones, whose F1 is {state.raw_f1:.4f}",
            "train longer, or lower ema_decay, for example to 0.99",
        ]
    if not any(predictions):
        return _nothing_found(stages, decoding, state)
    return _nothing_right(examples, predictions)


def _nothing_found(stages: StageScore, decoding: DecodingSettings, state: TrainingState) -> list[str]:
    thresholds = decoding.thresholds
    if not stages.subjects.predicted:
        least = min(thresholds.subject_start, thresholds.subject_end)
        what = (
            f"no subject found: the highest probability of a border is {stages.subject_peak:.3f}, "
            f"the threshold is {least:g}"
        )
        return [what, *progress_hints(state)]
    least = min(thresholds.object_start, thresholds.object_end)
    subjects = stages.subjects
    what = f"{subjects.predicted} subjects found, {subjects.correct} of them right, but no objects"
    if stages.objects.predicted:
        what += f"; for the labelled subjects, {stages.objects.predicted} objects are found"
        if decoding.score_thresholds:
            what += f", but scores below {max(decoding.score_thresholds):g} are dropped (score_threshold)"
    else:
        what += f": the highest probability of a border is {stages.object_peak:.3f}, the threshold is {least:g}"
    return [what, "objects are learnt after subjects", *progress_hints(state)]


_FEW_STEPS = 300
"""New heads start near probability 0; in the recipes the first triples appear after 100 to 300 steps."""
_FALLS = 0.9
_LOW_RATE, _HIGH_RATE = 5e-6, 5e-4


def progress_hints(state: TrainingState) -> list[str]:
    """Return signs that the training is too short, too slow or too fast."""
    if not state.step:
        return ["the model has not been trained yet; new heads find nothing"]
    if not state.learning_rate:
        return ["the learning rate is 0, so the encoder learns nothing; 2e-5 to 3e-4 suits pretrained encoders"]
    hints = []
    if state.step < _FEW_STEPS:
        hints.append(
            f"{state.step} of {state.max_steps} steps are done; the first triples usually take 100 to {_FEW_STEPS}"
        )
    first, last = (state.losses[0], state.losses[-1]) if len(state.losses) > 1 else (1.0, 0.0)
    if last > _FALLS * first:
        hints.append(f"the loss does not fall: {first:.4g} at first, {last:.4g} now, after {state.step} steps")
    if state.learning_rate < _LOW_RATE:
        hints.append(f"a learning rate of {state.learning_rate:g} is low; 2e-5 to 3e-4 suits pretrained encoders")
    elif state.learning_rate > _HIGH_RATE:
        hints.append(f"a learning rate of {state.learning_rate:g} is high for a pretrained encoder; try 2e-5 to 3e-4")
    return hints or [f"after {state.step} steps at a learning rate of {state.learning_rate:g}; train longer"]


_HINTS = {
    Cause.DIRECTION: "subject and object are exchanged: check the labels of training and evaluation data",
    Cause.BOUNDARY: "their borders are wrong: train longer, or look for shifted offsets with hf-spo doctor",
    Cause.RELATION: "the entities are right, the predicates are wrong: check the schema, or train longer",
    Cause.PAIRING: "subjects and objects are right, but wrongly paired: train longer",
    Cause.SPURIOUS: "the gold triples are different: train longer, or check whether labels are missing here",
}


def _nothing_right(examples: Sequence[Example], predictions: Sequence[Sequence[Triple]]) -> list[str]:
    judgements = [judge(example, found, TripleScorer()) for example, found in zip(examples, predictions, strict=True)]
    errors = [(error, judgement.gold) for judgement in judgements for error in explain(judgement)[0]]
    (commonest, _), *_ = causes = Counter(error.cause for error, _ in errors).most_common()
    counts = ", ".join(f"{count} {cause.value}" for cause, count in causes)
    lines = [f"{len(errors)} triples found, none of them right (cause: {counts})", _HINTS[commonest]]
    of_cause = [(error, gold) for error, gold in errors if error.cause == commonest]
    error, gold = max(of_cause, key=lambda pair: bool(pair[1]))
    labelled = error.counterpart or next(iter(gold), None)
    lines.append(f"for example {show(error.triple)}; gold: {show(labelled) if labelled else 'no triple'}")
    return lines


def show(triple: Triple) -> str:
    """Return a triple as one line, with its offsets if it has any."""
    return f"({_mention(triple.subject)}, {triple.predicate}, {_mention(triple.object)})"


def _mention(mention: Mention) -> str:
    return mention.text if mention.span is None else f"{mention.text} {mention.span.start}–{mention.span.end}"
