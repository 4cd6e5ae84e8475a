import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_spo import Example, Mention, Span, Triple
from hf_spo.data.augmentation import EntitySwap
from hf_spo.data.occurrences import OccurrencePolicy, locate
from tests import builders

FIRST = OccurrencePolicy.FIRST


def swapped(example, *donors, seed=0, probability=1.0, policy=FIRST):
    """Swap with these examples alone to take from."""
    return EntitySwap(donors, probability, policy)(example, np.random.default_rng(seed))


def changed(example, *donors):
    """Swap with the first draw that hits a triple which has donors."""
    results = (swapped(example, *donors, seed=seed) for seed in range(20))
    return next(result for result in results if result is not example)


def directed(title, name):
    return builders.example(f"《{title}》由{name}执导", (title, "导演", name))


def stated(example):
    """Return triples as strings, slots included."""
    return {
        (triple.subject.text, triple.predicate, *((slot, value.text) for slot, value in triple.slots()))
        for triple in example.triples
    }


def mentions(example):
    return [mention for triple in example.triples for mention in (triple.subject, *dict(triple.slots()).values())]


def assert_offsets_are_right(example):
    for mention in mentions(example):
        assert mention.text
        assert mention.span is not None
        assert example.text[mention.span.start : mention.span.end] == mention.text


def test_entities_are_swapped_everywhere():
    text = "林小川说,林小川导演的《远山的灯》与书《远山的灯》不同"
    example = builders.example(text, ("远山的灯", "导演", "林小川"))
    result = swapped(example, directed("雪", "白露"))
    assert result.text == "白露说,白露导演的《雪》与书《雪》不同"
    assert stated(result) == {("雪", "导演", ("@value", "白露"))}
    assert_offsets_are_right(result)


def test_a_mention_stays_the_same_occurrence():
    text = "林小川说,林小川导演的《远山的灯》"
    triple = Triple(
        builders.mention(text, "远山的灯", "影视作品"), "导演", builders.mention(text, "林小川", "人物", nth=1)
    )
    result = swapped(Example(text, (triple,)), directed("雪", "白露"))
    assert result.text == "白露说,白露导演的《雪》"
    assert result.triples[0].object == Mention("白露", Span(4, 6), "人物")


def test_types_and_qualifiers_are_kept():
    example = builders.example("《雪国》在北京的票房是三千万", ("雪国", "票房", "三千万", {"inArea": "北京"}))
    donor = builders.example("《海边的晚风》收获一亿零三", ("海边的晚风", "票房", "一亿零三"))
    result = swapped(example, donor)
    assert result.text == "《海边的晚风》在北京的票房是一亿零三"
    assert result.triples[0].qualifiers == {"inArea": builders.mention(result.text, "北京", "地点")}
    assert [mention.type for mention in mentions(result)] == [mention.type for mention in mentions(example)]
    assert_offsets_are_right(result)


def test_other_triples_move_along():
    example = builders.example(
        "《远山的灯》由林小川执导,周一鸣主演,林小川生于苏州",
        ("远山的灯", "导演", "林小川"),
        ("林小川", "出生地", "苏州"),
    )
    result = changed(example, directed("雪国列车员", "白露"))
    assert result.text == "《雪国列车员》由白露执导,周一鸣主演,白露生于苏州"
    assert stated(result) == {("雪国列车员", "导演", ("@value", "白露")), ("白露", "出生地", ("@value", "苏州"))}
    assert_offsets_are_right(result)


def test_a_name_that_holds_the_swapped_one_is_rebuilt():
    example = builders.example(
        "陈立言执导《远山》,书《陈立言自传》由周一鸣写",
        ("远山", "导演", "陈立言"),
        ("陈立言自传", "作者", "周一鸣"),
    )
    result = changed(example, directed("雪国", "白露"))
    assert result.text == "白露执导《雪国》,书《白露自传》由周一鸣写"
    assert ("白露自传", "作者", ("@value", "周一鸣")) in stated(result)
    assert_offsets_are_right(result)


def test_only_the_same_relation_gives_donors():
    example = directed("远山的灯", "林小川")
    others = [
        builders.example("《雪国》由白露主演", ("雪国", "主演", "白露")),  # same types, another predicate
        builders.example("陈立言出生于苏州", ("陈立言", "出生地", "苏州")),
    ]
    assert swapped(example, *others) is example
    text = "星河科技成立于1998年"
    firm, body = (builders.example(text, (("星河科技", kind), "成立日期", "1998年")) for kind in ("企业", "机构"))
    assert swapped(firm, body) is firm


def test_every_donor_of_the_relation_is_drawn():
    example, donors = directed("远山的灯", "林小川"), [directed("雪国", "白露"), directed("海边", "周一鸣")]
    drawn = {swapped(example, *donors, seed=seed).text for seed in range(30)}
    assert drawn == {donor.text for donor in donors}


def test_every_triple_of_a_text_is_swapped_at_times():
    example = builders.example(
        "《远山的灯》由林小川执导,陈立言出生于苏州", ("远山的灯", "导演", "林小川"), ("陈立言", "出生地", "苏州")
    )
    donors = [directed("雪国", "白露"), builders.example("何雨晴生于北京", ("何雨晴", "出生地", "北京"))]
    drawn = {swapped(example, *donors, seed=seed).text for seed in range(30)}
    assert drawn == {"《雪国》由白露执导,陈立言出生于苏州", "《远山的灯》由林小川执导,何雨晴出生于北京"}


@pytest.mark.parametrize(("probability", "least", "most"), [(0.0, 0, 0), (0.3, 60, 120), (1.0, 300, 300)])
def test_probability(probability, least, most):
    example, donor = directed("远山的灯", "林小川"), directed("雪国", "白露")
    changed = sum(swapped(example, donor, seed=s, probability=probability) is not example for s in range(300))
    assert least <= changed <= most


def test_a_text_without_triples_stays():
    example = Example("今天天气很好")
    assert swapped(example, directed("雪国", "白露")) is example


def test_the_example_itself_is_not_changed():
    example = builders.EXAMPLES[0]
    before = example.to_dict()
    changed(example, directed("雪国", "白露"))
    assert example.to_dict() == before


class TestOverlap:
    def test_the_longer_name_is_swapped_as_a_whole(self):
        """鲁迅 inside 鲁迅自传 would be a mention inside what was swapped: the example stays."""
        example = builders.FIVE_FEATURES["subject and object overlap"]
        donor = builders.example("《雪国》是白露写的", ("雪国", "作者", "白露"))
        assert swapped(example, donor) is example

    def test_but_not_where_the_shorter_one_stands_apart(self):
        text = "鲁迅写了《鲁迅自传》"
        example = builders.example(text, ("鲁迅自传", "作者", "鲁迅"))
        result = swapped(example, builders.example("《雪国》是白露写的", ("雪国", "作者", "白露")))
        assert result.text == "白露写了《雪国》"
        assert_offsets_are_right(result)

    def test_a_mention_that_would_be_cut_in_two(self):
        text = "《远山的灯》由林小川执导,《灯》由白露主演"
        inside = Triple(Mention("灯", Span(4, 5), "影视作品"), "主演", builders.mention(text, "白露", "人物"))
        example = Example(text, (*directed("远山的灯", "林小川").triples, inside))
        donors = [directed("雪国", "何雨晴")]
        assert swapped(example, *donors, seed=0) is example
        apart = builders.example(text, ("远山的灯", "导演", "林小川"), ("灯", "主演", "白露"))
        assert all(swapped(apart, *donors, seed=seed) is apart for seed in range(5))  # whose first 灯 is inside, too

    def test_subject_and_object_of_one_name(self):
        example = builders.example("《白露》由白露执导", ("白露", "导演", "白露"))
        assert swapped(example, directed("雪国", "何雨晴")) is example

    def test_names_that_touch(self):
        result = swapped(builders.example("远山林小川导演", ("远山", "导演", "林小川")), directed("雪国的夜", "白露"))
        assert result.text == "雪国的夜白露导演"
        assert_offsets_are_right(result)

    def test_names_exchanged_for_each_other(self):
        """What was put in is not swapped again."""
        result = swapped(directed("白露", "远山"), directed("远山", "白露"))
        assert result.text == "《远山》由白露执导"
        assert_offsets_are_right(result)

    def test_a_triple_whose_names_are_not_in_the_text(self):
        absent = Triple(Mention("远山的灯", None, "影视作品"), "导演", Mention("林小川", None, "人物"))
        result = swapped(Example("今天天气很好", (absent,)), directed("雪国", "白露"))
        assert result.text == "今天天气很好"

    def test_special_characters_of_patterns(self):
        result = swapped(directed("远(山.*", "林|小+川"), directed("雪\\1国", "白\\g<0>露"))
        assert result.text == "《雪\\1国》由白\\g<0>露执导"
        assert_offsets_are_right(result)


@pytest.mark.parametrize("policy", OccurrencePolicy)
def test_without_offsets_they_are_located_as_the_policy_says(policy):
    text = "林小川说,林小川导演的《远山的灯》"
    bare = Triple(Mention("远山的灯", None, "影视作品"), "导演", Mention("林小川", None, "人物"))
    result = swapped(Example(text, (bare,)), directed("雪", "白露"), policy=policy)
    expected = [found for triple in (bare,) for found in locate(text, triple, policy)]
    assert len(result.triples) == len(expected) == (2 if policy == OccurrencePolicy.ALL else 1)
    assert_offsets_are_right(result)
    starts = {OccurrencePolicy.FIRST: [0], OccurrencePolicy.NEAREST: [4], OccurrencePolicy.ALL: [0, 4]}
    assert [triple.object.span.start for triple in result.triples] == starts[policy]


NAMES = st.text("甲乙丙", min_size=1, max_size=3)


@given(
    st.lists(st.sampled_from("甲乙丙,") | NAMES, min_size=1, max_size=12).map("".join),
    st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=3),
    NAMES,
    NAMES,
    st.sampled_from(OccurrencePolicy),
    st.integers(0, 50),
)
def test_offsets_are_right_in_any_text(text, pairs, title, name, policy, seed):
    """Of texts made of three letters, names overlap in every way."""
    triples = tuple(
        Triple(Mention(subject, None, "影视作品"), "导演", Mention(value, None, "人物"))
        for subject, value in pairs
        if subject in text and value in text
    )
    example = Example(text, triples)
    donor = Triple(Mention(title, None, "影视作品"), "导演", Mention(name, None, "人物"))
    result = EntitySwap([Example(title + name, (donor,))], 1.0, policy)(example, np.random.default_rng(seed))
    if result is not example:
        assert_offsets_are_right(result)
        assert len(result.triples) == sum(len(locate(text, triple, policy)) for triple in triples)
        assert (title, name) in {(triple.subject.text, triple.object.text) for triple in result.triples}
