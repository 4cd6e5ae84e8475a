"""Rules that a schema may declare for a relation; decoded triples are made to follow them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from .patterns import check_pattern
from .value_formats import ObjectFormat


def _check_pattern(name: str, pattern: object) -> None:
    if not isinstance(pattern, str):
        raise _wrong(name, pattern, "a regular expression")
    try:
        check_pattern(pattern)
    except ValueError as error:
        raise ValueError(f"rules: {name}={pattern!r:.200} {error}") from None


def _wrong(name: str, value: object, expected: str) -> ValueError:
    return ValueError(f"rules: {name}={value!r}: expected {expected}")


@dataclass(frozen=True, slots=True)
class RelationRules:
    """Rules for the triples of a relation, see [`apply_rules`]; by default there are none.

    Args:
        symmetric: each triple also holds with subject and object exchanged.
        inverse: predicate by which each triple also holds with subject and object exchanged; declare it at both
            predicates for both directions.
        max_objects: largest number of different objects of a subject.
        subject_pattern, object_pattern: regular expressions that match the whole mention, in Python's syntax; a match
            may take a second, see `model/patterns.py`.
        object_format: kind of value of the object.
        strip: marks that do not belong to the border of a mention: single characters, and pairs such as "《》".

    Raises:
        ValueError: a value is of the wrong type, or is not a regular expression, format or mark.
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
        """Return whether there are any rules."""
        return any(getattr(self, field.name) != field.default for field in fields(self))

    def only(self, *kinds: str) -> "RelationRules":
        """Return only the rules of these kinds, which are names of fields."""
        return RelationRules(**{kind: getattr(self, kind) for kind in kinds})

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, with only the declared rules."""
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
                hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(RULE_KINDS)}"
                raise ValueError(f"rules: unknown key {key!r}; {hint}")
        given = dict(data)
        if isinstance(given.get("strip"), list):
            given["strip"] = tuple(given["strip"])
        return cls(**given)


RULE_KINDS = tuple(field.name for field in fields(RelationRules))
"""Names of all kinds of rules."""

_NONE = RelationRules()
