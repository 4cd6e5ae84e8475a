import pytest

from hf_spo.metrics import Match, TripleScore, TripleScorer, judge
from hf_spo.metrics.triple_f1 import total
from tests.metrics.triples import example, triple

pytestmark = pytest.mark.smoke


def counts(predicted, gold, match=Match.STRICT, tokenize=None):
    scorer = TripleScorer(match, tokenize)
    scorer.add(predicted, gold)
    score = scorer.score()
    return score.correct, score.predicted, score.gold


FILM = triple("雪国", "主演", "周一鸣")
OTHER = triple("雪国", "主演", "何雨晴")
SONG = triple("晚风", "歌手", "白露")
STRICT = TripleScorer()


def test_micro_average_over_texts():
    scorer = TripleScorer()
    scorer.add([FILM, OTHER], [FILM])
    scorer.add([], [OTHER, triple("海边", "导演", "林小川")])
    scorer.add([triple("晚风", "歌手", "白露")], [triple("晚风", "歌手", "白露"), FILM])
    assert scorer.score() == TripleScore(correct=2, predicted=3, gold=5)
    assert scorer.score().precision == pytest.approx(2 / 3)
    assert scorer.score().recall == pytest.approx(2 / 5)
    assert scorer.score().f1 == pytest.approx(1 / 2)
    assert scorer.score().to_dict() == {
        "precision": pytest.approx(2 / 3),
        "recall": pytest.approx(2 / 5),
        "f1": pytest.approx(1 / 2),
        "correct": 2,
        "predicted": 3,
        "gold": 5,
    }


def test_a_triple_of_one_text_is_no_answer_to_another():
    scorer = TripleScorer()
    scorer.add([FILM], [])
    scorer.add([], [FILM])
    assert scorer.score() == TripleScore(0, 1, 1)


def test_duplicates_count_once():
    assert counts([FILM, FILM, OTHER], [FILM, FILM]) == (1, 2, 1)


@pytest.mark.parametrize(
    ("predicted", "gold", "expected"),
    [([], [], (0.0, 0.0, 0.0)), ([FILM], [], (0.0, 0.0, 0.0)), ([], [FILM], (0.0, 0.0, 0.0))],
)
def test_empty_cases_are_zero(predicted, gold, expected):
    scorer = TripleScorer()
    scorer.add(predicted, gold)
    score = scorer.score()
    assert (score.precision, score.recall, score.f1) == expected


def test_no_text_at_all():
    assert TripleScorer().score() == TripleScore(0, 0, 0)
    assert TripleScorer().score().f1 == 0.0


@pytest.mark.parametrize(
    ("other", "strict", "span", "full"),
    [
        (triple(("雪国", 1, "影视作品"), "票房", ("三千万", 11, "Number"), inArea=("北京", 5, "地点")), 1, 1, 1),
        (triple(("雪国", 4, "影视作品"), "票房", ("三千万", 11, "Number"), inArea=("北京", 5, "地点")), 1, 0, 1),
        (triple(("雪国", 1, "影视作品"), "票房", ("三千万", 0, "Number"), inArea=("北京", 5, "地点")), 1, 0, 1),
        (triple(("雪国", 1, "图书作品"), "票房", ("三千万", 11, "Number"), inArea=("北京", 5, "地点")), 1, 1, 0),
        (triple(("雪国", 1, "影视作品"), "票房", ("三千万", 11, "Text"), inArea=("北京", 5, "地点")), 1, 1, 0),
        (triple(("雪国", 1, "影视作品"), "票房", ("三千万", 11, "Number")), 1, 1, 0),
        (triple(("雪国", 1, "影视作品"), "票房", ("三千万", 11, "Number"), inArea=("京", 6, "地点")), 1, 1, 0),
        (triple(("雪国", 1, "影视作品"), "票房", ("三千万", 11, "Number"), onDate=("北京", 5, "地点")), 1, 1, 0),
        (triple(("雪国", 1, "影视作品"), "主演", ("三千万", 11, "Number"), inArea=("北京", 5, "地点")), 0, 0, 0),
        (triple(("国", 2, "影视作品"), "票房", ("三千万", 11, "Number"), inArea=("北京", 5, "地点")), 0, 0, 0),
        (triple(("雪国", 1, "影视作品"), "票房", ("三千", 11, "Number"), inArea=("北京", 5, "地点")), 0, 0, 0),
    ],
    ids=[
        "the same", "subject elsewhere", "object elsewhere", "subject type", "object type", "no qualifier",
        "other qualifier", "other slot", "predicate", "subject", "object",
    ],
)  # fmt: skip
def test_what_each_match_looks_at(other, strict, span, full):
    gold = triple(("雪国", 1, "影视作品"), "票房", ("三千万", 11, "Number"), inArea=("北京", 5, "地点"))
    assert [counts([other], [gold], match)[0] for match in ("strict", "span", "full")] == [strict, span, full]


def test_the_score_of_a_triple_does_not_matter():
    scored = triple("雪国", "主演", "周一鸣", score=0.7)
    assert counts([scored], [FILM]) == (1, 1, 1)


def test_lenient_compares_tokens():
    def tokenize(text):
        return text.lower().split()

    predicted = triple("Blue  Harbour", "导演", "anna lind")
    gold = triple("blue harbour", "导演", "Anna Lind")
    assert counts([predicted], [gold]) == (0, 1, 1)
    assert counts([predicted], [gold], "lenient", tokenize) == (1, 1, 1)
    assert counts([predicted, gold], [gold], "lenient", tokenize) == (1, 1, 1)
    assert counts([triple("blueharbour", "导演", "anna lind")], [gold], "lenient", tokenize) == (0, 1, 1)


def test_lenient_with_a_tokenizer(tiny_tokenizer):
    predicted = triple("Blue Harbour", "导演", "Anna")
    gold = triple("Blue\u3000Harbour", "导演", "Anna")
    assert counts([predicted], [gold], "lenient", tiny_tokenizer.tokenize) == (1, 1, 1)


def test_lenient_needs_a_tokenizer():
    with pytest.raises(ValueError, match=r"pass tokenize=tokenizer\.tokenize"):
        TripleScorer("lenient")


def test_span_needs_offsets():
    with pytest.raises(ValueError, match="'雪国' has none"):
        counts([FILM], [FILM], "span")


def test_an_unknown_match():
    with pytest.raises(ValueError, match="exact"):
        TripleScorer("exact")


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
    assert total(item.score for item in judged) == scorer.score() == TripleScore(1, 3, 2)
    assert total([]) == TripleScore(0, 0, 0)


def test_triples_in_any_form():
    texts = (FILM.subject.text, FILM.predicate, FILM.object.text)
    assert counts([texts], [FILM]) == counts([FILM.to_dict()], [list(texts)]) == (1, 1, 1)
