"""Offsets of annotation files put beside the text: right, wrong in a way that has a name, or out of the text."""

import unicodedata
from collections.abc import Callable, Iterator
from enum import StrEnum

from ..model.fields import FieldError
from ..model.schema import Mention, Span
from .formats.base import ConversionReport


class Unit(StrEnum):
    """What tools count offsets in, other than Unicode code points from 0 with the end excluded."""

    UTF16 = "counted in UTF-16 units"
    UTF8 = "counted in bytes of UTF-8"
    INCLUSIVE = "the end is that of the last character"
    CRLF = "counted with line ends of two characters"
    LF = "counted with line ends of one character"
    FROM_ONE = "too high by 1"


def place(
    text: str, start: int, end: int, words: str | None, kind: str, path: str, report: ConversionReport
) -> Mention:
    """Return the mention that a file has at these offsets, checked against its words if the file gives them.

    Args:
        text: that the offsets refer to.
        start, end: as the file has them.
        words: the mention as the file has it; None if it has offsets only.
        kind: its type.
        path: of the mention within its row, for the error.
        report: with `correct_offsets`, offsets that are wrong in one of the ways of [`Unit`] are put right and counted.

    Raises:
        FieldError: the offsets are not those of the words, or not within the text; the message says how they came to
            be wrong, where the text shows it.
    """
    if 0 <= start < end <= len(text) and words in (None, text[start:end]):
        return Mention(text[start:end], Span(start, end), kind)
    if words is None:
        raise FieldError(path, f"offsets [{start}:{end}] are not within the text of {len(text)} characters, or empty")
    if not words:
        raise FieldError(path, f"offsets [{start}:{end}] of an empty mention; take it out, or fill in its words")
    right = corrected(text, words, start, end)
    if right is None:
        cause = offset_fault(text, words, Span(start, end)) if 0 <= start <= end else "below 0, or not in order"
        found = repr(text[start:end]) if 0 <= start <= end <= len(text) else "outside the text"
        raise FieldError(path, f"text[{start}:{end}] is {found}, not {words!r} ({cause}); {_EXPECTED}")
    unit, span = right
    if not report.correct_offsets:
        raise FieldError(
            path,
            f"text[{start}:{end}] is {text[start:end]!r}, not {words!r} ({unit}); {_EXPECTED}; "
            f"hf-spo convert --mend-offsets puts such offsets right",
        )
    report.correct(f"offsets {unit}" if unit.startswith("counted") else f"offsets where {unit}")
    return Mention(text[span.start : span.end], span, kind)


_EXPECTED = "offsets are code points from 0, end excluded"


def corrected(text: str, words: str, start: int, end: int) -> tuple[Unit, Span] | None:
    """Return what wrong offsets were counted in, and the right ones; None if no unit explains them."""
    if not words or not 0 <= start <= end:
        return None
    return next(_explanations(text, words, start, end), None)


def _explanations(text: str, words: str, start: int, end: int) -> Iterator[tuple[Unit, Span]]:
    for unit, encoding, size in ((Unit.UTF16, "utf-16-le", 2), (Unit.UTF8, "utf-8", 1)):
        units = text.encode(encoding, "surrogatepass")
        if units[size * start : size * end] == words.encode(encoding, "surrogatepass"):
            at = len(units[: size * start].decode(encoding, "surrogatepass"))
            if text.startswith(words, at):  # not where a surrogate pair was cut in two
                yield unit, Span(at, at + len(words))
    if text[start : end + 1] == words:
        yield Unit.INCLUSIVE, Span(start, end + 1)
    if start and text[start - 1 : end - 1] == words:
        yield Unit.FROM_ONE, Span(start - 1, end - 1)
    at = start - text.replace("\n", "\r\n")[:start].count("\n")
    if "\n" in text and text.startswith(words, at):
        yield Unit.CRLF, Span(at, at + len(words))
    if "\r\n" in text:
        kept = [at for at in range(len(text)) if not text.startswith("\r\n", at)][start:end]
        if "".join(text[at] for at in kept) == words:
            yield Unit.LF, Span(kept[0], kept[-1] + 1)


def offset_fault(text: str, mention: str, span: Span) -> str:
    """Say how offsets came to be wrong, as far as the text shows it."""
    found = corrected(text, mention, span.start, span.end)
    if found is not None:
        return found[0].value
    starts = [at for at in range(len(text)) if mention and text.startswith(mention, at)]
    if not starts:
        return absence(text, mention)
    shift = min((start - span.start for start in starts), key=abs)
    if not shift:
        return "the start is right, the end is not"
    return f"too {'low' if shift > 0 else 'high'} by {abs(shift)}" if abs(shift) <= _NEAR else "far off"


_NEAR = 3


def absence(text: str, mention: str) -> str:
    """Say what keeps a string from being found in a text."""
    for cause, simplify in _SIMPLER.items():
        if simplify(mention) and simplify(mention) in simplify(text):
            return cause
    return "not there in any form"


_SIMPLER: dict[str, Callable[[str], str]] = {
    "there with other letter case": str.casefold,
    "there with other white space": lambda text: "".join(text.split()),
    "there in another form or width of characters": lambda text: unicodedata.normalize("NFKC", text),
}
