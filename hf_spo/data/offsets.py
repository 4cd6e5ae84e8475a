"""Offsets of annotation files checked against the text, and explained where they are wrong."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate

from ..model.fields import FieldError
from ..model.schema import Mention, Span
from ..model.sentences import inside_words
from .formats.base import ConversionReport


class Unit(StrEnum):
    """How tools count offsets, other than in Unicode code points from 0 with the end excluded."""

    UTF16 = "counted in UTF-16 units"
    UTF8 = "counted in bytes of UTF-8"
    GRAPHEMES = "counted in grapheme clusters"
    CRLF = "counted with line ends of two characters"
    LF = "counted with line ends of one character"
    INCLUSIVE = "the end is that of the last character"
    FROM_ONE = "too high by 1"
    END_HIGH = "the end is too high by 1"


def place(
    text: str, start: int, end: int, words: str | None, kind: str, path: str, report: ConversionReport
) -> Mention:
    """Return the mention at the offsets of a file, checked against its words if the file has them.

    Args:
        text: that the offsets refer to.
        start, end: as the file has them.
        words: the mention as the file has it; None if it has offsets only.
        kind: its type.
        path: of the mention within its row, for the error.
        report: with `correct_offsets`, offsets that are wrong in one of the ways of [`Unit`] are corrected and counted.

    Raises:
        FieldError: the text at the offsets is not the words, or the offsets are outside the text; the message says why,
            as far as the text shows it.
    """
    if 0 <= start < end <= len(text) and words in (None, text[start:end]):
        return Mention(text[start:end], Span(start, end), kind)
    if words is None:
        raise FieldError(path, f"offsets [{start}:{end}] are outside the text of {len(text)} characters, or empty")
    if not words:
        raise FieldError(path, f"offsets [{start}:{end}] of an empty mention; remove it, or fill in its words")
    found = explain(text, words, start, end)
    if found is None:
        cause = offset_fault(text, words, Span(start, end)) if 0 <= start <= end else "below 0, or not in order"
        there = repr(text[start:end]) if 0 <= start <= end <= len(text) else "outside the text"
        raise FieldError(path, f"text[{start}:{end}] is {there}, not {words!r} ({cause}); {_EXPECTED}")
    how, span = found
    if not report.correct_offsets:
        there = f"{text[start:end]!r}" if end <= len(text) else f"beyond the text of {len(text)} characters"
        raise FieldError(path, f"text[{start}:{end}] is {there}, not {words!r} ({how}); {_EXPECTED}; {OFFSETS_REMEDY}")
    report.correct(corrected_offsets(how))
    return Mention(text[span.start : span.end], span, kind)


_EXPECTED = "offsets are code points from 0, end excluded"
OFFSETS_REMEDY = "hf-spo convert --mend-offsets corrects such offsets"


def _line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n")


def explain(
    text: str, words: str, start: int, end: int, simplify: Callable[[str], str] = _line_feeds
) -> tuple[str, Span] | None:
    """Return how wrong offsets of these words were counted, and the right ones; None if no [`Unit`] explains them.

    Args:
        text: that the offsets refer to.
        words: the mention as the file has it.
        start, end: as the file has them.
        simplify: words are the mention at some offsets if both are equal when simplified.
    """
    wanted = simplify(words)
    if not wanted or not 0 <= start <= end or wanted not in simplify(text):
        return None
    for shift, first, last in _SHIFTS:
        for units in ((), *_COUNTS):
            span = _converted(text, start + first, end + last, units)
            if span is not None and simplify(text[span.start : span.end]) == wanted:
                return ", ".join(filter(None, (*units, shift))), span
    return None


_SHIFTS = (("", 0, 0), (Unit.INCLUSIVE, 0, 1), (Unit.END_HIGH, 0, -1), (Unit.FROM_ONE, -1, -1))
"""Counts that are off at both ends or one, with what corrects them."""


def explain_without_words(text: str, offsets: Iterable[tuple[int, int]]) -> tuple[str, list[Span]] | None:
    """Return how offsets were counted that tear words apart as they are, and fit all of them in another unit.

    Args:
        text: that the offsets refer to.
        offsets: all of a text, as the file has them; what they mark is not known.

    Returns:
        The unit and the right spans, in order; None if the offsets fit as they are, or do not fit in any unit.
    """
    offsets = list(offsets)
    if text.isascii() and "\r\n" not in text:
        return None
    if all(0 <= start < end <= len(text) and not is_torn(text, Span(start, end)) for start, end in offsets):
        return None
    for units in _COUNTS:
        spans = [_converted(text, start, end, units) for start, end in offsets]
        fitting = [span for span in spans if span and not is_torn(text, span)]
        # Where no start moves, an end inside a word is not the count's fault.
        if len(fitting) == len(spans) and any(
            span.start != start for span, (start, _) in zip(fitting, offsets, strict=True)
        ):
            return ", ".join(units), fitting
    return None


def is_torn(text: str, span: Span) -> bool:
    """Tell whether a span begins or ends inside a word, or with white space."""
    inside = _inside_words(text)
    words = text[span.start : span.end]
    return words != words.strip() or inside[span.start] or inside[span.end]


def has_edges(text: str) -> bool:
    """Tell whether a text is empty, or begins or ends with white space, U+200B or U+FEFF."""
    return text[:1] in _EDGES or text[-1:] in _EDGES


def without_edges(mention: Mention) -> Mention:
    """Return a mention without white space, U+200B and U+FEFF at its ends, where no token begins or ends."""
    if not has_edges(mention.text):
        return mention
    text = mention.text.strip("".join(_EDGES))
    if text == mention.text or mention.span is None:
        return mention if text == mention.text else Mention(text, None, mention.type)
    start = mention.span.start + mention.text.index(text)
    return Mention(text, Span(start, start + len(text)), mention.type)


_EDGES = {"", "\u200b", "\u2060", "\ufeff", *filter(str.isspace, map(chr, range(0x3001)))}

_inside_words = lru_cache(16)(inside_words)

_COUNTS = (
    (Unit.UTF16,),
    (Unit.CRLF,),
    (Unit.LF,),
    (Unit.UTF16, Unit.LF),
    (Unit.UTF16, Unit.CRLF),
    (Unit.GRAPHEMES,),
    (Unit.UTF8,),
    (Unit.UTF8, Unit.LF),
    (Unit.UTF8, Unit.CRLF),
)
"""Ways of counting, simple and common ones first."""


def _converted(text: str, start: int, end: int, units: tuple[Unit, ...]) -> Span | None:
    """Return a span in code points; None if an offset is inside a character or outside the text."""
    if not units:
        return Span(start, end) if 0 <= start < end <= len(text) else None
    positions = _positions(text, units)
    first, last = positions.get(start), positions.get(end)
    return None if first is None or last is None or first >= last else Span(first, last)


@lru_cache(64)
def _positions(text: str, units: tuple[Unit, ...]) -> dict[int, int]:
    """Map offsets counted in other units to code points."""
    sizes = [1] * len(text)
    if Unit.UTF16 in units:
        sizes = [2 if character > "\uffff" else 1 for character in text]
    elif Unit.UTF8 in units:
        sizes = [len(character.encode("utf-8", "surrogatepass")) for character in text]
    elif Unit.GRAPHEMES in units:
        import regex  # which takes a while to import, and most files need none of it

        sizes = [size for cluster in regex.findall(r"\X", text) for size in (1, *[0] * (len(cluster) - 1))]
    for at, character in enumerate(text):
        if character == "\n":
            follows = text[at - 1 : at] == "\r"
            if Unit.LF in units and follows:
                sizes[at] = 0
            elif Unit.CRLF in units and not follows:
                sizes[at] = 2
    # Of several positions with one offset, the last is the one after a whole cluster.
    return {offset: at for at, offset in enumerate(accumulate(sizes, initial=0))}


def corrected_offsets(how: str) -> str:
    """Return the name under which a report counts offsets that were counted so."""
    return f"offsets {how}" if how.startswith("counted") else f"offsets where {how}"


def offset_fault(text: str, mention: str, span: Span) -> str:
    """Return why the offsets of a mention are wrong, as far as the text shows it."""
    found = explain(text, mention, span.start, span.end)
    if found is not None:
        return found[0]
    starts = list(_starts(text, mention))
    if not starts:
        return absence(text, mention)
    shift = min((start - span.start for start in starts), key=abs)
    if not shift:
        return "the start is right, the end is not"
    return f"too {'low' if shift > 0 else 'high'} by {abs(shift)}" if abs(shift) <= _NEAR else "far off"


_NEAR = 3


def _starts(text: str, mention: str) -> Iterator[int]:
    at = text.find(mention) if mention else -1
    while at >= 0:
        yield at
        at = text.find(mention, at + 1)


def absence(text: str, mention: str) -> str:
    """Return why a string is not found in a text."""
    for cause, simplify in _SIMPLER.items():
        if simplify(mention) and simplify(mention) in simplify(text):
            return cause
    return "not there in any form"


_SIMPLER: dict[str, Callable[[str], str]] = {
    "there with other letter case": str.casefold,
    "there with other white space": lambda text: "".join(text.split()),
    "there in another form or width of characters": lambda text: unicodedata.normalize("NFKC", text),
}
