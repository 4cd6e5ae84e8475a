"""Files of labelled texts, in any format: every row becomes a record or is reported; nothing is dropped in silence."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..model.fields import string
from ..model.schema import Example
from .formats.base import Account, DataFormatError, Format, OnBadLine, Record
from .formats.lines import decoded_lines
from .formats.registry import detect, find_format
from .formats.rows import parsed_rows
from .formats.shapes import SHAPED, record_from_row

logger = logging.getLogger(__name__)


def read_records(
    path: str | Path,
    format: str | None = None,  # noqa: A002  # what everybody calls it
    account: Account | None = None,
) -> Iterator[Record]:
    """Read labelled texts.

    Args:
        path: a file, a folder for formats that have one, or hub:NAME for a data set of the Hub.
        format: its name, see [`format_names`]; default: what the file looks like. Rows of our own, DuIE's, CasRel's
            and TPLinker's shape may then stand in one file.
        account: gets what is lost or put right, and takes bad lines; by default a bad line raises.

    Raises:
        DataFormatError: there is no such format; the file is in another, or holds no row; or a line is bad, and the
            account takes none. The message names file, line, field and remedy.
        FileNotFoundError: there is no such file.
        ImportError: the format needs a package that is not installed.
    """
    path, account = Path(path), account or Account()
    found = find_format(format) if format else detect(path)
    return _some(_read(path, found, format is None, account), path, account)


def read_examples(
    path: str | Path,
    on_bad_line: OnBadLine | None = None,
    format: str | None = None,  # noqa: A002  # what everybody calls it
) -> Iterator[Example]:
    """Read labelled texts for training or evaluation; what is lost or put right is logged as a warning.

    Args:
        path, format: see [`read_records`].
        on_bad_line: receives each line that is no example, which is then skipped; None raises instead.

    Raises:
        DataFormatError, FileNotFoundError, ImportError: see [`read_records`].
    """
    account = Account(on_bad_line)
    for record in read_records(path, format, account):
        yield record.example
    log_losses(path, account)


def log_losses(path: str | Path, account: Account) -> None:
    """Warn of what was lost or put right when a file was read, if anything was."""
    if account.summary():
        logger.warning("%s: %s", path, account.summary())


def read_texts(path: str | Path, on_bad_line: OnBadLine | None = None) -> Iterator[str]:
    """Read texts: the "text" fields of a .jsonl or .json file with one object a line, or the lines of any other file.

    Raises:
        DataFormatError: a line is no UTF-8, or has no "text"; the message names file, line, field and remedy.
        FileNotFoundError: there is no such file.
    """
    path, account = Path(path), Account(on_bad_line)
    if path.suffix in (".jsonl", ".json"):
        return parsed_rows(path, lambda row: string(row, "text"), account)
    return (line.removesuffix("\n").removesuffix("\r") for _, line in decoded_lines(path, account))


def example_from_row(row: Mapping[str, Any]) -> Example:
    """Read a row of our own, DuIE's, CasRel's or TPLinker's shape.

    Raises:
        FieldError: it is of none of them, or a field is missing or of the wrong type.
    """
    return record_from_row(row, Account()).example


def _read(path: Path, found: Format, is_guess: bool, account: Account) -> Iterator[Record]:
    if is_guess and found.name in SHAPED:
        return parsed_rows(path, lambda row: record_from_row(row, account), account)
    return found.read(path, account)


def _some(records: Iterator[Record], path: Path, account: Account) -> Iterator[Record]:
    skipped, nothing = account.skipped, True
    for record in records:
        nothing = False
        yield record
    if nothing and account.skipped == skipped:
        raise DataFormatError(f"{path} holds no labelled text")
