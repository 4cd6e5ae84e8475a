import json

import pytest

from hf_spo import Schema
from hf_spo.metrics import TripleScore, evaluate_report
from hf_spo.metrics.errors import Cause
from tests import builders
from tests.metrics.triples import example, triple

GOLD = builders.EXAMPLES
RIGHT = [list(item.triples) for item in GOLD]


def scored(score=0.5):
    return [[type(t)(t.subject, t.predicate, t.object, t.qualifiers, score) for t in item.triples] for item in GOLD]


def test_everything_right():
    report = evaluate_report(GOLD, scored(0.9), builders.SCHEMA, train=GOLD, tokenize=str.split, samples=50)
    assert list(report.measures) == ["strict", "lenient", "span", "full", "official"]
    for measure in report.measures.values():
        assert measure.score.f1 == 1
        assert all((interval.low, interval.high) == (1, 1) for interval in measure.intervals.values())
    assert list(report.breakdowns) == ["overlap", "number", "length", "entities", "relations"]
    assert report.causes() == {"wrong": {}, "missed": {}}
    assert (report.macro.f1, report.macro.relations) == (1, 10)
    assert report.reliability.brier == pytest.approx(0.01)
    assert report.curve[-1].threshold == 0.9


def test_what_was_not_given_is_not_there():
    report = evaluate_report(GOLD, RIGHT, samples=50)
    assert list(report.measures) == ["strict", "span", "full", "official"]
    assert "entities" not in report.breakdowns
    assert (report.reliability, report.curve, report.rules) == (None, (), None)


@pytest.mark.parametrize("side", ["gold", "predicted"])
def test_span_needs_offsets_on_both_sides(side):
    with_offsets, without = triple(("甲", 0), "p", ("乙", 1)), triple("甲", "p", "乙")
    gold, predicted = (without, with_offsets) if side == "gold" else (with_offsets, without)
    report = evaluate_report([example("甲乙", gold)], [[predicted]], samples=10)
    assert "span" not in report.measures
    assert report.measures["strict"].score.f1 == 1


def test_errors_and_their_causes():
    predictions = [list(item.triples) for item in GOLD]
    first = predictions[0][0]
    predictions[0][0] = triple(first.subject.text, "编剧", first.object.text)
    predictions[4] = []
    report = evaluate_report(GOLD, predictions, builders.SCHEMA, samples=10)
    assert report.measures["strict"].score == TripleScore(14, 15, 16)
    causes = report.causes()
    assert {side: {cause: len(found) for cause, found in by.items()} for side, by in causes.items()} == {
        "wrong": {Cause.RELATION: 1},
        "missed": {Cause.RELATION: 1, Cause.SUBJECT_MISSED: 1},
    }
    assert report.texts[0].wrong[0].counterpart == first
    assert report.texts[4].missed[0].triple == GOLD[4].triples[0]


def test_scores_that_are_no_probabilities_are_not_drawn():
    for odd in (None, 1.5, float("nan")):
        predictions = scored()
        predictions[0][0] = scored(odd)[0][0]
        report = evaluate_report(GOLD, predictions, samples=10)
        assert report.reliability is None
        assert report.curve == ()


def test_nothing_predicted_nothing_gold():
    texts = [example("\ud800"), example("")]
    report = evaluate_report(texts, [[], []], samples=10)
    assert report.measures["strict"].score == TripleScore(0, 0, 0)
    assert [group.name for group in report.breakdowns["overlap"]] == ["no triples"]
    assert report.breakdowns["relations"] == ()
    json.dumps(report.to_dict())


def test_as_plain_data():
    predictions = scored(0.7)
    predictions[0] = []
    report = evaluate_report(GOLD, predictions, builders.SCHEMA, samples=50, about={"model": "mine"})
    data = json.loads(json.dumps(report.to_dict()))
    assert data["about"] == {"model": "mine"}
    assert data["texts"] == len(GOLD)
    strict = data["measures"]["strict"]
    assert (strict["correct"], strict["predicted"], strict["gold"]) == (13, 13, 16)
    low, high = strict["intervals"]["recall"]
    assert low < strict["recall"] < high
    missed = data["errors"]["missed"]["subject missed"]
    assert missed["count"] == 3
    assert missed["examples"][0] == {"triple": GOLD[0].triples[0].to_dict(), "counterpart": None}
    assert data["reliability"]["triples"] == 13
    assert data["rules"] is None


def test_aliases_reach_the_official_measure():
    gold, predicted = triple("鲁迅", "作者", "x"), triple("迅哥", "作者", "x")
    report = evaluate_report(
        [example("…", gold)],
        [[predicted]],
        aliases={"迅哥": frozenset({"鲁迅"}), "鲁迅": frozenset({"迅哥"})},
        samples=5,
    )
    assert report.measures["official"].score.f1 == 1
    assert report.measures["strict"].score.f1 == 0


def test_the_seed_decides():
    predictions = [*RIGHT[:4], [], *RIGHT[5:]]
    reports = [evaluate_report(GOLD, predictions, samples=50, seed=seed).to_dict() for seed in (0, 0, 1)]
    assert reports[0] == reports[1] != reports[2]


@pytest.mark.parametrize(("texts", "predictions"), [(0, 0), (2, 1), (1, 2)])
def test_texts_and_predictions_that_do_not_fit(texts, predictions):
    with pytest.raises(ValueError, match=f"{texts} labelled texts and predictions for {predictions}"):
        evaluate_report([example("甲")] * texts, [[]] * predictions)


def test_a_schema_completes_types():
    bare = [example("…", triple("雪国", "主演", "周一鸣"))]
    names = [
        evaluate_report(bare, [[]], schema, samples=5).breakdowns["relations"][0].name
        for schema in (None, builders.SCHEMA, Schema.infer(GOLD))
    ]
    assert names == ["主演", "影视作品 主演", "影视作品 主演"]
