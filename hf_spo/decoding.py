"""Probabilities → spans → triples, in numpy.

A border is a token whose probability exceeds its threshold; each start is paired with the nearest end at or after it
(bert4keras, task_relation_extraction.py). A span's score is the geometric mean of its two border probabilities, and a
triple's score is the product of its subject's and its object's: P(s) · P(p, o | s).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from .alignment import Encoding
from .schema import VALUE_SLOT, Mention, Schema, Span, Thresholds, Triple


@dataclass(frozen=True, slots=True)
class Subjects:
    """Subjects of a batch. *Shape:* rows, the sentence of each, and scores (N,); spans (N, 2), tokens, inclusive."""

    rows: np.ndarray
    spans: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects of subjects. *Shape:* subjects, relations, scores (M,); spans (M, 2), tokens, inclusive."""

    subjects: np.ndarray
    relations: np.ndarray
    spans: np.ndarray
    scores: np.ndarray


def decode_subjects(probs: np.ndarray, pointable: np.ndarray, thresholds: Thresholds) -> Subjects:
    """Find the subjects of a batch. *Shape:* probs (B, L, 2), pointable (B, L)."""
    limits = thresholds.subject_start, thresholds.subject_end
    return Subjects(*_spans(probs[:, :, None], pointable, limits))


def decode_objects(probs: np.ndarray, pointable: np.ndarray, thresholds: Thresholds) -> Objects:
    """Find the objects of every subject and relation. *Shape:* probs (N, L, R, 2), pointable (N, L)."""
    relations = probs.shape[2]
    groups, spans, scores = _spans(probs, pointable, (thresholds.object_start, thresholds.object_end))
    return Objects(groups // relations, groups % relations, spans, scores)


def _spans(
    probs: np.ndarray, pointable: np.ndarray, limits: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pair each start with the nearest end at or after it, within its row and relation.

    *Shape:* probs (N, L, R, 2), pointable (N, L) → groups (K,), row · R + relation; spans (K, 2); scores (K,).
    """
    _, length, relations, _ = probs.shape
    # One pass over the probabilities, of which hardly any is high; all else is done to those few.
    values = probs.reshape(-1)
    hits = np.flatnonzero(values > min(limits))
    hits = hits[values[hits] > np.array(limits, dtype=probs.dtype)[hits % 2]]
    rest, side = hits // 2, hits % 2
    rest, relation = rest // relations, rest % relations
    row, token = rest // length, rest % length
    kept = pointable[row, token]
    # One number for a row, a relation and a position, so that a single search serves all.
    key = ((row * relations + relation) * length + token)[kept]
    order = np.argsort(key)
    key, side, value = key[order], side[kept][order], values[hits[kept]][order]
    starts, ends = key[side == 0], key[side == 1]
    nearest = np.searchsorted(ends, starts)
    paired = nearest < len(ends)
    paired[paired] = ends[nearest[paired]] // length == starts[paired] // length
    starts, nearest = starts[paired], nearest[paired]
    scores = np.sqrt(value[side == 0][paired] * value[side == 1][nearest])
    return starts // length, np.stack([starts % length, ends[nearest] % length], axis=1), scores


def assemble(encodings: Sequence[Encoding], subjects: Subjects, objects: Objects, schema: Schema) -> list[list[Triple]]:
    """Slice mentions from the texts and join the slots of each subject's objects; one list of triples a text.

    Triples are sorted by position; duplicates, possible where several tokens stand for one character, are merged and
    keep the best score.
    """
    found: dict[int, list[tuple[int, Mention, float]]] = {}
    for subject, relation, (start, end), score in zip(
        objects.subjects.tolist(),
        objects.relations.tolist(),
        objects.spans.tolist(),
        objects.scores.tolist(),
        strict=True,
    ):
        encoding = encodings[subjects.rows[subject]]
        span = encoding.char_span(start, end)
        mention = Mention(encoding.text[span.start : span.end], span, schema[relation].object_type)
        found.setdefault(subject, []).append((relation, mention, score))
    triples: list[list[Triple]] = [[] for _ in encodings]
    for subject, parts in found.items():
        row = int(subjects.rows[subject])
        encoding = encodings[row]
        span = encoding.char_span(*subjects.spans[subject].tolist())
        text = encoding.text[span.start : span.end]
        triples[row].extend(join_slots(text, span, float(subjects.scores[subject]), parts, schema))
    return [merge(group) for group in triples]


def join_slots(
    text: str, span: Span, score: float, parts: Sequence[tuple[int, Mention, float]], schema: Schema
) -> list[Triple]:
    """Build the triples of one subject from its objects: each `@value` with its qualifiers.

    A qualifier goes to the nearest `@value` of its predicate; a value that no qualifier of a slot chose takes the
    nearest one, since texts state a shared qualifier once ("凭《A》获最佳男主角和最佳新人"). Several qualifiers of one
    slot at one value give one triple each. A qualifier of a predicate that has no value is no triple.
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
        rivals = [value for value, _ in found]
        chosen = {
            slot: [(mention, _nearest(mention, rivals)) for mention in mentions]
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
    """Keep of equal triples the best scored, in order of their place in the text."""
    best: dict[tuple[object, ...], Triple] = {}
    for triple in triples:
        key = (triple.subject, triple.predicate, triple.object, tuple(sorted(triple.qualifiers.items())))
        if key not in best or (triple.score or 0) > (best[key].score or 0):
            best[key] = triple
    return sorted(best.values(), key=_place)


def _place(triple: Triple) -> tuple[int, int, int, int, str]:
    assert triple.subject.span is not None
    assert triple.object.span is not None
    subject, value = triple.subject.span, triple.object.span
    return subject.start, subject.end, value.start, value.end, triple.predicate
