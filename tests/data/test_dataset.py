from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from torch.utils.data import DataLoader

from hf_spo import Example, Relation, Schema, TripleStore
from hf_spo.data import SpoDataset
from hf_spo.model.alignment import TokenSpan
from hf_spo.model.features import Features
from hf_spo.model.triple_store import stated_triples
from hf_spo.model.words import WordVocabulary
from tests import builders


@pytest.fixture
def dataset(tiny_tokenizer, tiny_schema):
    return SpoDataset(builders.EXAMPLES, tiny_tokenizer, tiny_schema, max_length=64)


def draws(dataset):
    return [dataset[index].rng.integers(1 << 30, size=3).tolist() for index in range(len(dataset))]


def test_examples_are_encoded_and_labelled(dataset):
    assert len(dataset) == len(builders.EXAMPLES)
    assert [item.encoding.text for item in dataset] == [example.text for example in builders.EXAMPLES]
    assert dataset.lengths == [len(item.encoding.input_ids) for item in dataset]
    assert all(item.labels for item in dataset)
    assert dataset.report.share == 1.0
    assert dataset.long == 0


def test_rows_of_every_format_are_read(tiny_tokenizer, tiny_schema):
    duie = {"text": "读完《鲁迅自传》的人不多", "spo_list": []}
    native = builders.EXAMPLES[0].to_dict()
    data = SpoDataset([duie, native, builders.EXAMPLES[1]], tiny_tokenizer, tiny_schema, max_length=64)
    assert data.examples == [Example(duie["text"]), *builders.EXAMPLES[:2]]


@pytest.mark.parametrize("rows", [[], iter([])])
def test_no_examples(rows, tiny_tokenizer, tiny_schema):
    data = SpoDataset(rows, tiny_tokenizer, tiny_schema, max_length=64)
    assert len(data) == 0
    assert data.lengths == []


def test_iteration_ends(dataset):
    with pytest.raises(IndexError):
        dataset[len(dataset)]
    assert len(list(dataset)) == len(dataset)


def test_randomness_depends_on_seed_epoch_and_index(dataset, tiny_tokenizer, tiny_schema):
    first = draws(dataset)
    assert draws(dataset) == first
    assert len({tuple(draw) for draw in first}) == len(first)
    dataset.set_epoch(1)
    second = draws(dataset)
    assert second != first
    dataset.set_epoch(0)
    assert draws(dataset) == first
    other = SpoDataset(builders.EXAMPLES, tiny_tokenizer, tiny_schema, max_length=64, seed=7)
    assert draws(other) != first


def test_the_draw_is_that_of_numpy_with_seed_epoch_index(dataset):
    """A run resumed with a later version has to draw what it would have drawn."""
    dataset.set_epoch(2)
    expected = np.random.default_rng([42, 2, 5]).integers(1 << 30, size=3).tolist()
    assert draws(dataset)[5] == expected


def test_a_persistent_worker_sees_the_epoch(dataset):
    loader = DataLoader(dataset, batch_size=None, collate_fn=first_draw, num_workers=1, persistent_workers=True)
    epochs = []
    for epoch in (0, 1):
        dataset.set_epoch(epoch)
        epochs.append(list(loader))
        assert epochs[epoch] == [first_draw(item) for item in dataset]
    assert epochs[0] != epochs[1]


def first_draw(item):
    return int(item.rng.integers(1 << 30))


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ({"text": "雪国"}, ValueError, 'row 1: row: no "triples" (hf-spo), no "spo_list"'),
        ({"text": 5, "spo_list": []}, ValueError, "row 1: text: expected a string, got int"),
        ("雪国", TypeError, "row 1: expected an Example or a dictionary, got str"),
    ],
)
def test_a_bad_row_is_named(row, error, message, tiny_tokenizer, tiny_schema):
    with pytest.raises(error) as caught:
        SpoDataset([Example("雪国"), row], tiny_tokenizer, tiny_schema, max_length=64)
    assert str(caught.value).startswith(message)


def test_a_relation_that_is_not_in_the_schema_says_where(tiny_tokenizer):
    schema = Schema([Relation("影视作品", "主演", "人物")])
    with pytest.raises(ValueError, match=r"the text beginning '《远山的灯》由.*导演.*add its relation to the schema"):
        SpoDataset(builders.EXAMPLES, tiny_tokenizer, schema, max_length=64)


class TestEntitySwap:
    @pytest.fixture
    def swapping(self, tiny_tokenizer, tiny_schema):
        def swapping(probability=1.0, **settings):
            return SpoDataset(
                builders.EXAMPLES,
                tiny_tokenizer,
                tiny_schema,
                max_length=64,
                entity_swap_probability=probability,
                **settings,
            )

        return swapping

    def texts(self, dataset):
        return [item.encoding.text for item in dataset]

    def test_it_depends_on_seed_epoch_and_index(self, swapping):
        data = swapping()
        first = self.texts(data)
        assert first != [example.text for example in builders.EXAMPLES]
        assert self.texts(data) == self.texts(swapping()) == first
        data.set_epoch(1)
        second = self.texts(data)
        assert second != first
        data.set_epoch(0)
        assert self.texts(data) == first
        assert any(self.texts(swapping(seed=seed)) != first for seed in (7, 8))

    def test_labels_are_those_of_the_changed_text(self, swapping, tiny_schema):
        data = swapping()
        lead = tiny_schema.find("主演")
        titles = set()
        for epoch in range(12):
            data.set_epoch(epoch)
            encoding, labels = data[2].encoding, data[2].labels
            named = [
                (encoding.text[slice(*span(encoding, subject))], encoding.text[slice(*span(encoding, value))])
                for subject, objects in labels.items()
                for value, relation in objects
                if relation == lead
            ]
            assert len(named) == 4
            titles |= {title for title, _ in named}
            assert all(f"《{title}》" in encoding.text for title, _ in named)
        assert titles > {"海边", "雪国"}

    def test_what_is_kept_of_the_data_stays(self, swapping):
        data, plain = swapping(), swapping(0.0)
        list(data)
        assert data.examples == builders.EXAMPLES
        assert data.lengths == plain.lengths
        assert data.report == plain.report
        assert plain.swap is None

    def test_no_probability_swaps_nothing(self, swapping):
        assert self.texts(swapping(0.0)) == [example.text for example in builders.EXAMPLES]


def span(encoding, tokens):
    found = encoding.char_span(tokens.start, tokens.end)
    return found.start, found.end


class TestFeatures:
    @pytest.fixture
    def features(self, tiny_schema):
        words = WordVocabulary(["雪国", "海边", "主演"], "characters")
        return Features(words, TripleStore.from_examples(builders.EXAMPLES, tiny_schema))

    def test_items_are_annotated(self, features, tiny_tokenizer, tiny_schema):
        data = SpoDataset(builders.EXAMPLES, tiny_tokenizer, tiny_schema, max_length=64, features=features)
        for item in data:
            assert len(item.encoding.word_ids) == len(item.encoding)
            assert item.encoding.candidates.shape[1] == 5

    @pytest.mark.parametrize("probability", [0.0, 1.0])
    def test_no_text_finds_what_it_alone_states(self, features, probability, tiny_tokenizer, tiny_schema):
        """Nor does one made of it by a swap find what the text it took it from alone states."""
        data = SpoDataset(
            builders.EXAMPLES,
            tiny_tokenizer,
            tiny_schema,
            max_length=64,
            features=features,
            entity_swap_probability=probability,
        )
        unlabelled = SpoDataset(
            [Example(example.text) for example in builders.EXAMPLES],
            tiny_tokenizer,
            tiny_schema,
            max_length=64,
            features=features,
        )
        assert sum(len(item.encoding.candidates) for item in unlabelled) > len(builders.EXAMPLES)
        texts = Counter(triple for example in builders.EXAMPLES for triple in stated_triples(example, tiny_schema))
        found = []
        for epoch in range(5):
            data.set_epoch(epoch)
            for item in data:
                labels = {(s, o, r) for s, objects in item.labels.items() for o, r in objects}
                for *borders, relation in item.encoding.candidates.tolist():
                    subject, value = TokenSpan(*borders[:2]), TokenSpan(*borders[2:])
                    if (subject, value, relation) in labels:
                        strings = (item.encoding.text[slice(*span(item.encoding, part))] for part in (subject, value))
                        found.append((next(strings), relation, next(strings)))
        assert found
        assert {texts[triple] for triple in found} == {2}


SCORED = [Example(e.text, tuple(replace(t, score=0.25) for t in e.triples)) for e in builders.EXAMPLES]


class TestSoftLabels:
    def truths(self, data):
        return {truth for item in data for objects in item.labels.values() for truth in objects.values()}

    @pytest.mark.parametrize("probability", [0.0, 1.0])
    def test_scores_are_kept_when_entities_are_swapped(self, probability, tiny_tokenizer, tiny_schema):
        options = {"max_length": 64, "entity_swap_probability": probability}
        soft = SpoDataset(SCORED, tiny_tokenizer, tiny_schema, soft_labels=True, **options)
        assert self.truths(soft) == {0.25}
        assert any(item.encoding.text != e.text for item, e in zip(soft, SCORED, strict=True)) == bool(probability)
        assert self.truths(SpoDataset(SCORED, tiny_tokenizer, tiny_schema, **options)) == {1.0}

    def test_data_without_any_score(self, tiny_tokenizer, tiny_schema):
        with pytest.raises(ValueError, match="soft_labels: no triple of the data has a score"):
            SpoDataset(builders.EXAMPLES, tiny_tokenizer, tiny_schema, max_length=64, soft_labels=True)
