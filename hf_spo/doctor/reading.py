"""Labelled texts as they are, wrong offsets included, for the doctor to explain."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..data.formats.base import Account, OnBadLine
from ..data.formats.registry import detect, find_format
from ..data.formats.rows import parsed_rows
from ..data.formats.shapes import SHAPED, record_from_row
from ..data.reading import example_from_row, log_losses, read_examples
from ..model.fields import FieldError
from ..model.schema import Example, Mention, Span, Triple


def read_as_it_is(
    path: str | Path,
    on_bad_line: OnBadLine | None = None,
    format: str | None = None,  # noqa: A002  # what everybody calls it
) -> Iterator[Example]:
    """Read labelled texts as [`read_examples`] does, but pass offsets of our own rows that do not cut their mention.

    Raises:
        DataFormatError: a line is wrong in another way, and `on_bad_line` is None.
        FileNotFoundError: there is no such file.
    """
    path, account = Path(path), Account(on_bad_line)
    found = find_format(format) if format else detect(path)
    if found.name not in SHAPED:
        yield from read_examples(path, on_bad_line, format)
        return
    yield from parsed_rows(path, partial(_example, account=account), account)
    log_losses(path, account)


def _example(row: Mapping[str, Any], account: Account) -> Example:
    try:
        return record_from_row(row, account).example
    except FieldError as error:
        if not isinstance(row.get("triples"), list):
            raise
        bare = example_from_row(_without_offsets(row))  # raises if more than offsets is wrong
        try:
            return replace(bare, triples=tuple(map(_placed, bare.triples, row["triples"])))
        except ValueError:
            raise error from None


def _without_offsets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_offsets(part) for name, part in value.items() if name not in ("start", "end")}
    return [_without_offsets(part) for part in value] if isinstance(value, list) else value


def _placed(triple: Triple, entry: Mapping[str, Any]) -> Triple:
    return replace(
        triple,
        subject=_mention(triple.subject, entry["subject"]),
        object=_mention(triple.object, entry["object"]),
        qualifiers={slot: _mention(mention, entry["qualifiers"][slot]) for slot, mention in triple.qualifiers.items()},
    )


def _mention(mention: Mention, entry: Mapping[str, Any]) -> Mention:
    offsets = entry.get("start"), entry.get("end")
    if offsets == (None, None):
        return mention
    start, end = offsets
    if type(start) is not int or type(end) is not int:
        raise ValueError(f"offsets {offsets} are no whole numbers")
    return replace(mention, span=Span(start, end))
