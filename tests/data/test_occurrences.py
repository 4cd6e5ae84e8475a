import pytest

from hf_spo import Mention, Span, Triple
from hf_spo.data import OccurrencePolicy
from hf_spo.data.occurrences import locate, missing, occurrences

FIRST, NEAREST, ALL = OccurrencePolicy


def spans(text, subject, value, policy):
    """Return (subject, object) as pairs of offsets."""
    triple = Triple(Mention(subject), "主演", Mention(value))
    return [
        ((t.subject.span.start, t.subject.span.end), (t.object.span.start, t.object.span.end))
        for t in locate(text, triple, policy)
    ]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (FIRST, [((0, 2), (3, 6))]),
        (NEAREST, [((7, 9), (9, 12))]),
        (ALL, [((0, 2), (3, 6)), ((0, 2), (9, 12)), ((7, 9), (3, 6)), ((7, 9), (9, 12))]),
    ],
)
def test_policies(policy, expected):
    assert spans("雪国。周一鸣。雪国周一鸣", "雪国", "周一鸣", policy) == expected


def test_nearest_prefers_what_does_not_overlap():
    assert spans("鲁迅自传,作者鲁迅", "鲁迅自传", "鲁迅", NEAREST) == [((0, 4), (7, 9))]


def test_nearest_takes_an_overlap_where_nothing_else_is():
    assert spans("鲁迅自传", "鲁迅自传", "鲁迅", NEAREST) == [((0, 4), (0, 2))]


def test_ties_go_to_the_first():
    assert spans("周一鸣雪国周一鸣", "雪国", "周一鸣", NEAREST) == [((3, 5), (0, 3))]


def test_occurrences_may_overlap():
    assert occurrences("哈哈哈", Mention("哈哈")) == [Span(0, 2), Span(1, 3)]


@pytest.mark.parametrize("policy", OccurrencePolicy)
def test_given_offsets_are_kept(policy):
    text = "雪国 周一鸣 雪国 周一鸣"
    triple = Triple(Mention("雪国", Span(7, 9)), "主演", Mention("周一鸣", Span(3, 6)))
    assert locate(text, triple, policy) == [triple]


@pytest.mark.parametrize("policy", OccurrencePolicy)
def test_types_and_predicate_are_kept(policy):
    triple = Triple(Mention("雪国", None, "影视作品"), "主演", Mention("周一鸣", None, "人物"))
    (located,) = locate("雪国 周一鸣", triple, policy)
    assert located == Triple(Mention("雪国", Span(0, 2), "影视作品"), "主演", Mention("周一鸣", Span(3, 6), "人物"))


@pytest.mark.parametrize(("policy", "start"), [(FIRST, 0), (NEAREST, 8), (ALL, 8)])
def test_a_qualifier_goes_with_its_object(policy, start):
    triple = Triple(Mention("雪国"), "票房", Mention("三千万"), {"inArea": Mention("北京")})
    (located,) = locate("北京。雪国的票房北京三千万", triple, policy)
    assert located.qualifiers["inArea"].span == Span(start, start + 2)


@pytest.mark.parametrize(
    ("triple", "absent"),
    [
        (Triple(Mention("海边"), "主演", Mention("周一鸣")), "海边"),
        (Triple(Mention("雪国"), "主演", Mention("何雨晴")), "何雨晴"),
        (Triple(Mention("雪国"), "主演", Mention("周一鸣"), {"inArea": Mention("北京")}), "北京"),
        (Triple(Mention(""), "主演", Mention("周一鸣")), ""),
        (Triple(Mention("雪国", Span(1, 3)), "主演", Mention("周一鸣")), "雪国"),
        (Triple(Mention("雪国", Span(90, 92)), "主演", Mention("周一鸣")), "雪国"),
    ],
    ids=["subject", "object", "qualifier", "empty", "wrong offsets", "offsets outside"],
)
def test_what_is_not_in_the_text(triple, absent):
    assert locate("雪国 周一鸣", triple, FIRST) == []
    assert missing("雪国 周一鸣", triple).text == absent


def test_a_score_is_kept():
    triple = Triple(Mention("雪国"), "主演", Mention("周一鸣"), score=0.5)
    assert [located.score for located in locate("雪国周一鸣", triple, FIRST)] == [0.5]


def test_whole_words_are_preferred_to_parts_of_words():
    text = "Mona Romero was born in Rome , Italy"
    assert occurrences(text, Mention("Rome")) == [Span(24, 28)]
    assert occurrences(text, Mention("Romer")) == [Span(5, 10)]
    assert occurrences("白露唱《白露》", Mention("白露")) == [Span(0, 2), Span(4, 6)]


def test_white_space_at_the_ends_of_mentions_does_not_count():
    text = "Anna Lind directed Blue Harbour"
    triple = Triple(Mention(" Blue Harbour", Span(18, 31)), "director", Mention("\ufeffAnna Lind\u200b "))
    (found,) = locate(text, triple, OccurrencePolicy.FIRST)
    assert (found.subject, found.object) == (Mention("Blue Harbour", Span(19, 31)), Mention("Anna Lind", Span(0, 9)))
    assert occurrences(text, Mention("  ")) == []
