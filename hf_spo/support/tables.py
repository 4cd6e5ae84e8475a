"""Documents and triples as tables: the columns of Parquet files, Arrow tables and data frames.

A row has a document with its triples nested, as the pipeline returns them, or one triple. Qualifiers are a list of
mentions with their slots, since a column has one type; in JSON they are an object by slot. [`Triple.from_dict`] reads
both. A lone surrogate, which has no UTF-8, becomes U+FFFD, so that offsets stay right.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from .safe_text import encodable

MENTION = pa.struct([("text", pa.string()), ("start", pa.int64()), ("end", pa.int64()), ("type", pa.string())])
"""A mention; start and end are null where the data gives no offsets."""

QUALIFIERS = pa.list_(pa.struct([("slot", pa.string()), *MENTION]))
"""The further slots of an object."""

NESTED_TRIPLE = pa.schema(
    [
        ("score", pa.float64()),
        ("subject", MENTION),
        ("predicate", pa.string()),
        ("object", MENTION),
        ("qualifiers", QUALIFIERS),
    ]
)
"""Fields of a triple in a document's row."""

DOCUMENT = pa.schema([("id", pa.string()), ("text", pa.string()), ("triples", pa.list_(pa.struct(NESTED_TRIPLE)))])
"""Columns of a table with a row for each document."""

_PARTS = (("", "text", pa.string()), ("_start", "start", pa.int64()), ("_end", "end", pa.int64()))
_MENTION_PARTS = (*_PARTS, ("_type", "type", pa.string()))
TRIPLE = pa.schema(
    [
        ("id", pa.string()),
        *((f"subject{suffix}", kind) for suffix, _, kind in _MENTION_PARTS),
        ("predicate", pa.string()),
        *((f"object{suffix}", kind) for suffix, _, kind in _MENTION_PARTS),
        ("qualifiers", QUALIFIERS),
        ("score", pa.float64()),
    ]
)
"""Columns of a table with a row for each triple; `id` is its document's."""


def document_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document in its JSON form (`text`, `triples`, and what else it has) as a row of [`DOCUMENT`]."""
    return {**row, "triples": [{**triple, "qualifiers": _list(triple)} for triple in row["triples"]]}


def triple_row(triple: Mapping[str, Any], document: str | None = None) -> dict[str, Any]:
    """Return a triple in its JSON form as a row of [`TRIPLE`]."""
    return {
        "id": document,
        **{f"subject{suffix}": triple["subject"].get(name) for suffix, name, _ in _MENTION_PARTS},
        "predicate": triple["predicate"],
        **{f"object{suffix}": triple["object"].get(name) for suffix, name, _ in _MENTION_PARTS},
        "qualifiers": _list(triple),
        "score": triple.get("score"),
    }


def triple_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of [`TRIPLE`] with its mentions nested, for [`Triple.from_dict`]; the document's id is left out."""
    mentions = {
        role: {name: row[f"{role}{suffix}"] for suffix, name, _ in _MENTION_PARTS} for role in ("subject", "object")
    }
    return {"predicate": row["predicate"], **mentions, "qualifiers": row["qualifiers"], "score": row["score"]}


def triple_table(triples: Iterable[Mapping[str, Any]], document: str | None = None) -> pa.Table:
    """Return triples in their JSON form as an Arrow table with the columns of [`TRIPLE`]."""
    return table([triple_row(triple, document) for triple in triples], TRIPLE)


def table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return rows as an Arrow table; columns that a row lacks are null."""
    try:
        return pa.Table.from_pylist(rows, schema)
    except UnicodeEncodeError:
        return pa.Table.from_pylist([_writable(row) for row in rows], schema)


def _list(triple: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"slot": slot, **mention} for slot, mention in (triple.get("qualifiers") or {}).items()]


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, Mapping):
        return {_writable(name): _writable(part) for name, part in value.items()}
    return [_writable(part) for part in value] if isinstance(value, list | tuple) else value
