"""What rules do to a score: under none, all, each kind, each relation."""

from dataclasses import replace

from hf_spo.metrics import TripleScore
from hf_spo.metrics.rule_effects import rule_effects
from hf_spo.model.relation_rules import RelationRules
from hf_spo.model.schema import Schema
from tests import builders

GUARDED = Schema(
    replace(
        one,
        rules={
            "主演": RelationRules(max_objects=1, object_pattern="[^、]+"),
            "导演": RelationRules(object_pattern="[^、]+"),
        }.get(one.predicate, RelationRules()),
    )
    for one in builders.SCHEMA
)
ITEM = builders.FIVE_FEATURES["one subject, many objects"]
RUN_ON = builders.example("《远山的灯》由林小川执导,周一鸣、何雨晴主演", ("远山的灯", "主演", "周一鸣、何雨晴")).triples


def test_each_variant_is_scored_alone():
    found = [replace(one, score=0.5) for one in (*ITEM.triples, *RUN_ON)]
    assert rule_effects([ITEM], [found], GUARDED) == {
        "none": TripleScore(3, 4, 3),
        "all": TripleScore(2, 2, 3),
        "max_objects": TripleScore(2, 2, 3),
        "object_pattern": TripleScore(3, 3, 3),
        "主演 (影视作品 → 人物)": TripleScore(2, 2, 3),
        "导演 (影视作品 → 人物)": TripleScore(3, 4, 3),
    }


def test_gold_triples_show_what_rules_cost():
    effects = rule_effects(builders.EXAMPLES, [item.triples for item in builders.EXAMPLES], GUARDED)
    assert effects["none"].recall == effects["object_pattern"].recall == 1
    # Three works star two people each.
    assert effects["max_objects"].gold - effects["max_objects"].correct == 3


def test_no_rules_no_effects():
    assert rule_effects([ITEM], [ITEM.triples], builders.SCHEMA) == {}


def test_no_texts():
    assert set(rule_effects([], [], GUARDED).values()) == {TripleScore(0, 0, 0)}


def test_rules_of_slots_go_with_their_kind():
    strip = {"inWork": RelationRules(strip=("《》",))}
    ruled = Schema(replace(one, rules=strip.get(one.slot, RelationRules())) for one in builders.SCHEMA)
    assert set(rule_effects([ITEM], [ITEM.triples], ruled)) == {"none", "all", "strip"}
