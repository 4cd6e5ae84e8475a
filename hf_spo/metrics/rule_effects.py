"""What each of a schema's rules does to the score of a model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..model.relation_rules import RULE_KINDS, RelationRules
from ..model.rules import apply_rules
from ..model.schema import VALUE_SLOT, Example, Relation, Schema, Triple
from . import TripleScore, TripleScorer


def rule_effects(
    examples: Iterable[Example], predictions: Iterable[Sequence[Triple]], schema: Schema
) -> dict[str, TripleScore]:
    """Score predictions, made without rules, under none of a schema's rules, all of them, and some.

    Scores are strict, and of all relations together, so that any two may be compared. With the gold triples and their
    offsets for predictions, what is missing from the recall is what rules reject.

    Returns:
        "none", "all", each kind of rule that the schema has ("inverse", "strip", …) alone, and the rules of each
        relation alone, named "predicate (subject type → object type)". Empty for a schema without rules.
    """
    if not schema.has_rules:
        return {}
    variants = {"none": _under(schema, {}), "all": schema}
    for kind in RULE_KINDS:
        rules = {relation: relation.rules.only(kind) for relation in schema}
        if any(rules.values()):
            variants[kind] = _under(schema, rules)
    for one in schema:
        if one.rules and one.slot == VALUE_SLOT:
            variants[f"{one.predicate} ({one.subject_type} → {one.object_type})"] = _under(schema, {one: one.rules})
    scorers = {name: TripleScorer() for name in variants}
    for example, found in zip(examples, predictions, strict=True):
        for name, variant in variants.items():
            scorers[name].add(apply_rules(found, variant), example.triples)
    return {name: scorer.score() for name, scorer in scorers.items()}


def _under(schema: Schema, rules: Mapping[Relation, RelationRules]) -> Schema:
    return Schema(replace(relation, rules=rules.get(relation, RelationRules())) for relation in schema)
