"""Effect of each rule of a schema on the score of a model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..model.relation_rules import RULE_KINDS, RelationRules
from ..model.rules import apply_rules
from ..model.schema import VALUE_SLOT, Example, Relation, Schema, Triple
from . import TripleScore, TripleScorer


def rule_effects(
    examples: Iterable[Example], predictions: Iterable[Sequence[Triple]], schema: Schema
) -> dict[str, TripleScore]:
    """Score predictions with none, all and subsets of a schema's rules applied.

    Each score is strict and covers all relations, so any two can be compared. If the predictions are the gold triples,
    a recall below 1 shows that rules reject gold triples.

    Args:
        examples: labelled texts.
        predictions: triples of each text, extracted without rules.
        schema: relations with rules.

    Returns:
        Scores by name: "none", "all", each kind of rule that the schema has ("inverse", "strip", …) on its own, and the
        rules of each relation on their own, as "predicate (subject type → object type)". Empty without rules.
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
