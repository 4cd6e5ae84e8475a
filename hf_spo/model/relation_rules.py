"""What a schema may declare of a relation beside its names, for decoded triples to be held to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from .value_formats import ObjectFormat


def _check_pattern(name: str, pattern: object) -> None:
    if not isinstance(pattern, str):
        raise _wrong(name, pattern, "a regular expression")
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"rules: {name}={pattern!r} is no regular expression: {error}") from None


def _wrong(name: str, value: object, expected: str) -> ValueError:
    return ValueError(f"rules: {name}={value!r}: expected {expected}")


@dataclass(frozen=True, slots=True)
class RelationRules:
    """What is known of a relation's triples, see [`apply_rules`]. The default says nothing.

    Args:
        symmetric: each triple holds with subject and object exchanged, too.
        inverse: predicate of which each triple, exchanged, is one as well; declare it at both to have it both ways.
        max_objects: a subject has no more different objects than this.
        subject_pattern, object_pattern: regular expressions that the whole mention matches.
        object_format: kind of value that the object is.
        strip: marks that do not belong at a mention's border: single characters, and pairs such as "《》".

    Raises:
        ValueError: a value is of the wrong type, or is no regular expression, format or mark.
    """

    symmetric: bool = False
    inverse: str = ""
    max_objects: int | None = None
    subject_pattern: str = ""
    object_pattern: str = ""
    object_format: ObjectFormat | None = None
    strip: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.symmetric, bool):
            raise _wrong("symmetric", self.symmetric, "true or false")
        if not isinstance(self.inverse, str):
            raise _wrong("inverse", self.inverse, "the name of a predicate")
        if self.max_objects is not None and (type(self.max_objects) is not int or self.max_objects < 1):
            raise _wrong("max_objects", self.max_objects, "a whole number of at least 1")
        for name in ("subject_pattern", "object_pattern"):
            _check_pattern(name, getattr(self, name))
        if self.object_format is not None and self.object_format not in list(ObjectFormat):
            raise _wrong("object_format", self.object_format, f"one of {', '.join(ObjectFormat)}")
        marks = self.strip
        if not isinstance(marks, tuple) or not all(isinstance(mark, str) and len(mark) in (1, 2) for mark in marks):
            raise _wrong("strip", marks, 'a list of single characters and pairs, such as ["《》", "·"]')

    def __bool__(self) -> bool:
        """Tell whether anything is declared."""
        return any(getattr(self, field.name) != field.default for field in fields(self))

    def only(self, *kinds: str) -> "RelationRules":
        """Return the rules of these kinds alone, named as the fields are."""
        return RelationRules(**{kind: getattr(self, kind) for kind in kinds})

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: what is declared and no more."""
        declared = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: list(value) if name == "strip" else value
            for name, value in declared.items()
            if value != getattr(_NONE, name)
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "RelationRules":
        """Read the JSON form.

        Raises:
            ValueError: a key is unknown or a value wrong.
        """
        for key in data:
            if key not in RULE_KINDS:
                near = get_close_matches(str(key), RULE_KINDS, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(RULE_KINDS)}"
                raise ValueError(f"rules: unknown key {key!r}; {hint}")
        given = dict(data)
        if isinstance(given.get("strip"), list):
            given["strip"] = tuple(given["strip"])
        return cls(**given)


RULE_KINDS = tuple(field.name for field in fields(RelationRules))
"""The kinds of rules there are."""

_NONE = RelationRules()
