"""Rules of a relation: what may be declared, and in what form."""

import json

import pytest

from hf_spo.model.relation_rules import RULE_KINDS, RelationRules
from hf_spo.model.value_formats import ObjectFormat

EVERYTHING = RelationRules(
    symmetric=True,
    inverse="丈夫",
    max_objects=2,
    subject_pattern="[^，]+",
    object_pattern=".{1,9}",
    object_format=ObjectFormat.DATE,
    strip=("《》", "·"),
)


def test_none_are_false_and_any_are_true():
    assert not RelationRules()
    for kind in RULE_KINDS:
        assert EVERYTHING.only(kind), kind


def test_only_keeps_the_kinds_named():
    assert EVERYTHING.only("inverse", "strip") == RelationRules(inverse="丈夫", strip=("《》", "·"))
    assert EVERYTHING.only() == RelationRules()
    assert EVERYTHING.only(*RULE_KINDS) == EVERYTHING


@pytest.mark.parametrize("rules", [RelationRules(), EVERYTHING, RelationRules(max_objects=1)])
def test_survive_their_json_form(rules):
    again = RelationRules.from_dict(json.loads(json.dumps(rules.to_dict())))
    assert again == rules
    assert hash(again) == hash(rules)


def test_json_form_holds_what_is_declared_and_no_more():
    assert RelationRules().to_dict() == {}
    assert RelationRules(object_format=ObjectFormat.NUMBER, strip=("《》",)).to_dict() == {
        "object_format": "number",
        "strip": ["《》"],
    }


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"max_object": 1}, "unknown key 'max_object'; did you mean 'max_objects'?"),
        ({"xyz": 1}, "unknown key 'xyz'; expected one of symmetric, inverse, max_objects, subject_pattern"),
        ({"symmetric": "yes"}, "symmetric='yes': expected true or false"),
        ({"inverse": ["丈夫"]}, r"inverse=\['丈夫'\]: expected the name of a predicate"),
        ({"max_objects": 0}, "max_objects=0: expected a whole number of at least 1"),
        ({"max_objects": 1.0}, "max_objects=1.0: expected a whole number"),
        ({"max_objects": True}, "max_objects=True: expected a whole number"),
        ({"subject_pattern": 5}, "subject_pattern=5: expected a regular expression"),
        ({"object_pattern": "(["}, r"object_pattern='\(\[' is not a regular expression: unterminated character set"),
        ({"object_format": "time"}, "object_format='time': expected one of date, number"),
        ({"strip": "《》"}, "strip='《》': expected a list of single characters and pairs"),
        ({"strip": [""]}, "expected a list of single characters and pairs"),
        ({"strip": ["《A》"]}, "expected a list of single characters and pairs"),
        ({"strip": [1]}, "expected a list of single characters and pairs"),
    ],
)
def test_what_is_wrong_is_named_with_what_was_expected(data, message):
    with pytest.raises(ValueError, match=f"^rules: .*{message}"):
        RelationRules.from_dict(data)
