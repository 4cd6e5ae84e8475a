"""Regular expressions of a schema: Python's syntax and results, and none that stops a process."""

import json
import re

import pytest

from hf_spo.graph import KnowledgeGraph, Row, find_conflicts
from hf_spo.loading.locations import PACKAGED, packaged
from hf_spo.model import patterns
from hf_spo.model.patterns import LONGEST, check_pattern, matches
from hf_spo.model.relation_rules import RelationRules
from hf_spo.model.rules import apply_rules
from hf_spo.model.schema import Mention, Relation, Schema, Triple

HOSTILE = ["(a+)+b", "(a|aa)+b", r"(\w+)+\d", "(?:a{1,30000}){1,30000}b", "(?R)?a"]
TEXTS = ["", "白露", "《雪国》", "白露，主演", "北京：雪", "a" * 50, "1９٣", "白_露\n", "é\u2028", "😀", "\ud800"]


@pytest.mark.parametrize("model", PACKAGED)
def test_patterns_of_the_packaged_models_match_as_those_of_re(model: str) -> None:
    relations = Schema.from_list(json.loads((packaged(model) / "config.json").read_text())["relations"])
    used = {pattern for one in relations for pattern in (one.rules.subject_pattern, one.rules.object_pattern)} - {""}
    assert used
    for pattern in used:
        assert [matches(pattern, text) for text in TEXTS] == [bool(re.fullmatch(pattern, text)) for text in TEXTS]


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        ".*",
        r"\w+",
        r"\d+",
        r"\s*",
        r"[\u4e00-\u9fff]+",
        r"(?!白).+",
        r"(.)\1*",
        r"(?i)A+",
        r"(?P<x>白|《).*",
        r"\W.",
    ],
)
def test_syntax_and_unicode_classes_are_those_of_re(pattern: str) -> None:
    check_pattern(pattern)
    wanted = [not pattern or bool(re.fullmatch(pattern, text)) for text in TEXTS]
    assert [matches(pattern, text) for text in TEXTS] == wanted


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("a" * (LONGEST + 1), "is a pattern of 1,001 characters: expected at most 1,000; shorten it"),
        ("(" * 500 + ")" * 500, "is not a regular expression: nested too deeply"),
        ("(", r"is not a regular expression: missing \)"),
    ],
)
def test_what_cannot_be_held_is_refused_when_the_schema_is_read(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Schema.of([{"subject_type": "", "predicate": "p", "object_type": "", "rules": {"object_pattern": pattern}}])


@pytest.mark.parametrize("pattern", HOSTILE)
def test_a_match_that_would_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    monkeypatch.setattr(patterns, "TIME_LIMIT", 0.01)
    monkeypatch.setattr(patterns, "_too_slow", set())
    check_pattern(pattern)
    with pytest.raises(ValueError, match=r"the schema's pattern .* took longer than 0.01 s .*a\+ for \(a\+\)\+"):
        matches(pattern, "a" * 5000)
    with pytest.raises(ValueError, match="took longer"):
        matches(pattern, "b")  # at once, so that a corpus does not wait at each text


def test_rules_and_conflicts_run_patterns_under_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "TIME_LIMIT", 0.01)
    monkeypatch.setattr(patterns, "_too_slow", set())
    triple = Triple(Mention("a" * 5000, None, "x"), "p", Mention("b", None, "y"))
    for name in ("subject_pattern", "object_pattern"):
        schema = Schema([Relation("x", "p", "y", rules=RelationRules(**{name: "(a+)+c"}))])
        with pytest.raises(ValueError, match="the schema's pattern"):
            apply_rules([triple], schema)
        with pytest.raises(ValueError, match="the schema's pattern"):
            find_conflicts(KnowledgeGraph.from_rows([Row("1", (triple,))]), schema)
