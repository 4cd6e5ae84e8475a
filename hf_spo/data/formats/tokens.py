"""Simple tokens for formats that need them, and texts joined from the tokens of a file.

Tokens are runs of letters, digits and combining marks, runs of white space, and single characters: Chinese and Japanese
characters, punctuation and symbols. A token also ends at every border of a mention, so that mentions are whole tokens.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from ...model.schema import Span

_CJK = (
    ("\u2e80", "\u2fdf"),  # radicals
    ("\u3000", "\u312f"),  # punctuation, kana, bopomofo
    ("\u31a0", "\u4dbf"),
    ("\u4e00", "\u9fff"),
    ("\uf900", "\ufaff"),
    ("\ufe30", "\ufe4f"),  # vertical and full-width forms
    ("\uff00", "\uffef"),
    ("\U00020000", "\U0003ffff"),
)


def cut(text: str, borders: Iterable[int] = ()) -> list[Span]:
    """Return the tokens of a text, white space included; joined, they are the text."""
    kinds = [_kind(character) for character in text]
    edges = {0, len(text), *borders}
    edges.update(at for at in range(1, len(text)) if kinds[at] != kinds[at - 1] or kinds[at] == _SINGLE)
    return [Span(start, end) for start, end in pairwise(sorted(edges))]


def spaced(text: str, mentions: Iterable[Span]) -> list[tuple[Span, bool]]:
    """Return tokens as spaCy defines them: each with whether one space follows, which is not a token.

    Other white space is a token. Joined, they are the text, and mentions are whole tokens.
    """
    mentions = list(mentions)
    starts, ends = {one.start for one in mentions}, {one.end for one in mentions}
    tokens: list[tuple[Span, bool]] = []
    for token in cut(text, starts | ends):
        plain = text[token.start : token.end] == " " and token.start not in starts and token.end not in ends
        if plain and tokens and not tokens[-1][1]:
            tokens[-1] = (tokens[-1][0], True)
        else:
            tokens.append((token, False))
    return tokens


def joined(tokens: Sequence[str]) -> tuple[str, list[Span]]:
    """Join tokens to a text; return it with the span of each token.

    Two tokens are separated by a space, except next to a Chinese or Japanese character.
    """
    parts: list[str] = []
    spans: list[Span] = []
    at, last = 0, ""
    for token in tokens:
        if parts and not (_is_cjk(last) or _is_cjk(token[:1])):
            parts.append(" ")
            at += 1
        parts.append(token)
        spans.append(Span(at, at + len(token)))
        at, last = at + len(token), token[-1:]
    return "".join(parts), spans


_SINGLE = "single"


@lru_cache(1 << 16)
def _kind(character: str) -> str:
    if character.isspace():
        return "space"
    if _is_cjk(character) or unicodedata.category(character)[0] not in "LMN":
        return _SINGLE
    return "word"


@lru_cache(1 << 16)
def _is_cjk(character: str) -> bool:
    return any(first <= character <= last for first, last in _CJK)
