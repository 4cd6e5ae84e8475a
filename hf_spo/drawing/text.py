"""Estimate widths of characters, and break texts into lines."""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate

from ..model.schema import Span
from ..support.safe_text import printable_line

# Widths in thousandths of the font size in common sans-serif fonts. Few fonts differ by more than a tenth, and
# `textLength` makes viewers use these widths.
_NARROW = {
    210: "ijl'‘’",
    275: " !,.:;ft/\\|[]I·",
    370: 'r()-{}`"“”°',
    525: "cksvxyzJ?*^",
    600: "abdeghnopqu0123456789$#_L+=<>~€×–",
    690: "ABEKPSVXYFTZ&",
    775: "CDHNRUwGOQ",
    890: "mM%",
    1000: "W@…—",
}
_WIDTHS = {character: width / 1000 for width, characters in _NARROW.items() for character in characters}
_OTHER, _OTHER_CAPITAL, _EMOJI = 0.6, 0.7, 1.3
_JOINER = "\u200d"
_EMOJI_BLOCKS = range(0x1F000, 0x20000)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)

_LINE_ENDS = "\n\u2028\u2029"

# Characters that may not begin a line, and characters that may not end one.
_CLOSING = frozenset("，。、；：！？）》」』】〉〕”’…—·,.;:!?)]}%～〜ー々")
_OPENING = frozenset("（《「『【〈〔“‘([{")


def text_width(text: str) -> float:
    """Estimate the width of a text in units of the font size."""
    return sum(widths(text))


def widths(text: str) -> list[float]:
    """Estimate the width of each character in units of the font size."""
    found = [_width(character) for character in text]
    for at, character in enumerate(text):
        # Only the first part of a joined emoji has a width; a skin tone modifies the character before it.
        if at and (text[at - 1] == _JOINER or ord(character) in _SKIN_TONES):
            found[at] = 0.0
    return found


@lru_cache(maxsize=1 << 14)
def _width(character: str) -> float:
    if character in _WIDTHS:
        return _WIDTHS[character]
    if printable_line(character) == "\ufffd" or character == "\t":
        return 1.0
    code = ord(character)
    if character == "\r" or unicodedata.category(character) in ("Mn", "Me", "Cf") or character in _LINE_ENDS:
        return 0.0
    if code in _EMOJI_BLOCKS:
        return _EMOJI / 2 if code in _FLAG_LETTERS else _EMOJI
    if is_wide(character):
        return 1.0
    plain = unicodedata.normalize("NFD", character)[0]
    if plain in _WIDTHS:
        return _WIDTHS[plain]
    return _OTHER_CAPITAL if character.isupper() else _OTHER


def is_wide(character: str) -> bool:
    """Tell whether a character is full-width, as Chinese characters are."""
    return unicodedata.east_asian_width(character) in ("W", "F")


def is_right_to_left(text: str) -> bool:
    """Tell whether a text is right-to-left, by its first letter with a direction."""
    kinds = (unicodedata.bidirectional(character) for character in text)
    return next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L"


def shortened(text: str, limit: float) -> str:
    """Cut a text to a width in units of the font size, with an ellipsis at the end."""
    if text_width(text) <= limit:
        return text
    ends = accumulate(widths(text), initial=_width("…"))
    return f"{text[: sum(end <= limit for end in ends) - 1]}…" if limit >= _width("…") else "…"


def lines(text: str, limit: float, kept: Iterable[Span] = ()) -> list[Span]:
    """Break a text into lines.

    Args:
        text: text to break; its own line ends are kept.
        limit: width of a line in units of the font size; spaces at its end do not count.
        kept: spans to break only if there is no other place.
    """
    inside = bytearray(len(text) + 1)
    for span in kept:
        inside[span.start + 1 : span.end] = b"\1" * max(0, len(span) - 1)
    sizes = widths(text)
    found, start = [], 0
    while start < len(text):
        end = _line_end(text, sizes, start, limit, inside)
        found.append(Span(start, end))
        start = end
    return found or [Span(0, 0)]


def _line_end(text: str, sizes: Sequence[float], start: int, limit: float, inside: bytearray) -> int:
    """Return the end of the line that begins at `start`."""
    best = second = 0
    total = 0.0
    for at in range(start, len(text)):
        if not text[at].isspace() and total + sizes[at] > limit and at > start:
            return best or second or at
        total += sizes[at]
        if text[at] in _LINE_ENDS:
            return at + 1
        if at + 1 < len(text) and _may_break(text, sizes, at + 1):
            second = at + 1
            best = best if inside[at + 1] else at + 1
    return len(text)


def _may_break(text: str, sizes: Sequence[float], at: int) -> bool:
    before, after = text[at - 1], text[at]
    if after.isspace() or not sizes[at] or before == _JOINER:
        return False
    if before.isspace():
        return True
    if before in _OPENING or after in _CLOSING:
        return False
    return is_wide(before) or is_wide(after) or (before == "-" and after.isalpha())
