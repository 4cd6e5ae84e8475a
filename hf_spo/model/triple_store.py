"""Known triples: the distant-supervision prior of kexue.fm/archives/6671."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from .schema import VALUE_SLOT, Example, Schema, Span

_SURROGATE = re.compile("[\ud800-\udfff]")

StatedTriples = frozenset[tuple[str, int, str]]
"""Labelled triples of a text: subject, relation and object, one for each slot."""


class TripleStore:
    """Known triples, to be looked up in texts.

    Each triple is kept with the number of different texts that state it, 0 for one from another source. In training, a
    triple that only the sentence itself states is left out, or the model would learn to copy the store.

    Args:
        schema: the relations of the triples.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._texts: dict[str, dict[str, dict[int, int]]] = {}
        self._automaton: Any = None

    def __len__(self) -> int:
        return sum(len(relations) for objects in self._texts.values() for relations in objects.values())

    def add(self, subject: str, relation: int, value: str, texts: int = 0) -> None:
        """Add a triple that is stated by this number of texts; 0: by another source."""
        if subject and value:
            relations = self._texts.setdefault(subject, {}).setdefault(value, {})
            relations[relation] = relations.get(relation, 0) + texts
            self._automaton = None

    @classmethod
    def from_examples(cls, examples: Iterable[Example], schema: Schema) -> "TripleStore":
        """Collect the triples of labelled texts; in cross-validation, pass only the training part."""
        stated: dict[tuple[str, int, str], set[str]] = {}
        for example in examples:
            for key in stated_triples(example, schema):
                stated.setdefault(key, set()).add(example.text)
        store = cls(schema)
        for key, texts in stated.items():
            store.add(*key, texts=len(texts))
        return store

    @classmethod
    def from_file(cls, path: str | Path, schema: Schema) -> "TripleStore":
        """Read triples: TSV with subject, predicate, object and, optionally, their types, or JSONL.

        A JSON line has "subject", "predicate" and "object", each a string or, the first and last, an object with "text"
        and "type" as in our triples; and optionally "subject_type", "object_type", "slot" and "texts".

        Raises:
            ValueError: a line is wrong, or its relation is not in the schema; the message names file and line.
            FileNotFoundError: there is no such file.
        """
        path = Path(path)
        parse = _from_json if path.suffix in (".jsonl", ".json") else _from_tsv
        store = cls(schema)
        with path.open("rb") as lines:
            for number, raw in enumerate(lines, 1):
                try:
                    line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                    if line.strip():
                        subject, relation, value, texts = parse(line, schema)
                        store.add(subject, relation, value, texts)
                except (ValueError, KeyError) as error:
                    problem = error.args[0] if isinstance(error, KeyError) else error
                    raise ValueError(f"{path}:{number}: {problem}; correct or delete the line") from None
        return store

    @classmethod
    def union(cls, stores: Iterable["TripleStore"]) -> "TripleStore":
        """Merge stores of one schema, for look-up only: a text that several stores have seen counts several times.

        Raises:
            ValueError: there are no stores.
        """
        merged: TripleStore | None = None
        for store in stores:
            merged = merged or cls(store.schema)
            for subject, objects in store._texts.items():
                for value, relations in objects.items():
                    for relation, texts in relations.items():
                        merged.add(subject, relation, value, texts)
        if merged is None:
            raise ValueError("expected at least one triple store, got none")
        return merged

    def save(self, path: Path) -> None:
        """Write JSON lines that `from_file` reads."""
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for subject, objects in self._texts.items():
                for value, relations in objects.items():
                    for relation, texts in relations.items():
                        row = {"subject": subject, "object": value, **self.schema[relation].to_dict(), "texts": texts}
                        line = json.dumps(row, ensure_ascii=False)
                        # A lone surrogate cannot be encoded as UTF-8.
                        file.write(_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", line) + "\n")

    def candidates(self, text: str, stated: Sequence[StatedTriples] = ()) -> list[tuple[Span, Span, int]]:
        """Find known triples whose subject and object both occur in a text: their first occurrences, and the relation.

        Args:
            text: to search.
            stated: in training, the labelled triples of the text, or of each text that it is joined of. They count only
                if a further text states them as well. A text made by swapping entities counts as the text that the
                entities come from.
        """
        places = self._places(text)
        found = []
        for subject, span in places.items():
            objects = self._texts.get(subject, {})
            for value in objects.keys() & places.keys():
                for relation, texts in objects[value].items():
                    own = sum((subject, relation, value) in part for part in stated)
                    if texts == 0 or texts > own:
                        found.append((span, places[value], relation))
        return sorted(found)

    def _places(self, text: str) -> dict[str, Span]:
        if self._automaton is None:
            self._automaton = self._build()
        places: dict[str, Span] = {}
        if len(self._automaton):
            for last, word in self._automaton.iter(text):
                places.setdefault(word, Span(last + 1 - len(word), last + 1))
        return places

    def _build(self) -> Any:
        automaton = _ahocorasick().Automaton()
        for subject, objects in self._texts.items():
            for word in (subject, *objects):
                automaton.add_word(word, word)
        automaton.make_automaton()
        return automaton

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_automaton": None}  # built again in the other process


def stated_triples(example: Example, schema: Schema) -> StatedTriples:
    """Return the labelled triples of an example, one for each slot: subject, relation, object."""
    return frozenset(
        (
            triple.subject.text,
            schema.find(triple.predicate, triple.subject.type, mention.type, slot),
            mention.text,
        )
        for triple in example.triples
        for slot, mention in triple.slots()
    )


def _from_tsv(line: str, schema: Schema) -> tuple[str, int, str, int]:
    cells = line.split("\t")
    if len(cells) not in (3, 5) or not all(cells[:3]):
        raise ValueError(
            f"got {len(cells)} columns, expected subject, predicate and object, optionally with the types of subject "
            f"and object, separated by tabs, the first three not empty"
        )
    subject, predicate, value, *types = cells
    return subject, schema.find(predicate, *types), value, 0


def _from_json(line: str, schema: Schema) -> tuple[str, int, str, int]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error}); expected one object a line") from None
    if not isinstance(row, dict):
        raise ValueError(f"expected a JSON object, got {type(row).__name__}")
    subject, subject_type = _text_and_type(row, "subject")
    value, object_type = _text_and_type(row, "object")
    texts = row.get("texts", 0)
    if not isinstance(texts, int) or texts < 0:
        raise ValueError(f'"texts": expected a whole number, got {texts!r}')
    slot = str(row.get("slot", VALUE_SLOT))
    return subject, schema.find(_string(row, "predicate"), subject_type, object_type, slot), value, texts


def _text_and_type(row: Mapping[str, Any], name: str) -> tuple[str, str]:
    value = row.get(name)
    if isinstance(value, dict):
        return _string(value, "text"), str(value.get("type", ""))
    return _string(row, name), str(row.get(f"{name}_type", ""))


def _string(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f'"{name}": expected some text, got {value!r}')
    return value


@cache
def _ahocorasick() -> Any:
    try:
        return import_module("ahocorasick")
    except ImportError:
        raise ImportError("looking up known triples needs pyahocorasick: pip install 'hf-spo[prior]'") from None
