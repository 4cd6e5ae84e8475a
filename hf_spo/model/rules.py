"""Apply the rules that a schema declares for its relations to decoded triples, see [`RelationRules`]."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .decoding import merge
from .patterns import matches
from .relation_rules import RelationRules
from .schema import Mention, Relation, Schema, Span, Triple
from .value_formats import has_format


def apply_rules(triples: Iterable[Triple], schema: Schema) -> list[Triple]:
    """Apply the rules of a schema to the triples of one text, and sort them by position.

    In this order:

    1. Strip marks from the borders of mentions, with their offsets; a mention that consists of marks is dropped.
    2. Drop triples whose subject or object does not match its pattern or format, and qualifiers that do not.
    3. Add symmetric triples, then inverse ones, with the scores of their sources. Steps 1 and 2 apply to them by the
       rules of their own relation; an inverse has no qualifiers.
    4. Keep the best scored of equal triples.
    5. Keep the best scored `max_objects` objects of each subject; equal texts count as one.

    Raises:
        KeyError: a triple's relation is not in the schema.
        ValueError: a pattern takes too long for a mention.
    """
    fitting = _fitting(triples, schema)
    return _best_objects(merge([*fitting, *_fitting(_exchanged(fitting, schema), schema)]), schema)


def _label(triple: Triple, schema: Schema) -> int:
    return schema.find(triple.predicate, triple.subject.type, triple.object.type)


def _relation(triple: Triple, schema: Schema) -> Relation:
    return schema[_label(triple, schema)]


def _fitting(triples: Iterable[Triple], schema: Schema) -> list[Triple]:
    """Strip the mentions of triples, and keep the triples that then match patterns and formats."""
    found = []
    for triple in triples:
        rules = _relation(triple, schema).rules
        subject, value = _strip(triple.subject, rules.strip), _fitting_object(triple.object, rules)
        if subject is None or value is None or not matches(rules.subject_pattern, subject.text):
            continue
        found.append(Triple(subject, triple.predicate, value, _fitting_qualifiers(triple, schema), triple.score))
    return found


def _fitting_qualifiers(triple: Triple, schema: Schema) -> dict[str, Mention]:
    kept = {}
    for slot, mention in triple.qualifiers.items():
        relation = schema[schema.find(triple.predicate, triple.subject.type, mention.type, slot)]
        fitting = _fitting_object(mention, relation.rules)
        if fitting is not None:
            kept[slot] = fitting
    return kept


def _fitting_object(mention: Mention, rules: RelationRules) -> Mention | None:
    stripped = _strip(mention, rules.strip)
    if stripped is None or not matches(rules.object_pattern, stripped.text):
        return None
    if rules.object_format is not None and not has_format(stripped.text, rules.object_format):
        return None
    return stripped


def _strip(mention: Mention, marks: Sequence[str]) -> Mention | None:
    """Strip marks, and white space next to them, from a mention's borders. Returns None if nothing is left."""
    text, start, end = mention.text, 0, len(mention.text)
    characters = "".join(marks)
    while start < end and (text[start] in characters or text[end - 1] in characters):
        inner = text[start:end]
        if any(_opens(inner, mark) for mark in marks):
            start = end - len(inner[1:].lstrip())
        elif any(_opens(inner[::-1], mark[::-1]) for mark in marks):
            end = start + len(inner[:-1].rstrip())
        else:
            break
    if start == end:
        return None
    if end - start == len(text):
        return mention
    span = None if mention.span is None else Span(mention.span.start + start, mention.span.start + end)
    return Mention(text[start:end], span, mention.type)


def _opens(text: str, mark: str) -> bool:
    """Tell whether a text begins with a mark that can be stripped.

    One of a pair can if its partner is missing or ends the text: not in "《A》与《B》".
    """
    if text[0] not in mark:
        return False
    opening, closing = mark[0], mark[-1]
    if len(mark) == 1 or text[0] != opening:
        return True
    if opening == closing:
        return text.find(closing, 1) in (-1, len(text) - 1)
    depth = 0
    for at, character in enumerate(text):
        depth += (character == opening) - (character == closing)
        if depth == 0:
            return at == len(text) - 1
    return True


def _exchanged(triples: Sequence[Triple], schema: Schema) -> list[Triple]:
    """Return the triples that follow from triples: the symmetric ones exchanged, then the inverses of all."""
    symmetric = [
        replace(triple, subject=triple.object, object=triple.subject)
        for triple in triples
        if _relation(triple, schema).rules.symmetric
    ]
    inverse = [
        Triple(triple.object, predicate, triple.subject, score=triple.score)
        for triple in (*triples, *symmetric)
        if (predicate := _relation(triple, schema).rules.inverse)
    ]
    return [*symmetric, *inverse]


def _best_objects(triples: Sequence[Triple], schema: Schema) -> list[Triple]:
    scores: dict[tuple[int, str], dict[str, float]] = {}
    keys = [(_label(triple, schema), triple.subject.text) for triple in triples]
    for key, triple in zip(keys, triples, strict=True):
        known = scores.setdefault(key, {})
        known[triple.object.text] = max(triple.score or 0.0, known.get(triple.object.text, 0.0))
    kept = {
        key: sorted(known, key=known.__getitem__, reverse=True)[: schema[key[0]].rules.max_objects]
        for key, known in scores.items()
    }
    return [triple for key, triple in zip(keys, triples, strict=True) if triple.object.text in kept[key]]
