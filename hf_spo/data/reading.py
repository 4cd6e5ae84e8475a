"""Read labelled texts in any format: each row becomes a record or is reported, none is dropped silently."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..model.fields import string
from ..model.schema import Example
from ..support.unreadable import OnUnreadable
from .formats.base import ConversionReport, DataFormatError, Format, Record
from .formats.json_rows import parsed_rows
from .formats.lines import decoded_lines
from .formats.placing import trimmed
from .formats.registry import detect, find_format
from .formats.shapes import SHAPED, record_from_row

logger = logging.getLogger(__name__)


def read_records(
    path: str | Path,
    format: str | None = None,  # noqa: A002  # the usual name
    report: ConversionReport | None = None,
) -> Iterator[Record]:
    """Read labelled texts.

    Args:
        path: a file, a folder for formats that have one, or hub:NAME for a data set of the Hub.
        format: name of the format, see [`format_names`]; default: recognised from the file, which may then mix rows of
            this package, DuIE, CasRel and TPLinker.
        report: counts what is lost or corrected; with `on_bad_line`, records that cannot be read are skipped.

    Raises:
        DataFormatError: the format is unknown, or not the file's; the file has no row; or a record cannot be read and
            is not skipped. The message has file, line, field and remedy.
        FileNotFoundError: there is no such file.
        ImportError: the format needs a package that is not installed.
    """
    path, report = Path(path), report or ConversionReport()
    found = find_format(format) if format else detect(path)
    if report.text_column is not None and found.name != "label-studio":
        raise DataFormatError(
            f"{path}: text_column={report.text_column!r}: only exports of Label Studio have such columns"
        )
    return _some(_read(path, found, format is None, report), path, report)


def read_examples(
    path: str | Path,
    on_bad_line: OnUnreadable | None = None,
    format: str | None = None,  # noqa: A002  # the usual name
) -> Iterator[Example]:
    """Read labelled texts for training or evaluation; what is lost or corrected is logged as a warning.

    Args:
        path, format: see [`read_records`].
        on_bad_line: receives each record that cannot be read, which is then skipped; None raises an error.

    Raises:
        DataFormatError, FileNotFoundError, ImportError: see [`read_records`].
    """
    report = ConversionReport(on_bad_line)
    for record in read_records(path, format, report):
        yield record.example
    log_losses(path, report)


def log_losses(path: str | Path, report: ConversionReport) -> None:
    """Log a warning of what was lost or corrected when a file was read, if anything was."""
    if report.summary():
        logger.warning("%s: %s", path, report.summary())


def read_texts(path: str | Path, on_bad_line: OnUnreadable | None = None) -> Iterator[str]:
    """Read texts: the "text" fields of a .jsonl or .json file with one object a line, or the lines of any other file.

    Raises:
        DataFormatError: a line is not UTF-8, or has no "text"; the message has file, line, field and remedy.
        FileNotFoundError: there is no such file.
    """
    path, report = Path(path), ConversionReport(on_bad_line)
    if path.suffix in (".jsonl", ".json"):
        return parsed_rows(path, lambda row: string(row, "text"), report)
    return (line.removesuffix("\n").removesuffix("\r") for _, line in decoded_lines(path, report))


def example_from_row(row: Mapping[str, Any]) -> Example:
    """Read a row in the shape of this package, DuIE, CasRel or TPLinker.

    Raises:
        FieldError: it has none of these shapes, or a field is missing or of the wrong type.
    """
    return trimmed(record_from_row(row, ConversionReport()), ConversionReport()).example


def _read(path: Path, found: Format, is_guess: bool, report: ConversionReport) -> Iterator[Record]:
    if is_guess and found.name in SHAPED:
        return parsed_rows(path, lambda row: record_from_row(row, report), report)
    return found.read(path, report)


def _some(records: Iterator[Record], path: Path, report: ConversionReport) -> Iterator[Record]:
    skipped, nothing = report.skipped, True
    for record in records:
        nothing = False
        yield trimmed(record, report)
    if nothing and report.skipped == skipped:
        raise DataFormatError(f"{path} has no labelled text")
