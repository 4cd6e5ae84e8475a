"""Triples in rows of text, as the page shows them: nothing in them is markup, nothing turns text about."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..support.safe_text import printable_line
from .strings import Language, say

_TRIPLE = ("subject", "subject_type", "predicate", "object", "object_type", "qualifiers", "score", "offsets")
_PREVIEW = ("document", "subject", "predicate", "object", "qualifiers", "score")


def triples_table(triples: Iterable[Mapping[str, Any]], language: Language) -> dict[str, Any]:
    """Return triples, in the JSON form of [`Triple.to_dict`], as headers and rows."""
    return _table(_TRIPLE, map(_cells, triples), language)


def preview_table(rows: Sequence[tuple[str, Mapping[str, Any]]], language: Language) -> dict[str, Any]:
    """Return triples and the names of their documents as headers and rows."""
    return _table(_PREVIEW, ({"document": name, **_cells(triple)} for name, triple in rows), language)


def _table(columns: Sequence[str], rows: Iterable[Mapping[str, str]], language: Language) -> dict[str, Any]:
    return {
        "headers": [say(language, f"column_{column}") for column in columns],
        "data": [[printable_line(row[column]) for column in columns] for row in rows],
    }


def _cells(triple: Mapping[str, Any]) -> dict[str, str]:
    subject, value = triple["subject"], triple["object"]
    return {
        "subject": subject["text"],
        "subject_type": subject["type"],
        "predicate": triple["predicate"],
        "object": value["text"],
        "object_type": value["type"],
        "qualifiers": "; ".join(f"{slot}: {mention['text']}" for slot, mention in triple["qualifiers"].items()),
        "score": f"{triple['score']:.2f}",
        "offsets": f"{subject['start']}–{subject['end']}, {value['start']}–{value['end']}",
    }
