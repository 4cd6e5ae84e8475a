"""Lines of a file as text: UTF-8, or told by name what it is instead."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from .base import ConversionReport, DataFormatError

_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_LOOKED_AT = 1 << 10


def decoded_lines(path: Path, report: ConversionReport) -> Iterator[tuple[int, str]]:
    r"""Yield the lines of a UTF-8 file with their numbers from 1 and their line ends; one that is not UTF-8 is bad.

    Only a line feed ends a line: what else Python takes for a line end, such as U+2028, may stand in a JSON string.

    Raises:
        DataFormatError: the file is in UTF-16 or UTF-32; or a line is bad, and the report takes none.
        FileNotFoundError: there is no such file.
    """
    # As bytes, so that one that is not UTF-8 is one line's problem.
    with path.open("rb") as lines:
        wide = _wide(lines.peek(_LOOKED_AT)[:_LOOKED_AT])
        if wide:
            raise DataFormatError(f"{path}: {wide}")
        for number, raw in enumerate(lines, 1):
            content = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
            try:
                line = content.decode("utf-8")
            except UnicodeDecodeError as error:
                shown = content.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "backslashreplace")
                report.skip(_wrong_bytes(error, "the line"), path, number, shown)
            else:
                yield number, line


def whole_text(path: Path) -> str:
    """Return the content of a UTF-8 file, its line ends as they are, without a byte order mark.

    Raises:
        DataFormatError: it is not UTF-8; the message says what it is, as far as that can be told.
        FileNotFoundError: there is no such file.
    """
    content = path.read_bytes()
    wide = _wide(content[:_LOOKED_AT])
    if wide:
        raise DataFormatError(f"{path}: {wide}")
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataFormatError(f"{path}: {_wrong_bytes(error, 'the file')}") from None


def encoding_fault(head: bytes) -> str | None:
    """Say what is wrong with the encoding of a file that begins so, if anything; it may be cut within a character."""
    wide = _wide(head)
    if wide:
        return wide
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError as error:
        return _wrong_bytes(error, "the file")
    return None


def _wide(head: bytes) -> str | None:
    """Say that an encoding is one whose line feeds are no single bytes, if it is."""
    name = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
    if name is None and head.count(0) > len(head) // 4:
        name = "UTF-16"
    return None if name is None else f"expected UTF-8, and this is {name}; convert it by iconv -f {name} -t UTF-8"


def _wrong_bytes(error: UnicodeDecodeError, what: str) -> str:
    place = f"not UTF-8: byte {error.start + 1} of {what} is 0x{error.object[error.start]:02x}"
    try:
        read = codecs.getincrementaldecoder("gb18030")().decode(error.object)
    except UnicodeDecodeError:
        read = ""
    if any("\u4e00" <= character <= "\u9fff" for character in read):
        return f"{place}; it reads as GB18030 (GBK): convert the file by iconv -f GB18030 -t UTF-8"
    return f"{place}; expected a UTF-8 file"
