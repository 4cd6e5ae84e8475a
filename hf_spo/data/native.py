"""Our own rows: what `Example.to_dict` writes and the command line prints, `triples` with offsets."""

from collections.abc import Mapping
from typing import Any

from ..schema import Example, Mention, Span, Triple
from .fields import FieldError, items, kind, string


def example_from_native(row: Mapping[str, Any]) -> Example:
    """Read one row of our own format. Offsets, type, qualifiers and score may be missing.

    Raises:
        FieldError: a field is missing or of the wrong type, or offsets do not match the text.
    """
    text = string(row, "text")
    return Example(text, tuple(_triple(entry, path, text) for path, entry in items(row, "triples")))


def _triple(entry: Mapping[str, Any], path: str, text: str) -> Triple:
    score = entry.get("score")
    if score is not None and (isinstance(score, bool) or not isinstance(score, int | float)):
        raise FieldError(f"{path}.score", f"expected a number, got {kind(score)}")
    qualifiers = entry.get("qualifiers")
    if qualifiers is None:
        qualifiers = {}
    if not isinstance(qualifiers, Mapping):
        raise FieldError(f"{path}.qualifiers", f"expected an object of mentions by slot, got {kind(qualifiers)}")
    return Triple(
        _mention(entry.get("subject"), f"{path}.subject", text),
        string(entry, "predicate", path),
        _mention(entry.get("object"), f"{path}.object", text),
        {slot: _mention(value, f"{path}.qualifiers.{slot}", text) for slot, value in qualifiers.items()},
        score,
    )


def _mention(value: Any, path: str, text: str) -> Mention:
    if not isinstance(value, Mapping):
        raise FieldError(path, f'expected a mention such as {{"text": …, "start": …, "end": …}}, got {kind(value)}')
    words = string(value, "text", path)
    type_ = "" if value.get("type") is None else string(value, "type", path)
    if value.get("start") is None and value.get("end") is None:
        return Mention(words, None, type_)
    start, end = _offset(value, "start", path), _offset(value, "end", path)
    if not 0 <= start <= end <= len(text) or text[start:end] != words:
        found = repr(text[start:end]) if 0 <= start <= end <= len(text) else "outside the text"
        raise FieldError(path, f"text[{start}:{end}] is {found}, not {words!r}; offsets are code points, end excluded")
    return Mention(words, Span(start, end), type_)


def _offset(mention: Mapping[str, Any], name: str, path: str) -> int:
    value = mention.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldError(f"{path}.{name}", f"expected a whole number, got {kind(value)}; give both offsets or none")
    return value
