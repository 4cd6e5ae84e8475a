"""The module for `evaluate`, loaded from the package's folder as a user would."""

import pytest

from hf_spo.metrics import TripleScorer, spo_f1_path
from tests import builders


@pytest.fixture(scope="module")
def metric(load_metric):
    return load_metric(spo_f1_path())


GOLD = [[triple.to_dict() for triple in example.triples] for example in builders.EXAMPLES]


def scored(triples):
    """Return triples as the pipeline gives them, and with a key that nobody knows."""
    return [{"score": 0.5, **triple, "note": {"by": "me"}} for triple in triples]


def test_equals_the_scorer(metric):
    predictions = [scored(triples[1:]) for triples in GOLD]
    assert metric.compute(predictions=predictions, references=GOLD) == {
        "precision": 1.0,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "correct": 8,
        "predicted": 8,
        "gold": 16,
    }


@pytest.mark.parametrize("match", ["strict", "span", "full"])
def test_match(metric, match):
    shifted = [[{**triple, "subject": {**triple["subject"], "start": 0, "end": 1}} for triple in GOLD[5]]]
    untyped = [[{**triple, "subject": {**triple["subject"], "type": ""}} for triple in GOLD[6]]]
    predictions, references = [*shifted, *untyped], [GOLD[5], GOLD[6]]
    expected = {"strict": 2, "span": 1, "full": 1}[match]
    assert metric.compute(predictions=predictions, references=references, match=match)["correct"] == expected


def test_lenient_takes_a_tokenizer(metric):
    (triple,) = GOLD[4]
    lower = {**triple, "subject": {"text": "abc"}}
    upper = {**triple, "subject": {"text": "ABC"}}
    score = metric.compute(predictions=[[lower]], references=[[upper]], match="lenient", tokenize=lambda t: [t.lower()])
    assert score["f1"] == 1.0


def test_batches_and_empty_lists(metric):
    metric.add_batch(predictions=[[], GOLD[0]], references=[[], GOLD[0]])
    metric.add(prediction=[], reference=GOLD[1])
    assert metric.compute() == TripleScorer().score().to_dict() | {
        "precision": 1.0,
        "recall": 0.6,
        "f1": 0.75,
        "correct": 3,
        "predicted": 3,
        "gold": 5,
    }


def test_nothing_at_all(metric):
    assert metric.compute(predictions=[[]], references=[[]])["f1"] == 0.0


def test_an_unknown_match(metric):
    with pytest.raises(ValueError, match="exact"):
        metric.compute(predictions=[[]], references=[[]], match="exact")


def test_tuples(metric):
    predictions, references = (
        [[("雪国", "主演", "白露"), ("雪国", "主演", "周一鸣")], []],
        [[("雪国", "主演", "周一鸣")], []],
    )
    score = metric.compute(predictions=predictions, references=references)
    assert (score["correct"], score["predicted"], score["gold"]) == (1, 2, 1)
    assert metric.compute(predictions=references, references=[[FILM], []])["f1"] == 1.0


FILM = {"subject": {"text": "雪国"}, "predicate": "主演", "object": {"text": "周一鸣"}}
