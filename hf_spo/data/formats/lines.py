"""Lines of a file as text: UTF-8, or an error that names the encoding that it has instead."""

import codecs
from collections.abc import Iterable, Iterator
from pathlib import Path

from ...support.unreadable import UnreadableRecord
from .base import ConversionReport, DataFormatError

_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_HEAD = 1 << 10

Line = str | UnreadableRecord


def text_lines(lines: Iterable[bytes], source: str, option: str = "") -> Iterator[tuple[int, Line]]:
    r"""Yield lines of UTF-8 with their numbers from 1 and their line ends, without a byte order mark.

    Only a line feed ends a line: other characters that Python takes for line ends, such as U+2028, may be part of a
    JSON string. A line that is not UTF-8 is an [`UnreadableRecord`], with the wrong bytes as \xff.

    Args:
        lines: of a file, as bytes.
        source: the name of the file in errors.
        option: of the command line that takes another encoding, for errors.

    Raises:
        DataFormatError: the lines are UTF-16 or UTF-32, which has no single-byte line feeds.
    """
    hint = f", or name the encoding with {option}" if option else ""
    for number, raw in enumerate(lines, 1):
        content = raw
        if number == 1:
            wide = _wide(raw[:_HEAD])
            if wide:
                raise DataFormatError(f"{source}: {wide}{hint}")
            content = raw.removeprefix(codecs.BOM_UTF8)
        try:
            yield number, content.decode("utf-8")
        except UnicodeDecodeError as error:
            shown = content.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "backslashreplace")
            reason, remedy = _wrong_bytes(error, "the line")
            yield number, UnreadableRecord(source, number, reason, shown, remedy=remedy + hint)


def decoded_lines(path: Path, report: ConversionReport) -> Iterator[tuple[int, str]]:
    """Yield the lines of a UTF-8 file as [`text_lines`] does; lines that are not UTF-8 go to the report.

    Raises:
        DataFormatError: the file is UTF-16 or UTF-32; or a line is not UTF-8, and the report has no `on_bad_line`.
        FileNotFoundError: there is no such file.
    """
    with path.open("rb") as file:
        for number, line in text_lines(file, str(path)):
            if isinstance(line, UnreadableRecord):
                report.add_unreadable(line)
            else:
                yield number, line


def encoding_fault(head: bytes) -> str | None:
    """Return what is wrong with the encoding of a file that begins so, if anything; `head` may end in a character."""
    wide = _wide(head[:_HEAD])
    if wide:
        return wide
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError as error:
        return "; ".join(_wrong_bytes(error, "the file"))
    return None


def _wide(head: bytes) -> str | None:
    """Return the error for UTF-16 and UTF-32."""
    name = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
    if name is None and head.count(0) > len(head) // 4:
        name = "UTF-16"
    return None if name is None else f"expected UTF-8, got {name}; convert the file with iconv -f {name} -t UTF-8"


def _wrong_bytes(error: UnicodeDecodeError, what: str) -> tuple[str, str]:
    """Return reason and remedy for bytes that are not UTF-8."""
    reason = f"not UTF-8: byte {error.start + 1} of {what} is 0x{error.object[error.start]:02x}"
    try:
        read = codecs.getincrementaldecoder("gb18030")().decode(error.object)
    except UnicodeDecodeError:
        read = ""
    if any("\u4e00" <= character <= "\u9fff" for character in read):
        return f"{reason}, and it reads as GB18030 (GBK)", "convert the file with iconv -f GB18030 -t UTF-8"
    return reason, "save the file as UTF-8"
