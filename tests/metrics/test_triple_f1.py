import pytest

from hf_spo import Mention, Span, Triple
from hf_spo.metrics import Match, TripleScore, TripleScorer


def mention(text, start=None, kind=""):
    return Mention(text, None if start is None else Span(start, start + len(text)), kind)


def triple(subject, predicate, value, **qualifiers):
    """Build a triple; a mention is a string, or a string with its start and type."""
    return Triple(
        mention(*((subject,) if isinstance(subject, str) else subject)),
        predicate,
        mention(*((value,) if isinstance(value, str) else value)),
        {slot: mention(*((part,) if isinstance(part, str) else part)) for slot, part in qualifiers.items()},
    )


def counts(predicted, gold, match=Match.STRICT, tokenize=None):
    scorer = TripleScorer(match, tokenize)
    scorer.add(predicted, gold)
    score = scorer.score()
    return score.correct, score.predicted, score.gold


FILM = triple("雪国", "主演", "周一鸣")
OTHER = triple("雪国", "主演", "何雨晴")


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
    scored = Triple(mention("雪国"), "主演", mention("周一鸣"), score=0.7)
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
