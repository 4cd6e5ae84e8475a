from hf_spo import Example, Mention, Relation, Triple
from hf_spo.data.unknown_relations import without_unknown_relations
from tests import builders


def test_known_triples_stay():
    for example in builders.EXAMPLES:
        assert without_unknown_relations(example, builders.SCHEMA) == (example, [])


def test_a_triple_goes_with_any_slot_that_is_unknown():
    known = Triple(Mention("雪国"), "主演", Mention("白露"))
    foreign = Triple(Mention("雪国"), "语言", Mention("白露"))
    slot = Triple(Mention("雪国"), "票房", Mention("三千万"), {"onDate": Mention("1998年")})
    example = Example("雪国", (known, foreign, slot))
    kept, unknown = without_unknown_relations(example, builders.SCHEMA)
    assert kept == Example("雪国", (known,))
    assert unknown == [Relation("", "语言", ""), Relation("", "票房", "", "onDate")]


def test_a_predicate_that_types_have_to_tell_apart():
    vague = Example("雪国", (Triple(Mention("雪国"), "成立日期", Mention("1998年")),))
    assert without_unknown_relations(vague, builders.SCHEMA)[1] == [Relation("", "成立日期", "")]
