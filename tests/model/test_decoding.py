"""Decoding: probabilities → spans → triples."""

from dataclasses import replace

import numpy as np
import pytest

from hf_spo.model.alignment import encode, pad
from hf_spo.model.calibration import Calibration, CalibrationMethod
from hf_spo.model.decoding import (
    Objects,
    Subjects,
    assemble,
    calibrate_and_filter,
    decode_objects,
    decode_subjects,
    join_slots,
    merge,
)
from hf_spo.model.decoding_settings import SpanPairing, Thresholds
from hf_spo.model.schema import Mention, Relation, Schema, Span, Triple
from tests import builders

pytestmark = pytest.mark.smoke


def borders(length: int, starts: dict[int, float], ends: dict[int, float]) -> np.ndarray:
    """Return probabilities (length, 2) that are 0 but at these tokens."""
    probs = np.zeros((length, 2), dtype=np.float32)
    for side, chosen in enumerate((starts, ends)):
        for token, value in chosen.items():
            probs[token, side] = value
    return probs


def subjects(probs: np.ndarray, thresholds: Thresholds | None = None, pointable: list[bool] | None = None) -> Subjects:
    mask = np.ones(probs.shape[:-1], dtype=bool) if pointable is None else np.array([pointable])
    return decode_subjects(probs, mask, thresholds or Thresholds())


class TestPairing:
    def test_each_start_takes_the_nearest_end_at_or_after_it(self):
        found = subjects(borders(8, {1: 0.9, 2: 0.9, 6: 0.9}, {0: 0.9, 3: 0.9, 5: 0.9, 6: 0.9})[None])
        assert found.spans.tolist() == [[1, 3], [2, 3], [6, 6]]
        assert found.rows.tolist() == [0, 0, 0]

    def test_a_start_without_an_end_after_it_is_no_span(self):
        assert len(subjects(borders(4, {2: 0.9}, {1: 0.9})[None])) == 0

    def test_an_end_in_the_next_sentence_is_no_partner(self):
        probs = np.stack([borders(4, {3: 0.9}, {}), borders(4, {}, {0: 0.9})])
        assert len(subjects(probs)) == 0

    def test_sentences_are_told_apart(self):
        probs = np.stack([borders(4, {1: 0.9}, {2: 0.9}), borders(4, {}, {}), borders(4, {0: 0.9}, {3: 0.9})])
        found = subjects(probs)
        assert found.rows.tolist() == [0, 2]
        assert found.spans.tolist() == [[1, 2], [0, 3]]

    def test_score_is_the_geometric_mean(self):
        found = subjects(borders(4, {1: 0.9}, {2: 0.6})[None])
        assert found.scores.tolist() == pytest.approx([np.sqrt(0.9 * 0.6)])

    def test_a_border_has_to_exceed_its_threshold(self):
        probs = borders(4, {0: 0.5, 1: 0.51}, {0: 0.51, 1: 0.3})[None]
        assert subjects(probs).spans.tolist() == []
        assert subjects(probs, Thresholds(subject_end=0.2)).spans.tolist() == [[1, 1]]
        assert subjects(probs, Thresholds(subject_start=0.4)).spans.tolist() == [[0, 0]]
        assert len(subjects(probs, Thresholds(object_start=0, object_end=0))) == 0

    def test_what_is_not_pointable_is_never_a_border_even_at_threshold_zero(self):
        probs = np.ones((1, 4, 2), dtype=np.float32)
        found = subjects(probs, Thresholds(0, 0), [False, True, True, False])
        assert found.spans.tolist() == [[1, 1], [2, 2]]

    def test_no_number_is_no_border(self):
        assert len(subjects(np.full((1, 4, 2), np.nan, dtype=np.float32))) == 0

    def test_objects_know_their_subject_and_relation(self):
        probs = np.zeros((2, 5, 3, 2), dtype=np.float32)
        probs[0, 1, 2, 0], probs[0, 3, 2, 1] = 0.8, 0.9
        probs[1, 2, 0, 0], probs[1, 2, 0, 1] = 0.7, 0.7
        probs[1, 4, 1, 0], probs[1, 3, 1, 1] = 0.7, 0.7  # the end comes before the start
        found = decode_objects(probs, np.ones((2, 5), dtype=bool), Thresholds())
        assert found.subjects.tolist() == [0, 1]
        assert found.relations.tolist() == [2, 0]
        assert found.spans.tolist() == [[1, 3], [2, 2]]
        assert found.scores.tolist() == pytest.approx([np.sqrt(0.72), 0.7])

    def test_objects_obey_their_own_thresholds_and_pointable_tokens(self):
        probs = np.full((1, 3, 1, 2), 0.4, dtype=np.float32)
        mask = np.array([[False, True, False]])
        assert len(decode_objects(probs, mask, Thresholds()).subjects) == 0
        found = decode_objects(probs, mask, Thresholds(object_start=0.3, object_end=0.3))
        assert found.spans.tolist() == [[1, 1]]

    def test_no_subject_has_no_objects(self):
        found = decode_objects(np.zeros((0, 4, 3, 2)), np.zeros((0, 4), dtype=bool), Thresholds())
        assert found.spans.shape == (0, 2)

    def test_same_as_the_reference_loop_on_random_probabilities(self):
        probs = np.random.default_rng(0).random((4, 12, 2)).astype(np.float32)
        found = subjects(probs, Thresholds(0.6, 0.7))
        expected = []
        for row, sentence in enumerate(probs):
            starts = np.where(sentence[:, 0] > 0.6)[0]
            ends = np.where(sentence[:, 1] > 0.7)[0]
            for start in starts:
                after = ends[ends >= start]
                if len(after):
                    expected.append((row, int(start), int(after[0])))
        assert [(row, *span) for row, span in zip(found.rows.tolist(), found.spans.tolist(), strict=True)] == expected


def decode_gold(items, tokenizer):
    """Decode from probabilities that are 1 at gold borders and 0 elsewhere."""
    backend = builders.GoldBackend(items, tokenizer)
    encodings = encode(tokenizer, [item.text for item in items], 512)
    batch = pad(encodings, tokenizer.pad_token_id)
    state, probs = backend.subjects(batch)
    found = decode_subjects(probs, batch.pointable, Thresholds())
    values = backend.objects(state, found.rows, found.spans)
    objects = decode_objects(values, batch.pointable[found.rows], Thresholds())
    return assemble(encodings, found, objects, builders.SCHEMA)


class TestGoldLabels:
    @pytest.mark.parametrize("name", builders.FIVE_FEATURES)
    def test_feature_of_the_source_comes_back_exactly(self, name, any_tokenizer):
        item = builders.FIVE_FEATURES[name]
        (triples,) = decode_gold([item], any_tokenizer)
        assert builders.facts(triples) == builders.facts(item.triples)
        assert len(triples) == len(item.triples)
        assert {triple.score for triple in triples} == {1.0}

    def test_a_batch_comes_back_exactly(self, any_tokenizer):
        results = decode_gold(builders.EXAMPLES, any_tokenizer)
        assert [builders.facts(r) for r in results] == [builders.facts(e.triples) for e in builders.EXAMPLES]

    def test_shared_predicate_gives_the_type_of_its_relation(self, tiny_tokenizer):
        item = builders.example("星河科技成立于1998年", (("星河科技", "机构"), "成立日期", "1998年"))
        (triples,) = decode_gold([item], tiny_tokenizer)
        assert [triple.subject.type for triple in triples] == ["机构"]

    def test_every_mention_is_a_slice_of_its_text(self, any_tokenizer):
        for item, triples in zip(builders.EXAMPLES, decode_gold(builders.EXAMPLES, any_tokenizer), strict=True):
            for triple in triples:
                for part in (triple.subject, *dict(triple.slots()).values()):
                    assert item.text[part.span.start : part.span.end] == part.text


class TestAssemble:
    def test_score_is_the_product_of_both_geometric_means(self, tiny_tokenizer):
        encodings = encode(tiny_tokenizer, ["白露主演雪国"], 16)
        found = subjects(borders(8, {1: 0.9}, {2: 0.8})[None])
        probs = np.zeros((1, 8, len(builders.SCHEMA), 2), dtype=np.float32)
        probs[0, 5, 0, 0], probs[0, 6, 0, 1] = 0.7, 0.6
        objects = decode_objects(probs, np.ones((1, 8), dtype=bool), Thresholds())
        ((triple,),) = assemble(encodings, found, objects, builders.SCHEMA)
        assert triple.score == pytest.approx(np.sqrt(0.9 * 0.8) * np.sqrt(0.7 * 0.6))
        assert type(triple.score) is float
        assert (triple.subject.text, triple.predicate, triple.object.text) == ("白露", "主演", "雪国")

    def test_tokens_of_one_character_give_one_triple_with_the_best_score(self):
        tokenizer = builders.TOKENIZERS["byte-level"]
        encodings = encode(tokenizer, ["谥x"], 16)
        found = Subjects(np.array([0, 0]), np.array([[1, 3], [2, 3]]), np.array([0.6, 0.9]))
        objects = Objects(np.array([0, 1]), np.array([0, 0]), np.array([[4, 4], [4, 4]]), np.array([1.0, 1.0]))
        ((triple,),) = assemble(encodings, found, objects, builders.SCHEMA)
        assert (triple.subject.text, triple.score) == ("谥", 0.9)

    def test_a_subject_without_objects_is_no_triple(self, tiny_tokenizer):
        encodings = encode(tiny_tokenizer, ["白露", "晚风"], 16)
        nothing = Objects(*(np.zeros(shape, dtype=np.int64) for shape in (0, 0, (0, 2), 0)))
        found = subjects(np.stack([borders(4, {1: 0.9}, {2: 0.9})] * 2))
        assert assemble(encodings, found, nothing, builders.SCHEMA) == [[], []]


class TestQualifiers:
    schema = Schema(
        [
            Relation("人", "获奖", "奖项"),
            Relation("人", "获奖", "作品", "inWork"),
            Relation("人", "获奖", "Date", "onDate"),
            Relation("人", "饰演", "角色"),
            Relation("人", "饰演", "作品", "inWork"),
            Relation("人", "获奖", "荣誉"),
        ]
    )

    def join(self, *parts: tuple[int, int, int]):
        """Join parts given as (relation, start, end); each mention's text is its position."""
        mentions = [
            (relation, Mention(f"{start}-{end}", Span(start, end), self.schema[relation].object_type), 0.5)
            for relation, start, end in parts
        ]
        triples = join_slots("白露", Span(0, 2), 0.5, mentions, self.schema)
        return [
            (triple.predicate, triple.object.text, {slot: value.text for slot, value in triple.qualifiers.items()})
            for triple in triples
        ]

    def test_value_alone(self):
        assert self.join((0, 5, 7)) == [("获奖", "5-7", {})]

    def test_value_with_slots(self):
        assert self.join((0, 5, 7), (1, 10, 12), (2, 14, 16)) == [
            ("获奖", "5-7", {"inWork": "10-12", "onDate": "14-16"})
        ]

    def test_slot_without_value_is_no_triple(self):
        assert self.join((1, 5, 7)) == []

    def test_slot_of_another_predicate_is_not_taken(self):
        assert self.join((0, 5, 7), (4, 10, 12)) == [("获奖", "5-7", {})]

    def test_each_slot_goes_to_the_nearest_value(self):
        found = self.join((0, 5, 7), (0, 20, 22), (1, 8, 10), (1, 23, 25))
        assert found == [("获奖", "5-7", {"inWork": "8-10"}), ("获奖", "20-22", {"inWork": "23-25"})]

    def test_a_slot_stated_once_is_shared(self):
        found = self.join((0, 5, 7), (0, 20, 22), (2, 0, 4))
        assert found == [("获奖", "5-7", {"onDate": "0-4"}), ("获奖", "20-22", {"onDate": "0-4"})]

    def test_values_of_another_object_type_are_rivals_too(self):
        found = self.join((0, 5, 7), (5, 20, 22), (1, 8, 10), (1, 23, 25))
        assert found == [("获奖", "5-7", {"inWork": "8-10"}), ("获奖", "20-22", {"inWork": "23-25"})]

    def test_several_of_one_slot_at_one_value_give_one_triple_each(self):
        found = self.join((3, 5, 7), (4, 8, 10), (4, 11, 13))
        assert found == [("饰演", "5-7", {"inWork": "8-10"}), ("饰演", "5-7", {"inWork": "11-13"})]

    def test_a_qualifier_does_not_change_the_score(self):
        value = Mention("a", Span(3, 4), "奖项")
        work = Mention("b", Span(5, 6), "作品")
        (triple,) = join_slots("白露", Span(0, 2), 0.5, [(0, value, 0.8), (1, work, 0.1)], self.schema)
        assert triple.score == pytest.approx(0.4)


class TestMerge:
    def triple(self, start=0, score=0.5, value=5, predicate="p", slot=None):
        qualifiers = {} if slot is None else {"inWork": Mention("w", Span(slot, slot + 1))}
        return Triple(
            Mention("s", Span(start, start + 1)), predicate, Mention("o", Span(value, value + 1)), qualifiers, score
        )

    def test_equal_triples_keep_the_best_score(self):
        assert merge([self.triple(score=0.2), self.triple(score=0.9), self.triple(score=0.4)]) == [
            self.triple(score=0.9)
        ]

    def test_offsets_predicates_and_qualifiers_tell_triples_apart(self):
        different = [self.triple(), self.triple(start=1), self.triple(value=6), self.triple(predicate="q")]
        different += [self.triple(slot=8), self.triple(slot=9)]
        assert len(merge(different)) == 6

    def test_order_is_that_of_the_text(self):
        found = merge([self.triple(3), self.triple(1, value=9), self.triple(1, predicate="z"), self.triple(1)])
        assert [(t.subject.span.start, t.object.span.start, t.predicate) for t in found] == [
            (1, 5, "p"), (1, 5, "z"), (1, 9, "p"), (3, 5, "p"),
        ]  # fmt: skip


def pairs(pairing, starts, ends, length=8, relations=1):
    """Decode one sentence with sure borders at these tokens, of relation 0 and, if there are two, of 1 as well."""
    probs = np.zeros((1, length, relations, 2), dtype=np.float32)
    probs[0, starts, :, 0] = 0.9
    probs[0, ends, :, 1] = 0.9
    found = decode_objects(probs, np.ones((1, length), dtype=bool), Thresholds(), pairing)
    return sorted(zip(found.relations.tolist(), map(tuple, found.spans.tolist()), strict=True))


class TestSpanPairing:
    def test_list_of_entities(self):
        for pairing in (SpanPairing.NEAREST, SpanPairing.EITHER):
            assert pairs(pairing, [1, 4], [2, 5]) == [(0, (1, 2)), (0, (4, 5))]
        assert pairs(SpanPairing.ALL, [1, 4], [2, 5]) == [(0, (1, 2)), (0, (1, 5)), (0, (4, 5))]

    def test_nested_spans_with_a_common_border(self):
        assert pairs(SpanPairing.NEAREST, [1], [2, 4]) == [(0, (1, 2))]
        assert pairs(SpanPairing.EITHER, [1], [2, 4]) == [(0, (1, 2)), (0, (1, 4))]
        assert pairs(SpanPairing.EITHER, [1, 3], [4]) == [(0, (1, 4)), (0, (3, 4))]
        assert pairs(SpanPairing.ALL, [1, 3], [4]) == [(0, (1, 4)), (0, (3, 4))]

    @pytest.mark.parametrize("pairing", SpanPairing)
    def test_borders_without_partner(self, pairing):
        assert pairs(pairing, [5], [2]) == []
        assert pairs(pairing, [5], []) == []
        assert pairs(pairing, [], [2]) == []

    @pytest.mark.parametrize("pairing", SpanPairing)
    def test_relations_and_sentences_do_not_mix(self, pairing):
        assert pairs(pairing, [7], [7], relations=2) == [(0, (7, 7)), (1, (7, 7))]
        probs = np.zeros((2, 4, 2), dtype=np.float32)
        probs[0, 3, 0] = probs[1, 0, 1] = 0.9
        assert len(decode_subjects(probs, np.ones((2, 4), dtype=bool), Thresholds(), pairing)) == 0

    def test_all_is_every_pair_of_the_reference_loop(self):
        probs = np.random.default_rng(1).random((3, 10, 4, 2)).astype(np.float32)
        found = decode_objects(probs, np.ones((3, 10), dtype=bool), Thresholds(), SpanPairing.ALL)
        expected = {
            (row, relation, start, end)
            for row in range(3)
            for relation in range(4)
            for start in np.flatnonzero(probs[row, :, relation, 0] > 0.5)
            for end in np.flatnonzero(probs[row, :, relation, 1] > 0.5)
            if start <= end
        }
        spans = zip(found.subjects.tolist(), found.relations.tolist(), *found.spans.T.tolist(), strict=True)
        assert len(found.scores) == len(expected)
        assert set(spans) == expected

    def test_either_holds_nearest_and_lies_in_all(self):
        probs = np.random.default_rng(2).random((3, 12, 4, 2)).astype(np.float32)
        results = [
            set(
                zip(
                    f.subjects.tolist(),
                    f.relations.tolist(),
                    map(tuple, f.spans.tolist()),
                    f.scores.tolist(),
                    strict=True,
                )
            )
            for f in (
                decode_objects(probs, np.ones((3, 12), dtype=bool), Thresholds(), pairing) for pairing in SpanPairing
            )
        ]
        nearest, either, everything = results
        assert nearest < either < everything


class TestWeigh:
    TRIPLES = builders.EXAMPLES[0].triples

    def weighed(self, scores, calibration=None, limits=()):
        scored = [replace(triple, score=score) for triple, score in zip(self.TRIPLES, scores, strict=True)]
        return [triple.score for triple in calibrate_and_filter(scored, builders.SCHEMA, calibration, limits)]

    def test_nothing_chosen_changes_nothing(self):
        assert self.weighed([0.9, 0.1, 0.5]) == [0.9, 0.1, 0.5]
        assert (
            calibrate_and_filter([], builders.SCHEMA, Calibration(CalibrationMethod.TEMPERATURE, (1, 0)), (0.5,)) == []
        )

    def test_thresholds_are_compared_with_calibrated_scores(self):
        halved = Calibration(CalibrationMethod.ISOTONIC, (0.0, 0.5), (0.0, 1.0))
        assert self.weighed([0.9, 0.1, 0.5], halved, (0.25,)) == pytest.approx([0.45, 0.25])

    def test_each_relation_has_its_own(self):
        limits = [0.0] * len(builders.SCHEMA)
        limits[builders.SCHEMA.find("主演")] = 0.3
        assert self.weighed([0.2, 0.2, 0.3], limits=tuple(limits)) == [0.2, 0.3]
