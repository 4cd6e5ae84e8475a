"""Remove triples whose relations are not in a schema."""

from dataclasses import replace

from ..model.schema import Example, Relation, Schema


def without_unknown_relations(example: Example, schema: Schema) -> tuple[Example, list[Relation]]:
    """Return the example with only those triples of which the schema has all slots, and the missing relations.

    Types of the missing relations are empty if those of the data are; see [`Schema.find`].
    """
    known, unknown = [], []
    for triple in example.triples:
        missing = []
        for slot, mention in triple.slots():
            try:
                schema.find(triple.predicate, triple.subject.type, mention.type, slot)
            except KeyError:
                missing.append(Relation(triple.subject.type, triple.predicate, mention.type, slot))
        unknown += missing
        if not missing:
            known.append(triple)
    return (replace(example, triples=tuple(known)) if unknown else example), unknown
