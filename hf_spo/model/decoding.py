"""Decode probabilities to spans and triples, in numpy.

A border is a token whose probability exceeds its threshold; each start is paired with the nearest end at or after it
(bert4keras, task_relation_extraction.py). A span's score is the geometric mean of its two border probabilities, and a
triple's score is the product of its subject's and its object's: P(s) · P(p, o | s).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from .alignment import Encoding
from .calibration import Calibration
from .decoding_settings import SpanPairing, Thresholds
from .schema import VALUE_SLOT, Mention, Schema, Span, Triple


@dataclass(frozen=True, slots=True)
class Subjects:
    """Subjects of a batch. *Shape:* rows, their sentences, and scores (N,); spans (N, 2), tokens, inclusive."""

    rows: np.ndarray
    spans: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


class Objects(NamedTuple):
    """Objects of subjects. *Shape:* subjects, relations, scores (M,); spans (M, 2), tokens, inclusive."""

    subjects: np.ndarray
    relations: np.ndarray
    spans: np.ndarray
    scores: np.ndarray


def decode_subjects(
    probs: np.ndarray, pointable: np.ndarray, thresholds: Thresholds, pairing: SpanPairing = SpanPairing.NEAREST
) -> Subjects:
    """Find the subjects of a batch. *Shape:* probs (B, L, 2), pointable (B, L)."""
    limits = thresholds.subject_start, thresholds.subject_end
    return Subjects(*_spans(probs[:, :, None], pointable, limits, pairing))


def decode_objects(
    probs: np.ndarray, pointable: np.ndarray, thresholds: Thresholds, pairing: SpanPairing = SpanPairing.NEAREST
) -> Objects:
    """Find the objects of every subject and relation. *Shape:* probs (N, L, R, 2), pointable (N, L)."""
    relations = probs.shape[2]
    groups, spans, scores = _spans(probs, pointable, (thresholds.object_start, thresholds.object_end), pairing)
    return Objects(groups // relations, groups % relations, spans, scores)


def _spans(
    probs: np.ndarray, pointable: np.ndarray, limits: tuple[float, float], pairing: SpanPairing
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pair starts with ends at or after them, within their row and relation.

    *Shape:* probs (N, L, R, 2), pointable (N, L) → groups (K,), row · R + relation; spans (K, 2); scores (K,).
    """
    _, length, relations, _ = probs.shape
    # One pass over all probabilities; the rest works on the few that are high.
    values = probs.reshape(-1)
    hits = np.flatnonzero(values > min(limits))
    hits = hits[values[hits] > np.array(limits, dtype=probs.dtype)[hits % 2]]
    rest, side = hits // 2, hits % 2
    rest, relation = rest // relations, rest % relations
    row, token = rest // length, rest % length
    kept = pointable[row, token]
    # Row, relation and position as one number, so that a single search finds all pairs.
    key = ((row * relations + relation) * length + token)[kept]
    order = np.argsort(key)
    key, side, value = key[order], side[kept][order], values[hits[kept]][order]
    starts, ends = key[side == 0], key[side == 1]
    first, second = _PAIRS[pairing](starts, ends, length)
    scores = np.sqrt(value[side == 0][first] * value[side == 1][second])
    starts, ends = starts[first], ends[second]
    return starts // length, np.stack([starts % length, ends % length], axis=1), scores


Pairs = tuple[np.ndarray, np.ndarray]


def _nearest_ends(starts: np.ndarray, ends: np.ndarray, length: int) -> Pairs:
    """Pair each start with the nearest end at or after it. *Shape:* starts (S,), ends (E,) → indices (K,) of both.

    A position is group · length + token, sorted.
    """
    nearest = np.searchsorted(ends, starts)
    paired = nearest < len(ends)
    paired[paired] = ends[nearest[paired]] // length == starts[paired] // length
    return np.flatnonzero(paired), nearest[paired]


def _nearest_of_both(starts: np.ndarray, ends: np.ndarray, length: int) -> Pairs:
    """Add to these pairs each end with the nearest start at or before it."""
    nearest = np.searchsorted(starts, ends, side="right") - 1
    paired = nearest >= 0
    paired[paired] = starts[nearest[paired]] // length == ends[paired] // length
    pairs = [_nearest_ends(starts, ends, length), (nearest[paired], np.flatnonzero(paired))]
    both = np.unique(np.concatenate([np.stack(pair, axis=1) for pair in pairs]), axis=0)
    return both[:, 0], both[:, 1]


def _all_pairs(starts: np.ndarray, ends: np.ndarray, length: int) -> Pairs:
    """Pair each start with every end at or after it."""
    nearest = np.searchsorted(ends, starts)
    counts = np.searchsorted(ends, (starts // length + 1) * length) - nearest
    first = np.repeat(np.arange(len(starts)), counts)
    return first, np.arange(counts.sum()) + np.repeat(nearest - np.cumsum(counts) + counts, counts)


_PAIRS = {SpanPairing.NEAREST: _nearest_ends, SpanPairing.EITHER: _nearest_of_both, SpanPairing.ALL: _all_pairs}


def assemble(encodings: Sequence[Encoding], subjects: Subjects, objects: Objects, schema: Schema) -> list[list[Triple]]:
    """Slice mentions from the texts and join the slots of each subject's objects; one list of triples for each text.

    Triples are sorted by position. Duplicates, which several tokens of one character can give, become one with the best
    score.
    """
    rows, scores = subjects.rows.tolist(), subjects.scores.tolist()
    found: dict[int, list[tuple[int, Mention, float]]] = {}
    for subject, relation, (start, end), score in zip(
        objects.subjects.tolist(),
        objects.relations.tolist(),
        objects.spans.tolist(),
        objects.scores.tolist(),
        strict=True,
    ):
        encoding = encodings[rows[subject]]
        span = encoding.char_span(start, end)
        mention = Mention(encoding.text[span.start : span.end], span, schema[relation].object_type)
        found.setdefault(subject, []).append((relation, mention, score))
    triples: list[list[Triple]] = [[] for _ in encodings]
    for subject, parts in found.items():
        encoding = encodings[rows[subject]]
        span = encoding.char_span(*subjects.spans[subject].tolist())
        text = encoding.text[span.start : span.end]
        triples[rows[subject]].extend(join_slots(text, span, scores[subject], parts, schema))
    return [merge(group) for group in triples]


def join_slots(
    text: str, span: Span, score: float, parts: Sequence[tuple[int, Mention, float]], schema: Schema
) -> list[Triple]:
    """Build the triples of one subject from its objects: each `@value` with its qualifiers.

    A qualifier belongs to the nearest `@value` of its predicate. A value without a qualifier of a slot takes the
    nearest one, since texts state a shared qualifier once ("凭《A》获最佳男主角和最佳新人"). Several qualifiers of one
    slot at one value give one triple each. Qualifiers of a predicate without a value are dropped.
    """
    values: dict[tuple[str, str], list[tuple[Mention, float]]] = {}
    slots: dict[tuple[str, str], dict[str, list[Mention]]] = {}
    for index, mention, mention_score in parts:
        relation = schema[index]
        head = (relation.subject_type, relation.predicate)
        if relation.slot == VALUE_SLOT:
            values.setdefault(head, []).append((mention, mention_score))
        else:
            slots.setdefault(head, {}).setdefault(relation.slot, []).append(mention)
    triples = []
    for head, found in values.items():
        subject_type, predicate = head
        subject = Mention(text, span, subject_type)
        objects = [value for value, _ in found]
        chosen = {
            slot: [(mention, _nearest(mention, objects)) for mention in mentions]
            for slot, mentions in slots.get(head, {}).items()
        }
        for value, value_score in found:
            choices = [
                [(slot, mention) for mention, nearest in pairs if nearest == value]
                or [(slot, _nearest(value, [mention for mention, _ in pairs]))]
                for slot, pairs in chosen.items()
            ]
            for qualifiers in product(*choices):
                triples.append(Triple(subject, predicate, value, dict(qualifiers), score * value_score))
    return triples


def _nearest(mention: Mention, others: Iterable[Mention]) -> Mention:
    def distance(other: Mention) -> tuple[int, int]:
        assert mention.span is not None
        assert other.span is not None
        return mention.span.distance(other.span), other.span.start

    return min(others, key=distance)


def merge(triples: Iterable[Triple]) -> list[Triple]:
    """Keep the best scored of equal triples, sorted by position in the text."""
    best: dict[tuple[object, ...], Triple] = {}
    for triple in triples:
        # Plain values, because the hash of a mention takes several times as long.
        key = (triple.order(), triple.subject.type, triple.object.type, frozenset(triple.qualifiers.items()))
        if (triple.score or 0) > (best.setdefault(key, triple).score or 0):
            best[key] = triple
    return [best[key] for key in sorted(best, key=itemgetter(0))]


def calibrate_and_filter(
    triples: Sequence[Triple], schema: Schema, calibration: Calibration | None, score_thresholds: Sequence[float]
) -> list[Triple]:
    """Calibrate the scores of triples, then drop those below the threshold of their relation, or of all relations."""
    if calibration is not None and triples:
        scores = calibration(np.array([triple.score for triple in triples], dtype=np.float64))
        triples = [
            Triple(triple.subject, triple.predicate, triple.object, triple.qualifiers, score)
            for triple, score in zip(triples, scores.tolist(), strict=True)
        ]
    if not score_thresholds:
        return list(triples)
    return [triple for triple in triples if (triple.score or 0.0) >= _threshold(triple, schema, score_thresholds)]


def _threshold(triple: Triple, schema: Schema, score_thresholds: Sequence[float]) -> float:
    if len(score_thresholds) == 1:
        return score_thresholds[0]
    return score_thresholds[schema.find(triple.predicate, triple.subject.type, triple.object.type)]
