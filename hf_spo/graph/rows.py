"""Rows of extracted triples: what `hf-spo extract` writes, in its JSON form, with every field checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ..model.schema import Mention, Span, Triple


@dataclass(frozen=True, slots=True)
class Row:
    """A document, or a piece of one, and the triples found in it.

    Args:
        document: what it is called.
        triples: names are not empty, scores finite, offsets those of the text.
        text: of the document, if the row has it.
        model: that found the triples, with its revision, if the row says so.
    """

    document: str
    triples: tuple[Triple, ...]
    text: str | None = None
    model: str = ""


def row_of(data: Mapping[str, Any], name: str = "") -> Row:
    """Read a row of either kind: a document with "triples", or one triple with "subject", "predicate" and "object".

    Args:
        data: its JSON form.
        name: of the document, if the row has no "id".

    Raises:
        ValueError: it is no such row, or a field is missing or of the wrong type, or offsets do not match the text.
    """
    text = data.get("text")
    if text is not None and not isinstance(text, str):
        raise ValueError(f"text: expected a string, got {_kind(text)}")
    return Row(_document(data.get("id"), name), _triples(data, text), text, _model(data))


def _triples(data: Mapping[str, Any], text: str | None) -> tuple[Triple, ...]:
    if "triples" not in data:
        if "subject" in data and "predicate" in data:
            return (_triple(data, "", text),)
        hint = "; convert it with `hf-spo convert` first" if "spo_list" in data else ""
        raise ValueError(f'expected "triples", or "subject", "predicate" and "object", got {sorted(data)}{hint}')
    if not isinstance(data["triples"], list):
        raise ValueError(f"triples: expected a list, got {_kind(data['triples'])}")
    return tuple(_triple(entry, f"triples[{index}]", text) for index, entry in enumerate(data["triples"]))


def _document(value: Any, name: str) -> str:
    if value is None:
        value = name
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"id: expected a string or a whole number, got {_kind(value)}")
    return str(value)


def _model(data: Mapping[str, Any]) -> str:
    parts = [data.get(name) for name in ("model", "revision")]
    for part in parts:
        if part is not None and not isinstance(part, str):
            raise ValueError(f"model, revision: expected strings, got {_kind(part)}")
    return "@".join(part for part in parts if part)


def _triple(entry: Any, path: str, text: str | None) -> Triple:
    if not isinstance(entry, Mapping):
        raise ValueError(f"{path}: expected an object, got {_kind(entry)}")
    path = f"{path}." if path else ""
    qualifiers = entry.get("qualifiers") or {}
    if not isinstance(qualifiers, Mapping):
        raise ValueError(f"{path}qualifiers: expected an object of mentions by slot, got {_kind(qualifiers)}")
    return Triple(
        _mention(entry.get("subject"), f"{path}subject", text),
        _name(entry.get("predicate"), f"{path}predicate"),
        _mention(entry.get("object"), f"{path}object", text),
        {
            _name(slot, f"{path}qualifiers"): _mention(value, f"{path}qualifiers.{slot}", text)
            for slot, value in qualifiers.items()
        },
        _score(entry.get("score"), path),
    )


def _score(value: Any, path: str) -> float | None:
    if value is None:
        return None
    try:
        if not isinstance(value, bool) and isfinite(value):
            return float(value)
    except (TypeError, OverflowError):
        pass
    raise ValueError(f"{path}score: expected a number, got {value!r:.40}")


def _mention(value: Any, path: str, text: str | None) -> Mention:
    if not isinstance(value, Mapping):
        raise ValueError(f'{path}: expected a mention such as {{"text": …, "start": …, "end": …}}, got {_kind(value)}')
    type_ = value.get("type")
    if type_ is not None and not isinstance(type_, str):
        raise ValueError(f"{path}.type: expected a string, got {_kind(type_)}")
    return Mention(_name(value.get("text"), f"{path}.text"), _span(value, path, text), type_ or "")


def _span(value: Mapping[str, Any], path: str, text: str | None) -> Span | None:
    start, end = value.get("start"), value.get("end")
    if start is None and end is None:
        return None
    if type(start) is not int or type(end) is not int or not 0 <= start <= end:
        raise ValueError(f"{path}: expected whole numbers, 0 <= start <= end, or neither; got {start!r} and {end!r}")
    if text is not None and text[start:end] != value["text"]:
        raise ValueError(
            f"{path}: text[{start}:{end}] is {text[start:end]!r:.40}, not {value['text']!r:.40}; offsets are code "
            f"points, end excluded"
        )
    return Span(start, end)


def _name(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{path}: expected some text, got {value!r:.40}")
    return value


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__
