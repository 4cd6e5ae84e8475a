"""Extraction: the two-pass loop, with models that know the answer and models that know nothing."""

import logging
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_spo.model.decoding_settings import DecodingSettings, Thresholds
from hf_spo.model.extraction import TextTooLongError, TripleExtractor, extract_items
from hf_spo.model.modeling_spo import TorchBackend
from hf_spo.model.relation_rules import RelationRules
from hf_spo.model.schema import Example, Relation, Schema, Triple
from hf_spo.model.windows import Window
from tests import builders
from tests.builders import EVERY_TOKENIZER, any_text, mention

TEXTS_OF_EXAMPLES = [item.text for item in builders.EXAMPLES]


class RandomBackend:
    """A model of random opinions, which depend only on the numbers it is asked with."""

    def __init__(self, relations: int, seed: int = 0) -> None:
        self.relations = relations
        self.rng = np.random.default_rng(seed)
        self.calls: list[tuple[int, ...]] = []

    def subjects(self, batch):
        self.calls.append(batch.input_ids.shape)
        return batch.input_ids.shape[1], self.rng.random((*batch.input_ids.shape, 2), dtype=np.float32)

    def objects(self, state, rows, spans):
        self.calls.append((len(rows), state, self.relations))
        assert rows.shape == (len(spans),)
        return self.rng.random((len(rows), state, self.relations, 2), dtype=np.float32)


class LimitedBackend(builders.GoldBackend):
    """Gold labels with limits: only borders of objects can be such."""

    computed = 0

    def object_limits(self, state):
        labels, length = state
        limits = np.zeros((len(labels), length, 2), dtype=np.float32)
        for row, objects in enumerate(labels):
            for value, _ in (pair for pairs in objects.values() for pair in pairs):
                limits[row, value.start, 0] = limits[row, value.end, 1] = 1
        return limits

    def objects(self, state, rows, spans, tokens=None):
        assert tokens is not None
        self.computed += tokens.size
        return super().objects(state, rows, spans)[np.arange(len(rows))[:, None], tokens]


@pytest.fixture
def gold(tiny_tokenizer):
    return builders.GoldBackend(builders.EXAMPLES, tiny_tokenizer)


def extractor(backend, tokenizer, **settings):
    return TripleExtractor(backend, tokenizer, builders.SCHEMA, **{"max_length": 64, **settings})


class TestLoop:
    @pytest.mark.parametrize("batch_size", [1, 3, 32])
    @pytest.mark.parametrize("look_ahead", [1, 16])
    def test_gold_labels_give_exactly_the_gold_triples_in_order(self, gold, tiny_tokenizer, batch_size, look_ahead):
        extract = extractor(gold, tiny_tokenizer, look_ahead=look_ahead)
        results = list(extract(TEXTS_OF_EXAMPLES, batch_size))
        assert [builders.facts(r) for r in results] == [builders.facts(e.triples) for e in builders.EXAMPLES]

    @pytest.mark.parametrize("budget", [1 << 22, 1])
    def test_only_tokens_that_can_be_borders_of_objects_are_computed(self, tiny_tokenizer, budget):
        backend = LimitedBackend(builders.EXAMPLES, tiny_tokenizer)
        extract = extractor(backend, tiny_tokenizer)
        extract._object_budget = budget
        results = list(extract(TEXTS_OF_EXAMPLES))
        assert [builders.facts(r) for r in results] == [builders.facts(e.triples) for e in builders.EXAMPLES]
        subjects = sum(len({triple.subject.span for triple in example.triples}) for example in builders.EXAMPLES)
        assert 0 < backend.computed < subjects * 20

    def test_few_subjects_at_a_time_give_the_same(self, gold, tiny_tokenizer):
        extract = extractor(gold, tiny_tokenizer)
        whole = list(extract(TEXTS_OF_EXAMPLES))
        extract._object_budget = 1
        assert list(extract(TEXTS_OF_EXAMPLES)) == whole

    def test_one_pass_of_each_kind_for_a_batch(self, tiny_tokenizer):
        backend = RandomBackend(len(builders.SCHEMA))
        list(
            extractor(backend, tiny_tokenizer, decoding=DecodingSettings(Thresholds(0.5, 0.5, 1, 1)))(TEXTS_OF_EXAMPLES)
        )
        first, second = backend.calls
        assert first[0] == len(TEXTS_OF_EXAMPLES)
        assert second[1:] == (first[1], len(builders.SCHEMA))

    def test_no_subject_needs_no_second_pass(self, tiny_tokenizer):
        backend = RandomBackend(len(builders.SCHEMA))
        results = list(
            extractor(backend, tiny_tokenizer, decoding=DecodingSettings(Thresholds(1, 1, 0, 0)))(["白露", "晚风"])
        )
        assert results == [[], []]
        assert len(backend.calls) == 1

    def test_blank_texts_go_round_the_model_and_keep_their_place(self, gold, tiny_tokenizer):
        text = TEXTS_OF_EXAMPLES[0]
        results = list(extractor(gold, tiny_tokenizer)(["", text, " \r\n", text, "\u3000"]))
        assert [len(triples) for triples in results] == [0, 3, 0, 3, 0]

    def test_no_texts(self, gold, tiny_tokenizer):
        assert list(extractor(gold, tiny_tokenizer)([])) == []

    def test_texts_are_read_only_a_few_batches_ahead(self, gold, tiny_tokenizer):
        read = []

        def stream():
            for text in TEXTS_OF_EXAMPLES:
                read.append(text)
                yield text

        results = extractor(gold, tiny_tokenizer, look_ahead=2)(stream(), batch_size=1)
        assert read == []
        next(results)
        assert len(read) == 4  # one block, and the next one, which is tokenised meanwhile

    def test_a_source_that_fails_does_not_lose_what_it_gave_before(self, gold, tiny_tokenizer):
        def stream():
            yield from TEXTS_OF_EXAMPLES[:3]
            raise OSError("the disk is gone")

        results = extractor(gold, tiny_tokenizer, look_ahead=1)(stream(), batch_size=2)
        assert [len(next(results)) for _ in range(3)] == [3, 2, 4]
        with pytest.raises(OSError, match="the disk is gone"):
            next(results)

    def test_the_source_is_read_in_the_caller_s_thread(self, gold, tiny_tokenizer):
        threads = set()

        def stream():
            for text in TEXTS_OF_EXAMPLES:
                threads.add(threading.get_ident())
                yield text

        list(extractor(gold, tiny_tokenizer, look_ahead=1)(stream(), batch_size=1))
        assert threads == {threading.get_ident()}

    def test_no_thread_is_left_behind(self, gold, tiny_tokenizer):
        before = threading.active_count()
        results = extractor(gold, tiny_tokenizer, look_ahead=1)(iter(TEXTS_OF_EXAMPLES), batch_size=1)
        next(results)
        results.close()
        assert threading.active_count() == before

    def test_neighbours_of_similar_length_share_a_batch(self, tiny_tokenizer):
        backend = RandomBackend(len(builders.SCHEMA))
        list(
            extractor(backend, tiny_tokenizer, decoding=DecodingSettings(Thresholds(1)))(
                ["白", "白露" * 9, "露", "晚风" * 9], 2
            )
        )
        assert backend.calls == [(2, 8), (2, 24)]

    def test_a_batch_has_as_many_tokens_as_are_allowed(self, tiny_tokenizer):
        backend = RandomBackend(len(builders.SCHEMA))
        texts = ["白露" * 2, "白", "露" * 3, "晚风" * 9, "晚风" * 9]
        none = DecodingSettings(Thresholds(1))
        list(extractor(backend, tiny_tokenizer, decoding=none, batch_tokens=20)(texts))
        assert backend.calls == [(3, 8), (1, 24), (1, 24)]

    def test_windows_of_many_texts_share_batches(self, tiny_tokenizer):
        backend = RandomBackend(len(builders.SCHEMA))
        none = DecodingSettings(Thresholds(1))
        list(extractor(backend, tiny_tokenizer, decoding=none, window=3)(["白露。晚风。", "海边。", "雪。国。远山。"]))
        assert backend.calls == [(6, 8)]


class TestTopK:
    @pytest.mark.parametrize("top_k", [1, 2])
    def test_the_best_scored_are_kept_best_first(self, tiny_tokenizer, top_k):
        thresholds = Thresholds(0.8, 0.8, 0.9, 0.9)
        text = TEXTS_OF_EXAMPLES[0]
        (everything,) = extractor(RandomBackend(14), tiny_tokenizer, decoding=DecodingSettings(thresholds))([text])
        (best,) = extractor(RandomBackend(14), tiny_tokenizer, decoding=DecodingSettings(thresholds), top_k=top_k)(
            [text]
        )
        assert len(everything) > 2
        scores = sorted((triple.score for triple in everything), reverse=True)
        assert [triple.score for triple in best] == scores[:top_k]

    @pytest.mark.parametrize("top_k", [0, -1])
    def test_less_than_one_is_refused(self, gold, tiny_tokenizer, top_k):
        with pytest.raises(ValueError, match=f"top_k={top_k}: expected a whole number of at least 1, or None"):
            extractor(gold, tiny_tokenizer, top_k=top_k)


class TestPairs:
    def test_texts_come_with_their_triples(self, gold, tiny_tokenizer):
        texts = [*TEXTS_OF_EXAMPLES, "", TEXTS_OF_EXAMPLES[0]]
        pairs = list(extractor(gold, tiny_tokenizer).pairs(iter(texts), 3))
        assert [text for text, _ in pairs] == texts
        assert [triples for _, triples in pairs] == list(extractor(gold, tiny_tokenizer)(texts))

    def test_items_come_with_the_triples_of_their_texts(self, gold, tiny_tokenizer):
        found = extract_items(extractor(gold, tiny_tokenizer), builders.EXAMPLES, lambda item: item.text, 3)
        for item, triples in found:
            assert builders.facts(triples) == builders.facts(item.triples)

    def test_items_are_read_no_further_than_the_loop_reads_them(self, gold, tiny_tokenizer):
        taken = []
        items = (taken.append(number) or (number, TEXTS_OF_EXAMPLES[0]) for number in range(100))
        found = extract_items(extractor(gold, tiny_tokenizer, look_ahead=1), items, lambda item: item[1], 2)
        assert taken == []
        assert [next(found)[0][0], next(found)[0][0]] == [0, 1]
        assert len(taken) <= 6

    def test_a_wrong_batch_size_is_refused_at_once(self, gold, tiny_tokenizer):
        with pytest.raises(ValueError, match="batch_size=0"):
            extract_items(extractor(gold, tiny_tokenizer), [], str, 0)


class TestRules:
    ruled = Schema(
        replace(one, rules=RelationRules(max_objects=1) if one.predicate == "主演" else RelationRules())
        for one in builders.SCHEMA
    )
    text = TEXTS_OF_EXAMPLES[0]

    def extract(self, backend, tokenizer, **settings):
        loop = TripleExtractor(backend, tokenizer, self.ruled, max_length=64, **settings)
        return [(one.predicate, one.object.text) for one in next(iter(loop([self.text])))]

    def test_are_the_schema_s(self, gold, tiny_tokenizer):
        assert self.extract(gold, tiny_tokenizer) == [("导演", "林小川"), ("主演", "周一鸣")]

    def test_can_be_switched_off(self, gold, tiny_tokenizer):
        assert len(self.extract(gold, tiny_tokenizer, rules=False)) == 3
        loop = TripleExtractor(gold, tiny_tokenizer, self.ruled, max_length=64).without_postprocessing()
        assert len(next(iter(loop([self.text])))) == 3

    def test_come_after_thresholds_and_before_the_best_are_chosen(self, gold, tiny_tokenizer):
        wife = Relation("人物", "妻子", "人物", rules=RelationRules(inverse="丈夫"))
        schema = Schema([wife, Relation("人物", "丈夫", "人物")])
        decoding = DecodingSettings(score_thresholds=(0.5, 1.0))
        loop = TripleExtractor(gold, tiny_tokenizer, schema, max_length=64, decoding=decoding, top_k=2)
        text = TEXTS_OF_EXAMPLES[2]
        one, other, third = (mention(text, part, "人物") for part in ("何雨晴", "周一鸣", "雪国"))
        found = [Triple(one, "妻子", other, {}, 0.4), Triple(third, "妻子", other, {}, 0.6)]
        # What follows from a triple that is sure enough needs no threshold of its own.
        assert [(kept.predicate, kept.score) for kept in loop.postprocess(found)] == [("妻子", 0.6), ("丈夫", 0.6)]
        surer = [*found, Triple(one, "妻子", third, {}, 0.9)]
        assert [kept.score for kept in loop.postprocess(surer)] == [0.9, 0.9]


class TestRelations:
    @pytest.mark.parametrize("name", ["主演", "票房", "获奖"])
    def test_give_what_all_relations_give_of_them(self, gold, tiny_tokenizer, name):
        every = list(extractor(gold, tiny_tokenizer)(TEXTS_OF_EXAMPLES))
        some = list(extractor(gold, tiny_tokenizer, relations=[name])(TEXTS_OF_EXAMPLES))
        assert some == [[triple for triple in triples if triple.predicate == name] for triples in every]
        assert any(some)

    def test_rules_see_the_relations_that_they_need(self, gold, tiny_tokenizer):
        inverse = RelationRules(inverse="出演")
        schema = Schema(
            [
                *(replace(one, rules=inverse) if one.predicate == "主演" else one for one in builders.SCHEMA),
                Relation("人物", "出演", "影视作品"),
            ]
        )
        backend = builders.GoldBackend(builders.EXAMPLES, tiny_tokenizer, schema)
        every = TripleExtractor(backend, tiny_tokenizer, schema, max_length=64)
        some = TripleExtractor(backend, tiny_tokenizer, schema, max_length=64, relations=["出演"], top_k=1)
        (expected,) = every([TEXTS_OF_EXAMPLES[0]])
        (found,) = some([TEXTS_OF_EXAMPLES[0]])
        assert found == [triple for triple in expected if triple.predicate == "出演"][:1] != []


def document(examples):
    """Put labelled sentences together to one text, with their triples at their new places."""
    text, triples = "", []
    for item in examples:
        for triple in item.triples:
            window = Window(0, None, len(text))
            triples += window.place([triple])
        text += item.text + "。"
    return Example(text, tuple(triples))


class TestLongTexts:
    whole = document(builders.EXAMPLES)

    def known(self, tokenizer):
        return builders.GoldBackend([Example(e.text + "。", e.triples) for e in builders.EXAMPLES], tokenizer)

    def test_give_the_triples_of_all_sentences_at_their_places(self, tiny_tokenizer):
        extract = extractor(self.known(tiny_tokenizer), tiny_tokenizer, max_length=40, window=3)
        before, found, after = extract([builders.EXAMPLES[0].text + "。", self.whole.text, ""])
        assert builders.facts(found) == builders.facts(self.whole.triples)
        assert len(before) == 3
        assert after == []

    def test_a_fact_of_several_windows_is_one_triple_with_its_best_score(self, tiny_tokenizer):
        class Unsure(builders.GoldBackend):
            def subjects(self, batch):
                state, probs = super().subjects(batch)
                return state, probs * np.linspace(0.81, 1, len(probs), dtype=np.float32)[:, None, None]

        sentences = [Example(item.text + "。", item.triples) for item in builders.EXAMPLES]
        pairs = [document(builders.EXAMPLES[at : at + 2]) for at in range(7)]
        extract = extractor(Unsure([*sentences, *pairs], tiny_tokenizer), tiny_tokenizer, window=60, stride=20)
        (found,) = extract([pairs[0].text + sentences[2].text])
        assert builders.facts(found) == builders.facts(document(builders.EXAMPLES[:3]).triples)
        assert {triple.score for triple in found} > {1.0}

    def test_of_any_length_are_read_a_piece_after_the_other(self, tiny_tokenizer, monkeypatch):
        monkeypatch.setattr("hf_spo.model.extraction._PIECE", 40)
        extract = extractor(self.known(tiny_tokenizer), tiny_tokenizer, max_length=40, window=3, look_ahead=1)
        again = document([*builders.EXAMPLES, *builders.EXAMPLES])
        found, other = extract([again.text, self.whole.text], batch_size=1)
        assert builders.facts(found) == builders.facts(again.triples)
        assert builders.facts(other) == builders.facts(self.whole.triples)

    def test_thresholds_rules_and_the_best_are_those_of_the_whole_text(self, tiny_tokenizer):
        extract = extractor(self.known(tiny_tokenizer), tiny_tokenizer, max_length=40, window=3, top_k=4)
        assert len(next(extract([self.whole.text]))) == 4

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"window": 2}, "window=2: expected a whole number of at least 3"),
            ({"window": 65}, "window=65: expected 3 to 64 tokens"),
            ({"window": 20, "stride": 11}, "stride=11: expected 0 to 10 tokens"),
            ({"batch_tokens": 0}, "batch_tokens=0: expected a whole number of at least 1"),
            ({"on_long": "raise"}, "on_long='raise': expected one of window, warn, error"),
        ],
    )
    def test_what_cannot_be_is_refused(self, gold, tiny_tokenizer, settings, message):
        with pytest.raises(ValueError, match=message):
            extractor(gold, tiny_tokenizer, **settings)

    @pytest.mark.parametrize(("window", "stride"), [(64, 16), (33, 8), (32, 0), (10, 0)])
    def test_large_windows_overlap_by_default(self, gold, tiny_tokenizer, window, stride):
        assert extractor(gold, tiny_tokenizer, window=window).stride == stride


class TestCutTexts:
    text = "白露演唱了晚风" * 4

    def test_warning_says_how_much_was_not_read(self, tiny_tokenizer, caplog):
        backend = RandomBackend(14)
        with caplog.at_level(logging.WARNING):
            list(extractor(backend, tiny_tokenizer, max_length=10, on_long="warn")([self.text, "白露"]))
        assert [record.getMessage() for record in caplog.records] == [
            "20 of 28 characters were not read: the text beginning '白露演唱了晚风白露演唱了晚风白露演唱了晚' "
            'is longer than the model\'s 10 tokens; on_long="window" reads it whole'
        ]

    def test_error_on_request(self, tiny_tokenizer):
        extract = extractor(RandomBackend(14), tiny_tokenizer, max_length=10, on_long="error")
        with pytest.raises(TextTooLongError, match="20 of 28 characters were not read"):
            list(extract([self.text]))

    def test_what_fits_is_read_in_silence(self, tiny_tokenizer, caplog):
        list(extractor(RandomBackend(14), tiny_tokenizer, max_length=30, on_long="error")([self.text]))
        assert not caplog.records

    def test_white_space_at_the_end_is_no_loss(self):
        tokenizer = builders.TOKENIZERS["byte-level"]
        length = len(tokenizer("ab")["input_ids"])
        list(extractor(RandomBackend(14), tokenizer, max_length=length, on_long="error")(["ab\n\n"]))


class TestInput:
    @pytest.mark.parametrize(("value", "name"), [(None, "NoneType"), (b"x", "bytes"), (5, "int"), (["x"], "list")])
    def test_what_is_no_string_is_refused_with_what_came(self, gold, tiny_tokenizer, value, name):
        with pytest.raises(TypeError, match=rf"expected a text \(str\), got {name}: "):
            list(extractor(gold, tiny_tokenizer)(["", value]))

    def test_row_of_a_data_set_gets_a_hint(self, gold, tiny_tokenizer):
        with pytest.raises(TypeError, match=r'got dict: .*KeyDataset\(dataset, "text"\)'):
            list(extractor(gold, tiny_tokenizer)([{"text": "白露"}]))

    def test_one_string_is_not_taken_for_many(self, gold, tiny_tokenizer):
        with pytest.raises(TypeError, match=r"pass \[text\]"):
            extractor(gold, tiny_tokenizer)("白露")

    @pytest.mark.parametrize("batch_size", [0, -2])
    def test_batch_size_is_checked_at_once(self, gold, tiny_tokenizer, batch_size):
        with pytest.raises(ValueError, match=f"batch_size={batch_size}: expected"):
            extractor(gold, tiny_tokenizer)([], batch_size)


class TestTorchBackend:
    def test_a_trained_model_answers_like_the_gold_labels(self, trained_model, tiny_tokenizer):
        results = list(extractor(TorchBackend(trained_model), tiny_tokenizer)(TEXTS_OF_EXAMPLES))
        assert [builders.facts(r) for r in results] == [builders.facts(e.triples) for e in builders.EXAMPLES]
        assert all(0.25 < triple.score <= 1 for triples in results for triple in triples)

    def test_score_is_that_of_the_four_probabilities(self, trained_model, tiny_tokenizer):
        item = builders.EXAMPLES[4]
        (triples,) = extractor(TorchBackend(trained_model), tiny_tokenizer)([item.text])
        batch = builders.training_batch([item], tiny_tokenizer)
        del batch["subject_labels"], batch["object_labels"]
        output = trained_model(**batch)
        ((_, (start, end)),) = [(0, span.tolist()) for span in batch["subject_spans"]]
        relation = builders.SCHEMA.find("作者")
        subject = output.subject_probs[0, start, 0] * output.subject_probs[0, end, 1]
        value = output.object_probs[0, start, relation, 0] * output.object_probs[0, start + 1, relation, 1]
        assert triples[0].score == pytest.approx((subject.sqrt() * value.sqrt()).item(), rel=1e-5)


SMALL = Schema([Relation("a", "p", "b"), Relation("a", "p", "c", "inWork"), Relation("d", "p", "b")])


@EVERY_TOKENIZER
@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    texts=st.lists(any_text(), max_size=5),
    seed=st.integers(0, 99),
    batch_size=st.integers(1, 4) | st.none(),
    window=st.integers(3, 12),
    stride=st.integers(0, 6),
)
def test_every_mention_is_the_slice_of_its_text_that_it_says_it_is(tokenizer, texts, seed, batch_size, window, stride):
    extract = TripleExtractor(
        RandomBackend(len(SMALL), seed),
        tokenizer,
        SMALL,
        max_length=12,
        decoding=DecodingSettings(Thresholds(0.6, 0.6, 0.85, 0.85)),
        window=window,
        stride=min(stride, window // 2),
    )
    results = list(extract(texts, batch_size))
    assert len(results) == len(texts)
    for text, triples in zip(texts, results, strict=True):
        places = [builders.facts([triple]).pop() for triple in triples]
        assert len(set(places)) == len(places)
        for triple in triples:
            for part in (triple.subject, *dict(triple.slots()).values()):
                assert part.text
                assert part.text == part.text.strip()
                assert text[part.span.start : part.span.end] == part.text
                assert 0 < triple.score <= 1
