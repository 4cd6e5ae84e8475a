"""Documents and triples as tables: the columns of Parquet files, of Arrow tables and of data frames.

A row a document keeps its triples nested, as the pipeline returns them; a row a triple is flat. Qualifiers, in JSON an
object by slot, are a list in both, since a column has one type. A lone surrogate, which has no UTF-8, becomes U+FFFD:
offsets stay right.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from .safe_text import encodable

MENTION = pa.struct([("text", pa.string()), ("start", pa.int64()), ("end", pa.int64()), ("type", pa.string())])
"""A mention; start and end are null where the data gives no offsets."""

QUALIFIERS = pa.list_(pa.struct([("slot", pa.string()), *MENTION]))
"""The further slots of an object."""

_NESTED = pa.struct(
    [
        ("score", pa.float64()),
        ("subject", MENTION),
        ("predicate", pa.string()),
        ("object", MENTION),
        ("qualifiers", QUALIFIERS),
    ]
)
DOCUMENT = pa.schema([("id", pa.string()), ("text", pa.string()), ("triples", pa.list_(_NESTED))])
"""Columns of a row a document."""

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
"""Columns of a row a triple; `id` is its document's."""


def document_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document in its JSON form (`text`, `triples`, and what else it has) as a row of [`DOCUMENT`]."""
    return {**row, "triples": [{**triple, "qualifiers": _list(triple)} for triple in row["triples"]]}


def document_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON form of a row of [`DOCUMENT`]; null columns are left out of triples and mentions."""
    return {**row, "triples": [_triple(triple) for triple in row["triples"] or ()]}


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
    """Return the JSON form of a row of [`TRIPLE`], without the document's id."""
    nested = {"score": row["score"], "predicate": row["predicate"], "qualifiers": row["qualifiers"]}
    for role in ("subject", "object"):
        nested[role] = {name: row[f"{role}{suffix}"] for suffix, name, _ in _MENTION_PARTS}
    return _triple(nested)


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


def _triple(nested: Mapping[str, Any]) -> dict[str, Any]:
    qualifiers = {entry["slot"]: _mention(entry) for entry in nested["qualifiers"] or ()}
    score = {} if nested["score"] is None else {"score": nested["score"]}
    return {
        **score,
        "subject": _mention(nested["subject"]),
        "predicate": nested["predicate"],
        "object": _mention(nested["object"]),
        "qualifiers": qualifiers,
    }


def _mention(mention: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: mention[name] for name in ("text", "start", "end") if mention[name] is not None}
    return {**known, "type": mention["type"] or ""}


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, Mapping):
        return {_writable(name): _writable(part) for name, part in value.items()}
    return [_writable(part) for part in value] if isinstance(value, list | tuple) else value
