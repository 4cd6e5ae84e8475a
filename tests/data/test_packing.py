from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from hf_spo import Example, Mention, Span, Triple, TripleStore
from hf_spo.data import OccurrencePolicy, SpoCollator, SpoDataset, SubjectSampling
from hf_spo.data.packing import ContextPacking, join
from hf_spo.model.alignment import TokenSpan
from hf_spo.model.features import Features
from hf_spo.model.words import WordVocabulary
from tests import builders

FIRST = OccurrencePolicy.FIRST
TEXTS = [Example(f"text {number}") for number in range(400)]
LENGTHS = np.random.default_rng(0).integers(10, 60, len(TEXTS)).tolist()


def packing(share=0.25, max_length=256, examples=TEXTS, lengths=LENGTHS, **settings):
    return ContextPacking(examples, lengths, share, max_length, **settings)


class TestSequences:
    @pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
    @pytest.mark.parametrize("epoch", [0, 1, 2])
    def test_each_text_is_in_one_sequence_of_an_epoch(self, share, epoch):
        packed = packing(share)
        sequences = packed.sequences(epoch)
        assert sorted(number for parts in sequences for number in parts) == list(range(len(TEXTS)))
        assert len(sequences) == len(packed)

    def test_the_share_is_that_of_the_sequences(self):
        for epoch in range(3):
            sequences = packing(0.25).sequences(epoch)
            assert sum(len(parts) > 1 for parts in sequences) / len(sequences) == pytest.approx(0.25, abs=0.04)

    def test_sequences_keep_within_the_limit_and_some_come_near_it(self):
        totals = [sum(LENGTHS[number] for number in parts) for parts in packing().sequences(1) if len(parts) > 1]
        assert max(totals) <= 256
        assert max(totals) > 200
        assert min(totals) < 150

    def test_they_depend_on_seed_and_epoch_alone(self):
        packed = packing()
        first = packed.sequences(3)
        packed.sequences(1)
        assert packed.sequences(3) == packing().sequences(3) == first
        assert packed.sequences(4) != first
        assert packing(seed=7).sequences(3) != first

    def test_some_are_neighbours_and_some_are_not(self):
        pairs = [pair for parts in packing().sequences(0) for pair in pairwise(parts)]
        near = sum(later == earlier + 1 for earlier, later in pairs) / len(pairs)
        assert 0.3 < near < 0.7

    def test_all_may_be_packed(self):
        sequences = packing(1.0).sequences(1)
        assert sum(len(parts) > 1 for parts in sequences) > 0.8 * len(sequences)
        assert len(sequences) == len(packing(1.0))

    def test_texts_that_leave_no_place_stay_alone(self):
        packed = packing(lengths=[200] * len(TEXTS))
        assert len(packed) == len(TEXTS)
        assert sorted(packed.sequences(0)) == [(number,) for number in range(len(TEXTS))]

    def test_only_texts_annotated_alike_are_joined(self):
        groups = [None, ("a",), ()]
        texts = [replace(text, annotated_predicates=groups[at % 3]) for at, text in enumerate(TEXTS)]
        sequences = packing(examples=texts).sequences(0)
        assert any(len(parts) > 1 for parts in sequences)
        assert all(len({number % 3 for number in parts}) == 1 for parts in sequences)

    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_few_texts(self, count):
        packed = packing(examples=TEXTS[:count], lengths=LENGTHS[:count])
        assert sorted(number for parts in packed.sequences(5) for number in parts) == list(range(count))


class TestJoin:
    def test_offsets_are_those_of_the_joined_text(self):
        for seed in range(20):
            joined, starts = join(builders.EXAMPLES, FIRST, np.random.default_rng(seed))
            assert len(starts) == len(builders.EXAMPLES)
            assert len(joined.triples) == sum(len(example.triples) for example in builders.EXAMPLES)
            for start, example in zip(starts, builders.EXAMPLES, strict=True):
                assert joined.text[start:].startswith(example.text)
            for triple in joined.triples:
                for mention in (triple.subject, *(mention for _, mention in triple.slots())):
                    assert joined.text[mention.span.start : mention.span.end] == mention.text

    def test_strings_without_offsets_are_looked_up_in_their_own_text(self):
        triple = Triple(Mention("Ann"), "likes", Mention("Bob"))
        joined, starts = join(
            [Example("Ann and Bob are here"), Example("Ann likes Bob", (triple,))], FIRST, np.random.default_rng(1)
        )
        (found,) = joined.triples
        assert found.subject.span == Span(starts[1], starts[1] + 3)

    @pytest.mark.parametrize(
        ("text", "between"),
        [
            ("今天天气很好", {"。", "；", "\n"}),
            ("今天天气很好。", {"", "\n"}),
            ("他说：“好！”", {"", "\n"}),
            ("他写了《雪国》", {"。", "；", "\n"}),
            ("Ann is here", {". ", "; ", "\n"}),
            ("Ann is here.", {" ", "\n"}),
            ('Is she "here"?', {" ", "\n"}),
            ("안나가 왔다", {". ", "; ", "\n"}),
        ],
    )
    def test_what_stands_between_two_texts(self, text, between):
        found = set()
        for seed in range(200):
            joined, starts = join([Example(text), Example("x")], FIRST, np.random.default_rng(seed))
            found.add(joined.text[len(text) : starts[1]])
        assert found == between


@pytest.fixture
def dataset(tiny_tokenizer, tiny_schema):
    def dataset(share=0.4, **settings):
        return SpoDataset(
            builders.EXAMPLES, tiny_tokenizer, tiny_schema, max_length=200, context_packing=share, **settings
        )

    return dataset


def strings(item, schema):
    """Return the labels of an item as strings."""
    text = item.encoding.text
    return Counter(
        (text[slice(*borders(item, subject))], schema[relation].predicate, text[slice(*borders(item, value))])
        for subject, objects in item.labels.items()
        for value, relation in objects
    )


def borders(item, tokens):
    span = item.encoding.char_span(tokens.start, tokens.end)
    return span.start, span.end


class TestDataset:
    def test_an_epoch_has_the_labels_of_all_texts(self, dataset, tiny_schema):
        plain = sum((strings(item, tiny_schema) for item in dataset(0.0)), Counter())
        data = dataset()
        assert len(data) < len(builders.EXAMPLES)
        for epoch in range(3):
            data.set_epoch(epoch)
            items = list(data)
            assert max(len(item.starts) for item in items) > 1
            assert all(len(item.encoding) <= 200 for item in items)
            assert sum((strings(item, tiny_schema) for item in items), Counter()) == plain

    def test_other_texts_are_joined_in_each_epoch(self, dataset):
        data = dataset()
        epochs = []
        for epoch in (0, 1, 0):
            data.set_epoch(epoch)
            epochs.append([item.encoding.text for item in data])
        assert epochs[0] == epochs[2] != epochs[1]

    def test_lengths_are_about_those_of_the_items(self, dataset):
        data = dataset()
        for epoch in (0, 1):
            data.set_epoch(epoch)
            assert data.lengths == pytest.approx([len(item.encoding) for item in data], abs=8)

    def test_subjects_are_drawn_for_each_text(self, dataset, tiny_schema):
        """As many as without packing, and each pair of a start and an end within one text."""
        data = dataset()
        items = list(data)
        batch = SpoCollator(0, len(tiny_schema), subjects_per_example=2, sampling=SubjectSampling.REFERENCE)(items)
        assert len(batch["subject_spans"]) == 2 * len(builders.EXAMPLES) == len(batch["object_labels"])
        rows = [row for row, item in enumerate(items) for _ in range(2 * len(item.starts))]
        assert batch["subject_rows"].tolist() == rows
        again = list(data)  # with fresh generators
        at = 0
        for item in again:
            for part, start in enumerate(item.starts):
                end = item.starts[part + 1] if part + 1 < len(item.starts) else len(item.encoding.text)
                for _ in range(2):
                    first, last = borders(item, TokenSpan(*batch["subject_spans"][at].tolist()))
                    assert start <= first < last <= end
                    at += 1

    def test_words_are_those_of_the_joined_text(self, dataset):
        features = Features(WordVocabulary(["雪国", "海边", "主演"], "characters"))
        for item in dataset(features=features):
            assert len(item.encoding.word_ids) == len(item.encoding)
            if len(item.starts) > 1:
                words = features.words.ids(item.encoding.text)
                first = item.encoding.offsets[item.encoding.pointable, 0]
                assert (item.encoding.word_ids[item.encoding.pointable] == words[first]).all()

    def test_no_sequence_knows_what_only_its_own_texts_state(self, tiny_tokenizer, tiny_schema):
        """Three texts state one triple: a sequence of two of them knows it, one of all three does not."""
        triple = replace(builders.EXAMPLES[4].triples[0], score=None)
        texts = [
            replace(builders.EXAMPLES[4], text=builders.EXAMPLES[4].text + end, triples=(triple,)) for end in "。！？"
        ]
        store = TripleStore.from_examples(texts, tiny_schema)
        found = {}
        for seed in range(20):
            data = SpoDataset(
                texts,
                tiny_tokenizer,
                tiny_schema,
                max_length=200,
                context_packing=0.5,
                features=Features(prior=store),
                seed=seed,
            )
            for item in data:
                found.setdefault(len(item.starts), set()).add(len(item.encoding.candidates))
        assert found == {1: {1}, 2: {1}, 3: {0}}

    def test_swapped_entities_are_packed_too(self, dataset, tiny_schema):
        data = dataset(entity_swap_probability=1.0)
        texts = {example.text for example in builders.EXAMPLES}
        joined = [item for item in data if len(item.starts) > 1]
        assert any(
            item.encoding.text[start:].removesuffix("。") not in texts for item in joined for start in item.starts[-1:]
        )
        assert all(strings(item, tiny_schema) for item in joined)
