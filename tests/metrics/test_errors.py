import pytest

from hf_spo.metrics import TripleScorer, judge
from hf_spo.metrics.errors import Cause, explain
from tests.metrics.triples import example, triple

TEXT = "《远山的灯》由林小川执导,周一鸣、何雨晴主演,《雪国》由陈立言执导"
GOLD = [
    triple("远山的灯", "导演", "林小川"),
    triple("远山的灯", "主演", "周一鸣"),
    triple("雪国", "导演", "陈立言"),
]


def causes(predicted, gold=GOLD, text=TEXT):
    wrong, missed = explain(judge(example(text, *gold), predicted, TripleScorer()))
    return [error.cause.value for error in wrong], [error.cause.value for error in missed]


@pytest.mark.parametrize(
    ("predicted", "wrong", "missed"),
    [
        (triple("林小川", "导演", "远山的灯"), "direction", "direction"),
        (triple("远山的灯", "导演", "林小"), "boundary", "boundary"),
        (triple("《远山的灯》", "导演", "由林小川"), "boundary", "boundary"),
        (triple("远山的灯", "编剧", "林小川"), "relation", "relation"),
        (triple("远山的灯", "导演", "陈立言"), "pairing", "object missed"),
        (triple("远山的灯", "导演", "何雨晴"), "spurious", "object missed"),
        (triple("灯", "编剧", "林小川"), "spurious", "subject missed"),
        (triple("林小川", "编剧", "远山的灯"), "spurious", "subject missed"),
    ],
)
def test_one_wrong_prediction_in_place_of_the_first_gold_triple(predicted, wrong, missed):
    assert causes([predicted, GOLD[2]], [GOLD[0], GOLD[2]]) == ([wrong], [missed])


def test_counterparts_are_the_triples_that_explain_one_another():
    short = triple("远山的灯", "导演", "林小")
    (wrong,), (missed, other, _) = explain(judge(example(TEXT, *GOLD), [short], TripleScorer()))
    assert wrong.counterpart == GOLD[0]
    assert missed.counterpart == short
    assert (other.cause, other.counterpart) == (Cause.OBJECT_MISSED, None)


def test_missed_pairs_whose_parts_were_found_apart():
    predicted = [triple("远山的灯", "导演", "陈立言"), triple("雪国", "导演", "林小川")]
    assert causes(predicted, [GOLD[0], GOLD[2]]) == (["pairing", "pairing"], ["pairing", "pairing"])


def test_matching_is_one_to_one():
    """One prediction over two gold objects explains one of them; two predictions at one gold object are both wrong."""
    joined = triple("远山的灯", "主演", "周一鸣、何雨晴")
    gold = [triple("远山的灯", "主演", "周一鸣"), triple("远山的灯", "主演", "何雨晴")]
    assert causes([joined], gold) == (["boundary"], ["boundary", "object missed"])
    parts = [triple("远山的灯", "主演", "周一"), triple("远山的灯", "主演", "一鸣")]
    assert causes(parts, gold[:1]) == (["boundary", "boundary"], ["boundary"])


def test_the_closest_borders_are_matched():
    gold = [triple("远山的灯", "主演", "周一鸣、何雨晴"), triple("远山的灯", "主演", "何雨晴主演")]
    wide, near = triple("远山的灯", "主演", "何雨"), triple("远山的灯", "主演", "、何雨晴主演")
    (first, second), missed = explain(judge(example(TEXT, *gold), [wide, near], TripleScorer()))
    assert second.counterpart == gold[1]
    assert first.counterpart == gold[0]
    assert [error.counterpart for error in missed] == [wide, near]


def test_a_wrong_triple_beside_a_right_one():
    """What is left over is compared with gold triples that were found, too."""
    right = GOLD[0]
    assert causes([right, triple("远山的灯", "编剧", "林小川")], [right]) == (["relation"], [])
    assert causes([right, triple("远山的灯", "导演", "林")], [right]) == (["boundary"], [])


def test_offsets_decide_where_there_are_any():
    text = "甲乙和甲乙丙"
    gold = triple(("甲乙", 0), "p", ("丙", 5))
    assert causes([triple(("甲", 0), "p", ("丙", 5))], [gold], text)[0] == ["boundary"]
    assert causes([triple(("甲", 3), "p", ("丙", 5))], [gold], text)[0] == ["spurious"]
    without = triple("甲乙", "p", "丙")
    assert causes([triple(("甲", 3), "p", ("丙", 5))], [without], text)[0] == ["boundary"]


def test_overlapping_mentions_swapped_are_a_matter_of_direction():
    gold = triple("鲁迅自传", "作者", "鲁迅")
    assert causes([triple("鲁迅", "作者", "鲁迅自传")], [gold], "读完《鲁迅自传》") == (["direction"], ["direction"])


@pytest.mark.parametrize("text", ["", "\ud800\x00", "无关"])
def test_mentions_that_are_not_in_the_text(text):
    assert causes([triple("甲乙", "p", "丙")], [triple("甲", "p", "丙")], text) == (["spurious"], ["subject missed"])


def test_every_wrong_and_missed_triple_has_one_cause():
    predicted = [
        triple(a, p, b) for a in ("远山", "雪国", "林小川") for p in ("导演", "主演") for b in ("林小川", "灯")
    ]
    item = judge(example(TEXT, *GOLD), predicted, TripleScorer())
    wrong, missed = explain(item)
    assert tuple(error.triple for error in wrong) == item.wrong
    assert tuple(error.triple for error in missed) == item.missed
    assert {error.cause for error in wrong} <= set(Cause) - {Cause.SUBJECT_MISSED, Cause.OBJECT_MISSED}
    assert {error.cause for error in missed} <= set(Cause) - {Cause.SPURIOUS}


def test_nothing_at_all():
    assert causes([], []) == ([], [])
