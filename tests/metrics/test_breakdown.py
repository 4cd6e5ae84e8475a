import pytest

from hf_spo import Relation, Schema
from hf_spo.metrics import TripleScore, TripleScorer, judge
from hf_spo.metrics.breakdown import (
    Macro,
    by_entities,
    by_length,
    by_number,
    by_overlap,
    by_relation,
    macro_average,
    overlap_classes,
    relation_name,
)
from tests import builders
from tests.metrics.triples import example, triple


def judged(*texts):
    """Judge texts, each given by its predicted and its gold triples, and its length."""
    scorer = TripleScorer()
    return [
        judge(example("字" * (length[0] if length else 10), *gold), predicted, scorer)
        for predicted, gold, *length in texts
    ]


def rows(groups):
    return {group.name: (group.score, group.texts) for group in groups}


A, B, C, D = triple("甲", "p", "乙"), triple("丙", "p", "丁"), triple("甲", "q", "乙"), triple("甲", "p", "戊")


@pytest.mark.parametrize(
    ("triples", "classes"),
    [
        ([], {"no triples"}),
        ([A], {"normal"}),
        ([A, B], {"normal"}),
        ([A, D], {"SEO"}),
        ([A, triple("乙", "p", "丁")], {"SEO"}),
        ([A, C], {"EPO"}),
        ([A, C, D], {"SEO", "EPO"}),
        ([A, triple("乙", "p", "甲")], {"SEO"}),
        ([triple("鲁迅自传", "作者", "鲁迅")], {"SOO"}),
        ([triple("鲁迅", "作品", "鲁迅自传")], {"SOO"}),
        ([triple("甲", "p", "甲")], {"SOO"}),
        ([triple("鲁迅自传", "作者", "鲁迅"), triple("鲁迅自传", "主角", "鲁迅"), A], {"EPO", "SOO"}),
    ],
)
def test_overlap_classes(triples, classes):
    assert set(overlap_classes(triples)) == classes


def test_the_project_s_own_sentences_have_every_class():
    classes = {name: set(overlap_classes(item.triples)) for name, item in builders.FIVE_FEATURES.items()}
    assert classes == {
        "one subject, many objects": {"SEO"},
        "many subjects": {"normal"},
        "many-to-many": {"SEO"},
        "one pair, several predicates": {"EPO"},
        "subject and object overlap": {"SOO"},
    }


def test_predictions_count_where_their_text_does():
    groups = rows(by_overlap(judged(([A, C], [A]), ([B], [A, C]), ([A], []), ([D], [A, C, D]))))
    assert groups == {
        "normal": (TripleScore(1, 2, 1), 1),
        "SEO": (TripleScore(1, 1, 3), 1),
        "EPO": (TripleScore(1, 2, 5), 2),
        "no triples": (TripleScore(0, 1, 0), 1),
    }


def test_number_of_gold_triples():
    many = [triple("甲", "p", str(number)) for number in range(7)]
    groups = rows(by_number(judged(([A], []), ([], [A]), (many[:2], many[:5]), ([], many))))
    assert groups == {
        "0": (TripleScore(0, 1, 0), 1),
        "1": (TripleScore(0, 0, 1), 1),
        "5+": (TripleScore(2, 2, 12), 2),
    }


def test_length_borders():
    lengths = [0, 25, 26, 300, 301, 5000]
    groups = by_length(judged(*(([A], [A], length) for length in lengths)))
    assert [(group.name, group.texts) for group in groups] == [("0–25", 2), ("26–50", 1), ("201–300", 1), ("301+", 2)]


def test_each_partition_adds_up_to_the_whole():
    items = judged(([A, C], [A]), ([B], [A, C]), ([A], []), ([D, A], [A, C, D]))
    for groups in (by_number(items), by_length(items), by_relation(items)):
        scores = [group.score for group in groups]
        columns = ([getattr(score, name) for score in scores] for name in ("correct", "predicted", "gold"))
        assert tuple(map(sum, columns)) == (3, 6, 6)


def test_seen_and_new_entities():
    train = [example("…", triple("甲", "q", "乙"), triple("丙", "p", "己"))]
    groups = rows(by_entities(judged(([A, B], [A, D]), ([], [B])), train))
    assert groups == {
        "pair seen": (TripleScore(1, 1, 1), 1),
        "pair new": (TripleScore(0, 1, 2), 2),
        "subject seen": (TripleScore(1, 2, 3), 2),
        "object seen": (TripleScore(1, 1, 1), 1),
        "object new": (TripleScore(0, 1, 2), 2),
    }


def test_without_training_triples_all_is_new():
    groups = rows(by_entities(judged(([A], [A])), []))
    assert set(groups) == {"pair new", "subject new", "object new"}


def test_relations_are_told_apart_by_subject_type():
    company, office = (triple(("星河", None, kind), "成立日期", ("1998年", None, "Date")) for kind in ("企业", "机构"))
    wrong = triple(("月河", None, "机构"), "成立日期", ("1999年", None, "Date"))
    groups = rows(by_relation(judged(([company, wrong], [company]), ([office], [company]), ([], [office]))))
    # The second text's prediction equals its gold triple by strict matching, and counts with it.
    assert groups == {"企业 成立日期": (TripleScore(2, 2, 2), 2), "机构 成立日期": (TripleScore(0, 1, 1), 2)}


def test_a_missing_type_is_the_schema_s_where_it_is_clear():
    assert relation_name(triple("雪国", "主演", "周一鸣"), builders.SCHEMA) == "影视作品 主演"
    assert relation_name(triple("雪国", "主演", "周一鸣")) == "主演"
    assert relation_name(triple("星河", "成立日期", "1998年"), builders.SCHEMA) == "成立日期"
    assert relation_name(triple("雪国", "未知", "周一鸣"), builders.SCHEMA) == "未知"
    assert relation_name(triple(("雪国", None, "歌曲"), "主演", "周一鸣"), builders.SCHEMA) == "歌曲 主演"
    two = Schema([Relation("a", "p", "x"), Relation("b", "p", "y")])
    assert relation_name(triple("s", "p", ("o", None, "y")), two) == "b p"


def test_frequent_relations_come_first_and_macro_leaves_out_those_without_gold():
    e = triple("甲", "r", "乙")
    groups = by_relation(judged(([A, e], [A, B, C]), ([], [C])))
    assert [group.name for group in groups] == ["p", "q", "r"]
    macro = macro_average(groups)
    assert macro.relations == 2
    assert (macro.precision, macro.recall) == (0.5, 0.25)
    assert macro.f1 == pytest.approx((2 / 3 + 0) / 2)
    assert macro_average([]) == Macro(0.0, 0.0, 0.0, 0)
