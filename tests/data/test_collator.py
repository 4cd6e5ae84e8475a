from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from hf_spo import Example
from hf_spo.data import SpoCollator, SpoDataset, SubjectSampling
from hf_spo.data.collator import draw_subject
from hf_spo.data.dataset import LabelledItem
from hf_spo.model.alignment import TokenSpan, encode
from tests import builders

REFERENCE, TRUE = SubjectSampling
A, B, C = TokenSpan(1, 2), TokenSpan(4, 4), TokenSpan(4, 6)


@pytest.fixture
def dataset(tiny_tokenizer, tiny_schema):
    return SpoDataset([*builders.EXAMPLES, Example("今天天气很好")], tiny_tokenizer, tiny_schema, max_length=64)


@pytest.fixture
def item(tiny_tokenizer):
    """Return items of one text with three subjects, two of which start at the same token."""

    def item(seed, labels=(A, B, C)):
        (encoding,) = encode(tiny_tokenizer, ["今天天气很好"], 64)
        return LabelledItem(encoding, {subject: {(A, 0): 1.0} for subject in labels}, np.random.default_rng(seed))

    return item


def frequencies(item, sampling, count=6000):
    drawn = Counter(draw_subject(item(seed), sampling) for seed in range(count))
    return {span: times / count for span, times in drawn.items()}


def test_shapes_and_types(dataset, tiny_schema):
    batch = SpoCollator(0, len(tiny_schema), subjects_per_example=3, pad_to_multiple_of=8)(list(dataset))
    texts, relations = len(dataset), len(tiny_schema)
    length = batch["input_ids"].shape[1]
    assert length % 8 == 0
    assert length - 8 < max(dataset.lengths) <= length
    assert {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in batch.items()} == {
        "input_ids": ((texts, length), torch.int64),
        "attention_mask": ((texts, length), torch.int64),
        "subject_rows": ((texts * 3,), torch.int64),
        "subject_spans": ((texts * 3, 2), torch.int64),
        "subject_labels": ((texts, length, 2), torch.float32),
        "object_labels": ((texts * 3, length, relations, 2), torch.float32),
    }
    assert batch["subject_rows"].tolist() == [row for row in range(texts) for _ in range(3)]


def test_few_shapes_occur_whatever_the_lengths(tiny_tokenizer, tiny_schema):
    texts = [Example("天" * count) for count in range(1, 60)]
    dataset = SpoDataset(texts, tiny_tokenizer, tiny_schema, max_length=50)
    assert set(dataset.lengths) == set(range(3, 51))
    collator = SpoCollator(0, len(tiny_schema), max_length=50)
    assert {collator([item])["input_ids"].shape[1] for item in dataset} == {16, 32, 48, 50}


def test_labels_are_those_of_the_drawn_subjects(dataset, tiny_schema):
    batch = SpoCollator(0, len(tiny_schema), subjects_per_example=2)(list(dataset))
    for row, labels in enumerate(dataset.labels):
        starts, ends = batch["subject_labels"][row].T
        assert set(starts.nonzero().flatten().tolist()) == {subject.start for subject in labels}
        assert set(ends.nonzero().flatten().tolist()) == {subject.end for subject in labels}
    empty = 0
    for row, span, objects in zip(
        batch["subject_rows"].tolist(), batch["subject_spans"].tolist(), batch["object_labels"], strict=True
    ):
        gold = dataset.labels[row].get(TokenSpan(*span), [])
        empty += not gold
        assert {tuple(at) for at in objects.nonzero().tolist()} == {
            border for value, relation in gold for border in ((value.start, relation, 0), (value.end, relation, 1))
        }
    assert empty >= 2  # the text without triples


def test_the_draw_is_deterministic(dataset, tiny_schema):
    collator = SpoCollator(0, len(tiny_schema), subjects_per_example=2)
    first, second = collator(list(dataset)), collator(list(dataset))
    assert all(torch.equal(first[name], second[name]) for name in first)
    alone = collator([dataset[3]])
    assert torch.equal(alone["subject_spans"], first["subject_spans"][6:8])
    dataset.set_epoch(1)
    assert not torch.equal(collator(list(dataset))["subject_spans"], first["subject_spans"])


def test_true_sampling_draws_gold_subjects_alike(item):
    found = frequencies(item, TRUE)
    assert found == pytest.approx({A: 1 / 3, B: 1 / 3, C: 1 / 3}, abs=0.03)


def test_reference_sampling_draws_a_start_then_an_end_at_or_after_it(item):
    """Starts 1, 4, 4; ends 2, 4, 6. From 1, any end; from 4, one of the ends 4 and 6."""
    found = frequencies(item, REFERENCE)
    expected = {A: 1 / 9, TokenSpan(1, 4): 1 / 9, TokenSpan(1, 6): 1 / 9, B: 1 / 3, C: 1 / 3}
    assert found == pytest.approx(expected, abs=0.03)


def test_reference_sampling_with_one_subject_draws_it(item):
    assert draw_subject(item(0, [C]), REFERENCE) == C


def test_a_text_without_triples_draws_a_token_that_covers_something(item):
    found = frequencies(lambda seed: item(seed, []), REFERENCE, 1200)
    assert found == pytest.approx({TokenSpan(at, at): 1 / 6 for at in range(1, 7)}, abs=0.05)


def test_a_blank_text_draws_the_first_token(tiny_tokenizer):
    (encoding,) = encode(tiny_tokenizer, [" "], 64)
    assert draw_subject(LabelledItem(encoding, {}, np.random.default_rng(0)), TRUE) == TokenSpan(0, 0)


def test_soft_labels_are_the_targets(tiny_tokenizer, tiny_schema):
    """A subject's target is that of its truest triple; those of its objects are probabilities given the subject.

    Where borders are shared, the truest triple counts.
    """
    first, second = (
        replace(triple, score=score)
        for triple, score in zip(builders.EXAMPLES[4].triples * 2, (0.25, 0.5), strict=True)
    )
    wider = replace(second, object=replace(first.subject, type=""))
    example = Example(builders.EXAMPLES[4].text, (first, wider))
    (item,) = SpoDataset([example], tiny_tokenizer, tiny_schema, max_length=64, soft_labels=True)
    batch = SpoCollator(0, len(tiny_schema))([item])
    ((subject, objects),) = item.labels.items()
    assert borders(batch["subject_labels"][0]) == {(subject.start, 0): 0.5, (subject.end, 1): 0.5}
    (relation,) = {relation for _, relation in objects}
    (author, _), (book, _) = objects
    assert author.start == book.start
    found = borders(batch["object_labels"][0, :, relation])
    assert found == {(book.start, 0): 1.0, (author.end, 1): 0.5, (book.end, 1): 1.0}
    assert (batch["object_labels"] > 0).sum() == 3


def test_a_triple_that_is_certainly_wrong(tiny_tokenizer, tiny_schema):
    triples = tuple(replace(triple, score=0.0) for triple in builders.EXAMPLES[4].triples)
    example = Example(builders.EXAMPLES[4].text, triples)
    (item,) = SpoDataset([example], tiny_tokenizer, tiny_schema, max_length=64, soft_labels=True)
    batch = SpoCollator(0, len(tiny_schema))([item])
    assert not batch["subject_labels"].any()
    assert not batch["object_labels"].any()


def test_a_soft_subject_is_drawn_as_often_as_it_is_one(item):
    def soft(seed):
        drawn = item(seed)
        for subject, truth in ((A, 1.0), (B, 0.5), (C, 0.5)):
            drawn.labels[subject] = {(A, 0): truth}
        return drawn

    assert frequencies(soft, TRUE) == pytest.approx({A: 1 / 2, B: 1 / 4, C: 1 / 4}, abs=0.03)


def borders(labels):
    return {(token, side): labels[token, side].item() for token, side in labels.nonzero().tolist()}
