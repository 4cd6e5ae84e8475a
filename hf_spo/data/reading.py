"""Files of labelled texts, in any format: every row becomes a record or is reported; nothing is dropped in silence."""

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
    format: str | None = None,  # noqa: A002  # what everybody calls it
    report: ConversionReport | None = None,
) -> Iterator[Record]:
    """Read labelled texts.

    Args:
        path: a file, a folder for formats that have one, or hub:NAME for a data set of the Hub.
        format: its name, see [`format_names`]; default: what the file looks like. Rows of our own, DuIE's, CasRel's
            and TPLinker's shape may then stand in one file.
        report: gets what is lost or put right, and takes bad lines; by default a bad line raises.

    Raises:
        DataFormatError: there is no such format; the file is in another, or holds no row; or a line is bad, and the
            report takes none. The message names file, line, field and remedy.
        FileNotFoundError: there is no such file.
        ImportError: the format needs a package that is not installed.
    """
    path, report = Path(path), report or ConversionReport()
    found = find_format(format) if format else detect(path)
    return _some(_read(path, found, format is None, report), path, report)


def read_examples(
    path: str | Path,
    on_bad_line: OnUnreadable | None = None,
    format: str | None = None,  # noqa: A002  # what everybody calls it
) -> Iterator[Example]:
    """Read labelled texts for training or evaluation; what is lost or put right is logged as a warning.

    Args:
        path, format: see [`read_records`].
        on_bad_line: receives each line that is no example, which is then skipped; None raises instead.

    Raises:
        DataFormatError, FileNotFoundError, ImportError: see [`read_records`].
    """
    report = ConversionReport(on_bad_line)
    for record in read_records(path, format, report):
        yield record.example
    log_losses(path, report)


def log_losses(path: str | Path, report: ConversionReport) -> None:
    """Warn of what was lost or put right when a file was read, if anything was."""
    if report.summary():
        logger.warning("%s: %s", path, report.summary())


def read_texts(path: str | Path, on_bad_line: OnUnreadable | None = None) -> Iterator[str]:
    """Read texts: the "text" fields of a .jsonl or .json file with one object a line, or the lines of any other file.

    Raises:
        DataFormatError: a line is not UTF-8, or has no "text"; the message names file, line, field and remedy.
        FileNotFoundError: there is no such file.
    """
    path, report = Path(path), ConversionReport(on_bad_line)
    if path.suffix in (".jsonl", ".json"):
        return parsed_rows(path, lambda row: string(row, "text"), report)
    return (line.removesuffix("\n").removesuffix("\r") for _, line in decoded_lines(path, report))


def example_from_row(row: Mapping[str, Any]) -> Example:
    """Read a row of our own, DuIE's, CasRel's or TPLinker's shape.

    Raises:
        FieldError: it is of none of them, or a field is missing or of the wrong type.
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
        raise DataFormatError(f"{path} holds no labelled text")
