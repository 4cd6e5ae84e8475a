import pytest
from huggingface_hub.errors import StrictDataclassClassValidationError

from hf_spo import EnsembleConfig
from tests import builders

RELATIONS = builders.SCHEMA.to_list()


def config(**values):
    return EnsembleConfig(relations=RELATIONS, **{"groups": [["a"], ["b"], ["c/d"]], "combination": "vote", **values})


@pytest.mark.parametrize(
    ("values", "votes"),
    [
        ({}, 2),
        ({"min_votes": 3}, 3),
        ({"combination": "union"}, 1),
        ({"groups": [["a", "b"]], "combination": "average"}, 1),
    ],
)
def test_votes_needed(values, votes):
    assert config(**values).votes_needed == votes


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"combination": "duel"}, "expected one of average, union, vote"),
        ({"combination": "average"}, "average' with 3 groups"),
        ({"min_votes": 4}, "expected 1 to 3"),
        ({"min_votes": 0}, "expected 1 to 3"),
        ({"groups": []}, "at least one group"),
        ({"groups": [["a"], []]}, "no empty one"),
    ],
)
def test_wrong_values_are_named(values, problem):
    with pytest.raises(StrictDataclassClassValidationError, match=problem):
        config(**values)


@pytest.mark.parametrize(
    "name", ["/etc", "../other", "a/../../b", "\\\\host\\share", "C:\\models", "https://x/y", "a\\..\\b", ""]
)
def test_members_lie_inside_the_folder(name):
    with pytest.raises(StrictDataclassClassValidationError, match="inside the ensemble's"):
        config(groups=[["a"], [name]])


def test_file_without_groups_is_damaged():
    with pytest.raises(ValueError, match='no "groups"'):
        EnsembleConfig.from_dict({"relations": RELATIONS})
