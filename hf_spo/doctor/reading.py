"""Labelled texts as they are, wrong offsets included, for the doctor to explain."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..data.formats.base import ConversionReport
from ..data.formats.json_rows import parsed_rows
from ..data.formats.registry import detect, find_format
from ..data.formats.shapes import SHAPED, record_from_row
from ..data.reading import log_losses, read_examples
from ..model.fields import FieldError
from ..model.schema import Example
from ..support.unreadable import OnUnreadable


def read_as_it_is(
    path: str | Path,
    on_bad_line: OnUnreadable | None = None,
    format: str | None = None,  # noqa: A002  # what everybody calls it
) -> Iterator[Example]:
    """Read labelled texts as [`read_examples`] does, but pass offsets of our own rows that do not cut their mention.

    Raises:
        DataFormatError: a line is wrong in another way, and `on_bad_line` is None.
        FileNotFoundError: there is no such file.
    """
    path, report = Path(path), ConversionReport(on_bad_line)
    found = find_format(format) if format else detect(path)
    if found.name not in SHAPED:
        yield from read_examples(path, on_bad_line, format)
        return
    yield from parsed_rows(path, partial(_example, report=report), report)
    log_losses(path, report)


def _example(row: Mapping[str, Any], report: ConversionReport) -> Example:
    try:
        return record_from_row(row, report).example
    except FieldError:
        if "triples" not in row:
            raise
        return Example.from_dict(row)  # raises if more than the offsets is wrong
