"""Triples whose relation a schema lacks, set apart from those that can be labelled."""

from dataclasses import replace

from ..model.schema import Example, Relation, Schema


def without_unknown_relations(example: Example, schema: Schema) -> tuple[Example, list[Relation]]:
    """Return an example's triples of which the schema knows every slot, and the relations that it does not know.

    Types may be empty there, as in the data; see [`Schema.find`] for what an empty one matches.
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
