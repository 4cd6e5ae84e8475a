"""Rules after decoding: each kind alone, their order, and what holds whatever the rules."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_spo.model.relation_rules import RelationRules
from hf_spo.model.rules import apply_rules
from hf_spo.model.schema import Mention, Relation, Schema, Span, Triple
from hf_spo.model.value_formats import ObjectFormat
from tests import builders
from tests.builders import mention

WIFE = Relation("人物", "妻子", "人物")
HUSBAND = Relation("人物", "丈夫", "人物")
SIBLING = Relation("人物", "兄妹", "人物")
FOUNDED = Relation("机构", "成立日期", "Date")
STARS = Relation("影视作品", "主演", "人物")
PRIZE = Relation("人物", "获奖", "奖项")
PRIZE_WORK = Relation("人物", "获奖", "作品", "inWork")
PRIZE_DATE = Relation("人物", "获奖", "Date", "onDate")
RELATIONS = (WIFE, HUSBAND, SIBLING, FOUNDED, STARS, PRIZE, PRIZE_WORK, PRIZE_DATE)


def schema(rules=None):
    return Schema(
        Relation(one.subject_type, one.predicate, one.object_type, one.slot, (rules or {}).get(one, RelationRules()))
        for one in RELATIONS
    )


def triple(text, subject, relation, value, score=0.5, nth=0, **qualifiers):
    slots = {"inWork": PRIZE_WORK, "onDate": PRIZE_DATE}
    return Triple(
        mention(text, subject, relation.subject_type, nth),
        relation.predicate,
        mention(text, value, relation.object_type),
        {slot: mention(text, part, slots[slot].object_type) for slot, part in qualifiers.items()},
        score,
    )


def strings(triples):
    return [(one.subject.text, one.predicate, one.object.text) for one in triples]


def test_no_triples():
    assert apply_rules([], schema({WIFE: RelationRules(inverse="丈夫", max_objects=1)})) == []


def test_no_rules_change_nothing():
    for item in builders.EXAMPLES:
        assert builders.facts(apply_rules(item.triples, builders.SCHEMA)) == builders.facts(item.triples)


def test_a_relation_that_the_schema_lacks_is_an_error():
    text = "林小川执导《雪国》"
    with pytest.raises(KeyError, match="导演"):
        apply_rules([triple(text, "雪国", Relation("影视作品", "导演", "人物"), "林小川")], schema())


class TestInverse:
    text = "周一鸣的妻子是何雨晴，何雨晴与周一鸣同岁"
    both = schema({WIFE: RelationRules(inverse="丈夫"), HUSBAND: RelationRules(inverse="妻子")})

    def test_is_added_with_places_types_and_score(self):
        wife = triple(self.text, "周一鸣", WIFE, "何雨晴", 0.7)
        husband = Triple(wife.object, "丈夫", wife.subject, {}, 0.7)
        assert apply_rules([wife], self.both) == [wife, husband]
        assert apply_rules([husband], self.both) == [wife, husband]

    def test_in_the_declared_direction_alone(self):
        one_way = schema({WIFE: RelationRules(inverse="丈夫")})
        assert len(apply_rules([triple(self.text, "周一鸣", WIFE, "何雨晴")], one_way)) == 2
        assert len(apply_rules([triple(self.text, "何雨晴", HUSBAND, "周一鸣")], one_way)) == 1

    @pytest.mark.parametrize("scores", [(0.9, 0.4), (0.4, 0.9)])
    def test_where_both_are_found_the_better_score_is_kept(self, scores):
        found = [
            triple(self.text, "周一鸣", WIFE, "何雨晴", scores[0]),
            triple(self.text, "何雨晴", HUSBAND, "周一鸣", scores[1]),
        ]
        assert [one.score for one in apply_rules(found, self.both)] == [0.9, 0.9]

    def test_types_are_exchanged_and_qualifiers_left_out(self):
        laureate = Relation("奖项", "得主", "人物")
        awards = Schema(
            [
                Relation("人物", "获奖", "奖项", rules=RelationRules(inverse="得主")),
                Relation("人物", "获奖", "作品", "inWork"),
                laureate,
            ]
        )
        text = "何雨晴凭《海边》获金兰奖"
        added = apply_rules([triple(text, "何雨晴", PRIZE, "金兰奖", inWork="海边")], awards)[1]
        assert (added.subject.type, added.predicate, added.object.type) == ("奖项", "得主", "人物")
        assert added.qualifiers == {}

    def test_is_held_to_the_rules_of_its_own_relation(self):
        rules = schema({WIFE: RelationRules(inverse="丈夫"), HUSBAND: RelationRules(subject_pattern="白.*")})
        assert strings(apply_rules([triple(self.text, "周一鸣", WIFE, "何雨晴")], rules)) == [
            ("周一鸣", "妻子", "何雨晴")
        ]

    def test_of_a_triple_that_is_dropped_is_none(self):
        rules = schema({WIFE: RelationRules(inverse="丈夫", object_pattern="白.*")})
        assert apply_rules([triple(self.text, "周一鸣", WIFE, "何雨晴")], rules) == []


class TestSymmetric:
    text = "陈立言和陈立春是兄妹"

    def test_triple_is_exchanged_once(self):
        rules = schema({SIBLING: RelationRules(symmetric=True)})
        found = apply_rules([triple(self.text, "陈立言", SIBLING, "陈立春", 0.7)], rules)
        assert strings(found) == [("陈立言", "兄妹", "陈立春"), ("陈立春", "兄妹", "陈立言")]
        assert [one.score for one in found] == [0.7, 0.7]
        assert apply_rules(found, rules) == found

    def test_inverse_follows_from_exchanged_triples_too(self):
        rules = schema({SIBLING: RelationRules(symmetric=True, inverse="丈夫")})
        found = apply_rules([triple(self.text, "陈立言", SIBLING, "陈立春")], rules)
        assert sum(one.predicate == "丈夫" for one in found) == 2

    def test_qualifiers_stay(self):
        friend = Relation("人物", "搭档", "人物", rules=RelationRules(symmetric=True))
        friends = Schema([friend, Relation("人物", "搭档", "作品", "inWork")])
        text = "陈立言和陈立春在《海边》中搭档"
        found = apply_rules([triple(text, "陈立言", friend, "陈立春", inWork="海边")], friends)
        assert [one.qualifiers["inWork"].text for one in found] == ["海边", "海边"]


class TestMaxObjects:
    text = "何雨晴、周一鸣、白露主演《雪国》，何雨晴、白露主演《海边》，《雪国》获奖"

    def found(self, *scored):
        return [triple(self.text, subject, STARS, value, score, nth) for subject, value, score, nth in scored]

    def test_the_best_scored_are_kept_for_each_subject(self):
        found = self.found(
            ("雪国", "何雨晴", 0.6, 0), ("雪国", "周一鸣", 0.9, 0), ("雪国", "白露", 0.8, 0), ("海边", "白露", 0.1, 0)
        )
        rules = schema({STARS: RelationRules(max_objects=2)})
        assert strings(apply_rules(found, rules)) == [
            ("雪国", "主演", "周一鸣"),
            ("雪国", "主演", "白露"),
            ("海边", "主演", "白露"),
        ]

    def test_a_subject_and_an_object_are_the_same_wherever_they_stand(self):
        found = self.found(("雪国", "何雨晴", 0.6, 0), ("雪国", "周一鸣", 0.9, 1), ("雪国", "何雨晴", 0.95, 1))
        kept = apply_rules(found, schema({STARS: RelationRules(max_objects=1)}))
        assert [(one.object.text, one.score) for one in kept] == [("何雨晴", 0.6), ("何雨晴", 0.95)]

    def test_of_equals_the_first_in_the_text(self):
        found = self.found(("雪国", "白露", 0.5, 0), ("雪国", "何雨晴", 0.5, 0))
        assert strings(apply_rules(found, schema({STARS: RelationRules(max_objects=1)}))) == [
            ("雪国", "主演", "何雨晴")
        ]

    def test_triples_without_scores(self):
        found = self.found(("雪国", "白露", None, 0), ("雪国", "何雨晴", None, 0))
        assert len(apply_rules(found, schema({STARS: RelationRules(max_objects=1)}))) == 1

    def test_added_triples_count(self):
        text = "周一鸣的丈夫是白露，何雨晴的妻子是周一鸣"
        found = [triple(text, "周一鸣", HUSBAND, "白露", 0.6), triple(text, "何雨晴", WIFE, "周一鸣", 0.8)]
        rules = schema({WIFE: RelationRules(inverse="丈夫"), HUSBAND: RelationRules(max_objects=1)})
        assert strings(apply_rules(found, rules)) == [("周一鸣", "丈夫", "何雨晴"), ("何雨晴", "妻子", "周一鸣")]

    def test_the_same_object_with_several_qualifiers_is_one(self):
        text = "何雨晴凭《海边》和《雪国》两获金兰奖"
        found = [triple(text, "何雨晴", PRIZE, "金兰奖", inWork=work) for work in ("海边", "雪国")]
        assert len(apply_rules(found, schema({PRIZE: RelationRules(max_objects=1)}))) == 2


class TestPatterns:
    text = "白露，何雨晴主演《雪国》"

    @pytest.mark.parametrize(("pattern", "kept"), [("[^，]+", False), ("白露.*", True), ("白露", False), ("", True)])
    def test_objects_match_as_a_whole(self, pattern, kept):
        found = [triple(self.text, "雪国", STARS, "白露，何雨晴")]
        assert bool(apply_rules(found, schema({STARS: RelationRules(object_pattern=pattern)}))) == kept

    def test_subjects(self):
        found = [triple(self.text, "雪国", STARS, "白露"), triple(self.text, "《雪国", STARS, "白露")]
        rules = schema({STARS: RelationRules(subject_pattern="[^《》]+")})
        assert strings(apply_rules(found, rules)) == [("雪国", "主演", "白露")]

    def test_formats(self):
        text = "星河科技成立于1998年，后于2003年改名"
        found = [triple(text, "星河科技", FOUNDED, value) for value in ("1998年", "1998年，后于2003年")]
        rules = schema({FOUNDED: RelationRules(object_format=ObjectFormat.DATE)})
        assert strings(apply_rules(found, rules)) == [("星河科技", "成立日期", "1998年")]

    def test_a_qualifier_that_does_not_fit_is_left_out_alone(self):
        text = "何雨晴凭《海边》于2010年获金兰奖"
        found = [triple(text, "何雨晴", PRIZE, "金兰奖", inWork="海边", onDate="2010年")]
        rules = {PRIZE_WORK: RelationRules(object_pattern="雪.*"), PRIZE_DATE: RelationRules(object_format="date")}
        (kept,) = apply_rules(found, schema(rules))
        assert {slot: part.text for slot, part in kept.qualifiers.items()} == {"onDate": "2010年"}

    def test_triples_that_differ_in_such_a_qualifier_become_one(self):
        text = "何雨晴凭《海边》和《雪国》两获金兰奖"
        found = [
            triple(text, "何雨晴", PRIZE, "金兰奖", 0.4, inWork="海边"),
            triple(text, "何雨晴", PRIZE, "金兰奖", 0.6, inWork="雪国"),
        ]
        (kept,) = apply_rules(found, schema({PRIZE_WORK: RelationRules(object_pattern="无")}))
        assert (kept.qualifiers, kept.score) == ({}, 0.6)


class TestStrip:
    @pytest.mark.parametrize(
        ("subject", "stripped"),
        [
            ("《雪国》", "雪国"),
            ("《雪国", "雪国"),
            ("雪国》", "雪国"),
            ("》雪国《", "雪国"),
            ("《《雪国》》", "雪国"),
            ("《 雪国\u3000》", "雪国"),
            ("《雪国》续集", "《雪国》续集"),
            ("重看《雪国》", "重看《雪国》"),
            ("《雪国》与《海边》", "《雪国》与《海边》"),
            ("《雪《国》》", "雪《国》"),
            ("雪》国", "雪》国"),
            ('"雪国"', "雪国"),
            ('雪国"', "雪国"),
            ('"雪"与"国"', '"雪"与"国"'),
            ("《“雪国”》", "雪国"),
            ("·雪·国··", "雪·国"),
            (" 雪国 ", " 雪国 "),
            ("雪国\ud800》", "雪国\ud800"),
        ],
    )
    def test_marks_go_from_the_borders_and_offsets_with_them(self, subject, stripped):
        text = f"何雨晴主演 {subject}。"
        rules = schema({STARS: RelationRules(strip=("《》", '""', "“”", "·"))})
        (found,) = apply_rules([triple(text, subject, STARS, "何雨晴")], rules)
        assert found.subject.text == stripped
        assert text[found.subject.span.start : found.subject.span.end] == stripped
        assert found.subject.type == "影视作品"

    def test_objects_too(self):
        text = "“何雨晴”主演雪国"
        rules = schema({STARS: RelationRules(strip=("“”",))})
        (found,) = apply_rules([triple(text, "雪国", STARS, "“何雨晴”")], rules)
        assert found.object == Mention("何雨晴", Span(1, 4), "人物")

    @pytest.mark.parametrize(("subject", "value"), [("《》", "何雨晴"), ("雪国", "《"), ("《 》", "何雨晴")])
    def test_marks_alone_are_no_mention(self, subject, value):
        text = f"{subject}由{value}主演"
        assert apply_rules([triple(text, subject, STARS, value)], schema({STARS: RelationRules(strip=("《》",))})) == []

    def test_qualifiers_have_their_own(self):
        text = "何雨晴凭《海边》获《金兰奖》"
        found = [triple(text, "何雨晴", PRIZE, "《金兰奖》", inWork="《海边》")]
        (kept,) = apply_rules(found, schema({PRIZE_WORK: RelationRules(strip=("《》",))}))
        assert (kept.object.text, kept.qualifiers["inWork"].text) == ("《金兰奖》", "海边")

    def test_patterns_see_what_is_left(self):
        text = "何雨晴主演《雪国》"
        rules = schema({STARS: RelationRules(strip=("《》",), subject_pattern="[^《》]+")})
        assert strings(apply_rules([triple(text, "《雪国》", STARS, "何雨晴")], rules)) == [("雪国", "主演", "何雨晴")]

    def test_what_becomes_equal_is_merged_with_the_best_score(self):
        text = "何雨晴主演《雪国》"
        found = [triple(text, "《雪国》", STARS, "何雨晴", 0.9), triple(text, "雪国", STARS, "何雨晴", 0.4)]
        (kept,) = apply_rules(found, schema({STARS: RelationRules(strip=("《》",))}))
        assert (kept.subject, kept.score) == (Mention("雪国", Span(6, 8), "影视作品"), 0.9)


RULES = st.builds(
    RelationRules,
    symmetric=st.booleans(),
    inverse=st.sampled_from(["", "妻子", "丈夫", "兄妹"]),
    max_objects=st.sampled_from([None, 1, 2]),
    subject_pattern=st.sampled_from(["", "[^，]+"]),
    object_pattern=st.sampled_from(["", ".{1,4}"]),
    strip=st.sampled_from([(), ("《》", "“”"), ("，",)]),
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    text=st.text("白露晚风《》“”， ", min_size=1, max_size=12),
    rules=st.tuples(RULES, RULES, RULES),
    places=st.lists(st.tuples(*[st.integers(0, 11)] * 4, st.integers(0, 2), st.floats(0, 1)), max_size=8),
)
def test_whatever_the_rules_mentions_are_slices_and_objects_not_too_many(text, rules, places):
    people = (WIFE, HUSBAND, SIBLING)
    ruled = schema(dict(zip(people, rules, strict=True)))

    def part(start, length):
        start = start % len(text)
        end = min(len(text), start + 1 + length)
        return Mention(text[start:end], Span(start, end), "人物")

    found = apply_rules(
        [Triple(part(a, b), people[p].predicate, part(c, d), {}, score) for a, b, c, d, p, score in places], ruled
    )
    for one in found:
        for end in (one.subject, one.object):
            assert end.text
            assert text[end.span.start : end.span.end] == end.text
    for relation, own in zip(people, rules, strict=True):
        objects = {}
        for one in found:
            if one.predicate == relation.predicate:
                objects.setdefault(one.subject.text, set()).add(one.object.text)
        assert all(len(values) <= (own.max_objects or 99) for values in objects.values())
