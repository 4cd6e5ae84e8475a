import pytest

from hf_spo.metrics import Match, TripleScore, TripleScorer, judge
from hf_spo.metrics.judging import total
from tests.metrics.triples import example, triple

STRICT = TripleScorer()
FILM, OTHER, SONG = triple("雪国", "主演", "周一鸣"), triple("雪国", "主演", "何雨晴"), triple("晚风", "歌手", "白露")


def test_right_wrong_and_missed():
    found = judge(example("…", FILM, SONG), [FILM, OTHER], STRICT)
    assert found.right == ((FILM, FILM),)
    assert (found.wrong, found.missed) == ((OTHER,), (SONG,))
    assert found.predicted == (FILM, OTHER)
    assert found.gold == (FILM, SONG)


def test_of_equal_predictions_the_best_scored_stays():
    low, high = triple(("雪国", 1), "主演", "周一鸣", 0.2), triple(("雪国", 9), "主演", "周一鸣", 0.9)
    for predicted in ([low, high], [high, low], [FILM, high, low]):
        assert judge(example("…", FILM, FILM), predicted, STRICT).right == ((high, FILM),)


def test_places_count_only_if_the_way_of_matching_says_so():
    ours, gold = triple(("雪国", 1), "主演", ("周一鸣", 5)), triple(("雪国", 9), "主演", ("周一鸣", 5))
    assert judge(example("…", gold), [ours], STRICT).right
    assert judge(example("…", gold), [ours], TripleScorer(Match.SPAN)).wrong == (ours,)


@pytest.mark.parametrize("match", ["strict", "full"])
def test_adds_up_to_what_the_scorer_counts(match):
    texts = [([FILM, OTHER], [FILM]), ([], [OTHER]), ([SONG, SONG], []), ([], [])]
    scorer = TripleScorer(match)
    for predicted, gold in texts:
        scorer.add(predicted, gold)
    judged = [judge(example("…", *gold), predicted, scorer) for predicted, gold in texts]
    assert total(judged) == scorer.score() == TripleScore(1, 3, 2)
    assert total([]) == TripleScore(0, 0, 0)
