"""Plain data: spans, mentions, triples, examples, relations and the schema that names them.

Nothing here knows about tensors, tokenizers or files of annotation tools. Character positions are Unicode code points
of the user's own string and half-open; a mention read from data without offsets has none.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypedDict, overload

from .fields import FieldError, items, kind, names, score, string, whole_number
from .relation_rules import RelationRules

VALUE_SLOT = "@value"
"""Name of an object's own slot; every other slot is a qualifier (DuIE 2.0: inWork, inArea, onDate, period)."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of character positions."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"Span({self.start}, {self.end}): expected 0 <= start <= end")

    def __len__(self) -> int:
        return self.end - self.start

    def distance(self, other: "Span") -> int:
        """Count the characters between two spans; 0 when they touch or overlap."""
        return max(0, self.start - other.end, other.start - self.end)


_NOWHERE = Span(0, 0)


class MentionDict(TypedDict):
    """A mention in JSON; labels without offsets have no start and end."""

    text: str
    start: int
    end: int
    type: str


class TripleDict(TypedDict):
    """A triple in JSON, as the pipelines return it; labels may have no score."""

    score: float
    subject: MentionDict
    predicate: str
    object: MentionDict
    qualifiers: dict[str, MentionDict]


@dataclass(frozen=True, slots=True)
class Mention:
    """A piece of text that names an entity or a value; `span` is None where the data gives no offsets."""

    text: str
    span: Span | None = None
    type: str = ""

    def to_dict(self) -> MentionDict:
        """Return the JSON form: text, start, end (absent without offsets), type."""
        if self.span is None:
            return {"text": self.text, "type": self.type}  # type: ignore[typeddict-item]  # a label
        return {"text": self.text, "start": self.span.start, "end": self.span.end, "type": self.type}

    @classmethod
    def from_dict(cls, data: Any, path: str = "") -> "Mention":
        """Read the JSON form; "type" may be missing, and so may "start" and "end" together.

        Args:
            data: the mention.
            path: of the mention within its row, for the error.

        Raises:
            FieldError: it is not an object, or a field is missing or of the wrong type.
        """
        if not isinstance(data, Mapping):
            expected = 'expected a mention such as {"text": …, "start": …, "end": …}'
            raise FieldError(path or "mention", f"{expected}, got {kind(data)}")
        text = string(data, "text", path)
        type_ = "" if data.get("type") is None else string(data, "type", path)
        if data.get("start") is None and data.get("end") is None:
            return cls(text, None, type_)
        start, end = whole_number(data, "start", path), whole_number(data, "end", path)
        if not 0 <= start <= end:
            raise FieldError(path or "mention", f"offsets [{start}:{end}]: expected 0 <= start <= end")
        return cls(text, Span(start, end), type_)


@dataclass(frozen=True, slots=True)
class Triple:
    """A subject, a predicate and an object, with the object's further slots as `qualifiers`.

    Triples can be members of sets, and are sorted by position, those without offsets first. A subject or an object that
    is given as a string becomes a mention without offsets.
    """

    subject: Mention
    predicate: str
    object: Mention
    qualifiers: Mapping[str, Mention] = field(default_factory=dict, hash=False)
    score: float | None = None

    def __post_init__(self) -> None:
        for role in ("subject", "object"):
            given: Any = getattr(self, role)
            if isinstance(given, str):
                object.__setattr__(self, role, Mention(given))

    def __lt__(self, other: "Triple") -> bool:
        return self.order() < other.order()

    def order(self) -> tuple[int, int, int, int, str, str, str]:
        """Return the position, then predicate and texts, as plain values that triples are sorted by."""
        spans = self.subject.span, self.object.span
        subject, value = (_NOWHERE if span is None else span for span in spans)
        texts = self.subject.text, self.object.text
        return subject.start, subject.end, value.start, value.end, self.predicate, *texts

    @classmethod
    def of(cls, triple: "Triple | Mapping[str, Any] | Sequence[str]") -> "Triple":
        """Make a triple of any form.

        Args:
            triple: a triple; a dictionary as in `from_dict`; or the texts of subject, predicate and object.

        Raises:
            FieldError: it is in none of these forms.
        """
        if isinstance(triple, Triple):
            return triple
        if isinstance(triple, tuple | list) and [type(part) for part in triple] == [str] * 3:
            return cls(Mention(triple[0]), triple[1], Mention(triple[2]))
        return cls.from_dict(triple)

    def to_dict(self) -> TripleDict:
        """Return the JSON form that the pipeline and the command line print; without a score there is no "score"."""
        data: dict[str, Any] = {} if self.score is None else {"score": self.score}
        data |= {
            "subject": self.subject.to_dict(),
            "predicate": self.predicate,
            "object": self.object.to_dict(),
            "qualifiers": {slot: mention.to_dict() for slot, mention in self.qualifiers.items()},
        }
        return data  # type: ignore[return-value]  # a label may have no score

    @classmethod
    def from_dict(cls, data: Any, path: str = "") -> "Triple":
        """Read the JSON form, or the row form of tables, in which "qualifiers" is a list of mentions with "slot".

        Score and qualifiers may be missing or null.

        Args:
            data: the triple.
            path: of the triple within its row, for the error.

        Raises:
            FieldError: it is not an object, or a field is missing or of the wrong type.
        """
        if not isinstance(data, Mapping):
            raise FieldError(path or "triple", f'expected an object with "subject" and "object", got {kind(data)}')
        inside = f"{path}." if path else ""
        return cls(
            Mention.from_dict(data.get("subject"), f"{inside}subject"),
            string(data, "predicate", path),
            Mention.from_dict(data.get("object"), f"{inside}object"),
            _qualifiers(data.get("qualifiers"), f"{inside}qualifiers"),
            score(data, path),
        )

    def moved(self, by: int) -> "Triple":
        """Return the triple with all its offsets moved by a number of characters."""

        def move(mention: Mention) -> Mention:
            span = mention.span
            return mention if span is None else replace(mention, span=Span(span.start + by, span.end + by))

        qualifiers = {slot: move(mention) for slot, mention in self.qualifiers.items()}
        return replace(self, subject=move(self.subject), object=move(self.object), qualifiers=qualifiers)

    def check_offsets(self, text: str, path: str = "") -> None:
        """Check that the offsets of each mention give its text.

        Args:
            text: text that the offsets count in.
            path: of the triple within its row, for the error.

        Raises:
            FieldError: the offsets of a mention give another text.
        """
        qualifiers = {f"qualifiers.{slot}": mention for slot, mention in self.qualifiers.items()}
        for role, mention in {"subject": self.subject, "object": self.object, **qualifiers}.items():
            span = mention.span
            if span is not None and (span.end > len(text) or text[span.start : span.end] != mention.text):
                raise FieldError(
                    f"{path}.{role}" if path else role,
                    f"text[{span.start}:{span.end}] is {text[span.start : span.end]!r:.40}, not {mention.text!r:.40}; "
                    f"offsets are code points of the text, end excluded",
                )

    def slots(self) -> Iterator[tuple[str, Mention]]:
        """Yield the object under `@value`, then every qualifier under its own name."""
        yield VALUE_SLOT, self.object
        yield from self.qualifiers.items()


@dataclass(frozen=True, slots=True)
class Example:
    """A text and the triples it states.

    Args:
        text: in Unicode code points.
        triples: what the text is labelled with.
        annotated_predicates: the predicates whose labels are complete: where such a triple is not labelled, the text
            does not state it. Triples of other predicates may be missing from the labels; those that are labelled are
            true. None: the labels of all predicates are complete.
    """

    text: str
    triples: tuple[Triple, ...] = ()
    annotated_predicates: tuple[str, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: text, triples and, for partial labels, annotated_predicates."""
        partial = {} if self.annotated_predicates is None else {"annotated_predicates": list(self.annotated_predicates)}
        return {"text": self.text, "triples": [triple.to_dict() for triple in self.triples], **partial}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Example":
        """Read the JSON form. Offsets are taken as they are: whether they fit the text is not checked.

        Raises:
            FieldError: a field is missing or of the wrong type; the message has its path, such as
                "triples[2].object.text".
        """
        triples = tuple(Triple.from_dict(triple, path) for path, triple in items(data, "triples"))
        return cls(string(data, "text"), triples, names(data, "annotated_predicates"))

    def judged(self, predicted: Iterable[Triple]) -> list[Triple]:
        """Leave out predictions that are neither labelled nor of a predicate whose labels are complete.

        No label says whether these are right, so scores do not count them.
        """
        if self.annotated_predicates is None:
            return list(predicted)
        labelled = {(triple.subject.text, triple.predicate, triple.object.text) for triple in self.triples}
        return [
            triple
            for triple in predicted
            if triple.predicate in self.annotated_predicates
            or (triple.subject.text, triple.predicate, triple.object.text) in labelled
        ]


def _qualifiers(data: Any, path: str) -> dict[str, Mention]:
    """Read the further slots of an object: a mention by slot, or a list of mentions that have "slot" as well."""
    if data is None:
        return {}
    if isinstance(data, Mapping):
        return {slot: Mention.from_dict(value, f"{path}.{slot}") for slot, value in data.items() if value is not None}
    if isinstance(data, str):  # as a column of JSON in Parquet
        try:
            data = json.loads(data)
        except ValueError:
            raise FieldError(path, f"expected mentions by slot, got a string that is not JSON: {data!r:.40}") from None
        return _qualifiers(data, path)
    entries = items({path: data}, path, "mentions, or an object of mentions by slot")
    return {string(entry, "slot", place): Mention.from_dict(entry, place) for place, entry in entries}


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """One label of the model: subject type, predicate, object type and slot.

    Relations with the same four names are equal, whatever their rules.
    """

    subject_type: str
    predicate: str
    object_type: str
    slot: str = VALUE_SLOT
    rules: RelationRules = field(default=RelationRules(), compare=False, repr=False)

    @property
    def names(self) -> tuple[str, str, str, str]:
        """Return everything but the rules."""
        return self.subject_type, self.predicate, self.object_type, self.slot

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form that a model's config holds; it has rules only if there are any."""
        return {
            "subject_type": self.subject_type,
            "predicate": self.predicate,
            "object_type": self.object_type,
            "slot": self.slot,
            **({"rules": self.rules.to_dict()} if self.rules else {}),
        }


class Schema:
    """An ordered set of relations; a relation's index is its label in the model.

    Two relations may share a predicate (DuIE 1.0: 成立日期 of 机构 and of 企业). A qualifier slot belongs to the
    `@value` relations with its subject type and predicate.

    Args:
        relations: each a [`Relation`], a dictionary as in `from_list`, a tuple (subject type, predicate, object type),
            optionally with a slot, or the name of a predicate without types.

    Raises:
        TypeError: it is a string or a mapping, not a list of relations.
        ValueError: a relation is in none of these forms, there are no relations, a relation occurs twice, a qualifier
            slot lacks its `@value` relation, or rules do not fit the relation's types or slot.
    """

    def __init__(self, relations: Iterable[Relation | Mapping[str, Any] | Sequence[str]]) -> None:
        if isinstance(relations, str | Path | Mapping):
            raise TypeError(
                f"expected a list of relations, got {type(relations).__name__}; read a file by Schema.from_file(path)"
            )
        self.relations = tuple(relation for given in relations for relation in _as_relations(given))
        if not self.relations:
            raise ValueError("a schema needs at least one relation; pass a schema file, or data to infer it from")
        self._index = {relation.names: index for index, relation in enumerate(self.relations)}
        if len(self._index) != len(self.relations):
            twice = next(relation for relation in self.relations if self.relations.count(relation) > 1)
            raise ValueError(f"the schema lists {twice} twice; keep one of them")
        self._by_predicate: dict[tuple[str, str], list[int]] = {}
        for index, relation in enumerate(self.relations):
            self._by_predicate.setdefault((relation.predicate, relation.slot), []).append(index)
        for relation in self.relations:
            if relation.slot != VALUE_SLOT and not any(
                self.relations[index].subject_type == relation.subject_type
                for index in self._by_predicate.get((relation.predicate, VALUE_SLOT), ())
            ):
                raise ValueError(
                    f"{relation}: slot {relation.slot!r} has no {VALUE_SLOT!r} relation with the same subject type and "
                    f"predicate; add one"
                )
            self._check_rules(relation)

    def _check_rules(self, relation: Relation) -> None:
        rules = relation.rules
        if relation.slot != VALUE_SLOT and rules != rules.only("object_pattern", "object_format", "strip"):
            raise ValueError(
                f"{relation}: rules: a slot takes object_pattern, object_format and strip; rules of the subject or of "
                f"the whole triple belong to the {VALUE_SLOT!r} relation"
            )
        if rules.symmetric and relation.subject_type != relation.object_type:
            raise ValueError(
                f"{relation}: rules: symmetric=True: the subject type {relation.subject_type} is not the object type "
                f"{relation.object_type}; remove the rule, or use inverse"
            )
        if rules.inverse:
            exchanged = Relation(relation.object_type, rules.inverse, relation.subject_type)
            if exchanged.names not in self._index:
                raise ValueError(
                    f"{relation}: rules: inverse={rules.inverse!r}: {exchanged} is not in the schema; add it, or "
                    f"remove the rule"
                )

    def __len__(self) -> int:
        return len(self.relations)

    def __iter__(self) -> Iterator[Relation]:
        return iter(self.relations)

    @overload
    def __getitem__(self, index: int | str) -> Relation: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Relation, ...]: ...

    def __getitem__(self, index: int | str | slice) -> Relation | tuple[Relation, ...]:
        """Return the relation of a label, or of a predicate that has only one, see `find`."""
        return self.relations[self.find(index) if isinstance(index, str) else index]

    def __contains__(self, relation: object) -> bool:
        """Tell whether the schema has a relation, or a predicate of this name."""
        return relation in (self.predicates if isinstance(relation, str) else self.relations)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self.relations == other.relations

    def __hash__(self) -> int:
        return hash(self.relations)

    def __repr__(self) -> str:
        return f"Schema({len(self)} relations, {len(self.predicates)} predicates)"

    @property
    def predicates(self) -> tuple[str, ...]:
        """Names of the predicates, each once."""
        return tuple(dict.fromkeys(relation.predicate for relation in self.relations))

    def find(self, predicate: str, subject_type: str = "", object_type: str = "", slot: str = VALUE_SLOT) -> int:
        """Return the index of the relation with these names; an empty type matches any type if one relation fits.

        Raises:
            KeyError: no relation fits, or several do.
        """
        exact = self._index.get((subject_type, predicate, object_type, slot))
        if exact is not None:
            return exact
        fits = [
            index
            for index in self._by_predicate.get((predicate, slot), ())
            if subject_type in ("", self.relations[index].subject_type)
            and object_type in ("", self.relations[index].object_type)
        ]
        if len(fits) == 1:
            return fits[0]
        asked = f"({subject_type or 'any'}, {predicate}, {object_type or 'any'}, {slot})"
        if fits:
            raise KeyError(f"{asked} fits {len(fits)} relations of the schema; give the subject and object type")
        known = self._by_predicate.get((predicate, slot), [])
        if known:
            raise KeyError(f"{asked} is not in the schema, which has {[self.relations[index] for index in known]}")
        near = get_close_matches(predicate, self.predicates, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise KeyError(f"{asked} is not in the schema of {len(self)} relations{hint}")

    @property
    def labels(self) -> tuple[str, ...]:
        """One name for each relation: "predicate" or "predicate.slot", with its types where that is not unique."""
        short = [r.predicate if r.slot == VALUE_SLOT else f"{r.predicate}.{r.slot}" for r in self.relations]
        return tuple(
            name if short.count(name) == 1 else f"{name} ({relation.subject_type} → {relation.object_type})"
            for name, relation in zip(short, self.relations, strict=True)
        )

    @property
    def has_rules(self) -> bool:
        """Whether any relation has rules."""
        return any(relation.rules for relation in self.relations)

    def with_rules_of(self, other: "Schema") -> "Schema":
        """Return the same relations, in the same order, with the rules of another schema.

        Raises:
            ValueError: the other schema has other relations.
        """
        ours, theirs = set(self.relations), set(other.relations)
        if ours != theirs:
            wrong = {"lacks": sorted(ours - theirs), "also has": sorted(theirs - ours)}
            lists = "; ".join(f"{verb} {len(some)}: {some[0]}, …" for verb, some in wrong.items() if some)
            raise ValueError(f"expected a schema with the same {len(ours)} relations; the other schema {lists}")
        return Schema(replace(relation, rules=other[other._index[relation.names]].rules) for relation in self)

    def to_list(self) -> list[dict[str, Any]]:
        """Return the relations in their JSON form, in label order."""
        return [relation.to_dict() for relation in self.relations]

    @classmethod
    def from_list(cls, data: Iterable[Mapping[str, Any]]) -> "Schema":
        """Read relations from dictionaries: our own form, or DuIE's, where `object_type` may name several slots.

        Raises:
            ValueError: an entry lacks a field or has one of the wrong type.
        """
        return cls(relation for entry in data for relation in _relations(entry))

    @classmethod
    def from_file(cls, path: str | Path) -> "Schema":
        """Read a schema file: DuIE 1.0 `all_50_schemas`, DuIE 2.0 `schema.json`, or a JSON list of relations.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is not UTF-8, or an entry is not a JSON object or lacks a field; the message names file
                and line.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8 ({error}); save it as UTF-8") from None
        # A JSON list is one part, otherwise each line. Not splitlines(), which also splits at characters that JSON
        # strings may contain.
        whole = text.lstrip().startswith("[")
        lines = {f"{path}:{number}": line for number, line in enumerate(text.split("\n"), 1) if line.strip()}
        relations: list[Relation] = []
        for place, part in ({str(path): text} if whole else lines).items():
            try:
                for entry in json.loads(part) if whole else [json.loads(part)]:
                    relations.extend(_relations(entry))
            except json.JSONDecodeError as error:
                raise ValueError(f"{place}: not JSON ({error}); expected one object a line, {_ENTRY_FORMS}") from None
            except ValueError as error:
                raise ValueError(f"{place}: {error}") from None
        try:
            return cls(relations)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    @classmethod
    def infer(cls, examples: Iterable[Example | Mapping[str, Any]]) -> "Schema":
        """Collect the relations that labelled texts use, sorted so that the order of the data does not matter.

        Args:
            examples: labelled texts, or rows of a `datasets.Dataset` or of JSON lines, with "triples" in our form or
                "spo_list" in DuIE's.

        Raises:
            ValueError: a row has neither, or no text has any triple.
        """
        found = list({relation for example in examples for relation in _stated_relations(example)})
        found.sort(key=lambda r: (r.predicate, r.subject_type, r.slot != VALUE_SLOT, r.slot, r.object_type))
        return cls(found)

    @classmethod
    def of(cls, relations: "Schema | Iterable[Relation | Mapping[str, Any] | Sequence[str]]") -> "Schema":
        """Return a schema as it is, or make one of relations."""
        return relations if isinstance(relations, Schema) else cls(relations)


def _as_relations(relation: Any) -> Iterable[Relation]:
    """Read a relation in any form that [`Schema`] takes; a dictionary may have several."""
    if isinstance(relation, Relation):
        return [relation]
    names = ("", relation, "") if isinstance(relation, str) else relation
    if isinstance(names, tuple | list) and len(names) in (3, 4):
        names = dict(zip(("subject_type", "predicate", "object_type", "slot"), names, strict=False))
    return _relations(names)


def _stated_relations(example: Example | Mapping[str, Any]) -> Iterator[Relation]:
    """Yield the relation of each slot of each labelled triple."""
    if isinstance(example, Mapping) and example.get("spo_list") is not None:
        for spo in example["spo_list"]:
            types, values = (_by_slot(spo[name]) for name in ("object_type", "object"))
            for slot in values:
                yield Relation(spo.get("subject_type") or "", spo["predicate"], types.get(slot) or "", slot)
        return
    if isinstance(example, Mapping) and "triples" in example:
        example = Example.from_dict(example)
    if not isinstance(example, Example):
        fields = f"a row with the fields {', '.join(example)}" if isinstance(example, Mapping) else repr(example)
        raise ValueError(f'expected labelled texts, each with "triples" or "spo_list", got {fields:.200}')
    for triple in example.triples:
        for slot, mention in triple.slots():
            yield Relation(triple.subject.type, triple.predicate, mention.type, slot)


def _by_slot(value: Any) -> Mapping[str, Any]:
    """Return DuIE's object or object type by slot; slots without a value are left out."""
    slots = value if isinstance(value, Mapping) else {VALUE_SLOT: value}
    return {slot: part for slot, part in slots.items() if part}


_ENTRY_FORMS = (
    '{"subject_type": "…", "predicate": "…", "object_type": "…"} '
    'or, with several slots, "object_type": {"@value": "…", "inWork": "…"}'
)


def _relations(entry: Any) -> Iterator[Relation]:
    """Yield the relations of one schema entry, `@value` first, so that a relation precedes its qualifiers.

    Raises:
        ValueError: the entry is not an object, lacks a field or has one of the wrong type.
    """
    if not isinstance(entry, Mapping):
        raise ValueError(f"schema entry {entry!r:.80} is of type {type(entry).__name__}; expected {_ENTRY_FORMS}")
    for name in ("subject_type", "predicate", "object_type"):
        if name not in entry:
            raise ValueError(f'schema entry {dict(entry)} has no "{name}"; expected {_ENTRY_FORMS}')
    objects = entry["object_type"]
    slots = objects if isinstance(objects, Mapping) else {entry.get("slot", VALUE_SLOT): objects}
    names = [entry["subject_type"], entry["predicate"], *slots, *slots.values()]
    if not slots or not all(isinstance(name, str) for name in names):
        raise ValueError(f"schema entry {dict(entry)} has a field that is not a string; expected {_ENTRY_FORMS}")
    rules = _rules(entry.get("rules", {}), list(slots))
    for slot in sorted(slots, key=lambda name: (name != VALUE_SLOT, name)):
        yield Relation(entry["subject_type"], entry["predicate"], slots[slot], slot, rules.get(slot, RelationRules()))


def _rules(data: Any, slots: list[str]) -> dict[str, RelationRules]:
    """Read an entry's rules by slot: those of its only slot or of `@value`, and under "slots" those of the others."""
    own = slots[0] if len(slots) == 1 else VALUE_SLOT
    others = data.get("slots", {}) if isinstance(data, Mapping) else None
    if not isinstance(others, Mapping) or not all(isinstance(rules, Mapping) for rules in others.values()):
        raise ValueError(f'rules: {data!r:.80}: expected an object, such as {{"max_objects": 1, "strip": ["《》"]}}')
    its_own = {name: value for name, value in data.items() if name != "slots"}
    given = {**({own: its_own} if its_own else {}), **others}
    for slot in given:
        if slot not in slots:
            raise ValueError(f"rules: slot {slot!r}: the entry has {', '.join(slots)}")
    return {slot: RelationRules.from_dict(rules) for slot, rules in given.items()}
