"""Reader of labelled texts for the doctor, which keeps wrong offsets so that it can explain them."""

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
    format: str | None = None,  # noqa: A002  # the usual name
) -> Iterator[Example]:
    """Read labelled texts as [`read_examples`] does, but keep wrong offsets of rows in the package's own format.

    Raises:
        DataFormatError: a line is wrong in another way, and `on_bad_line` is None.
        FileNotFoundError: the file does not exist.
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
