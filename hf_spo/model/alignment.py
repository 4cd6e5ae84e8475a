"""Alignment of characters and tokens: the only module that computes offsets.

A fast tokenizer says which characters each token covers; nothing is decoded from token ids. Offsets of all tokenizer
families are brought to one form: code points of the user's string, half-open, without white space at the edges
(byte-level BPE and SentencePiece include the space before a word), with the combining marks that a normaliser dropped.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import accumulate, chain
from typing import Any

import numpy as np

from .schema import Span


class Misalignment(StrEnum):
    """Why a character span has no token span."""

    TRUNCATED = "truncated"
    OUT_OF_REACH = "out of reach"
    INSIDE_TOKEN = "inside a token"
    UNKNOWN_RUN = "[UNK] run"
    NOT_IN_TEXT = "not in text"
    UNREAD_BORDER = "border on characters no token covers"


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """Token positions of a span, inclusive at both ends."""

    start: int
    end: int


class Encoding:
    """One text as tokens, with the characters that each token covers.

    Args:
        text: the user's string.
        input_ids: (L,) token ids, special tokens included.
        offsets: (L, 2) character ranges, half-open; equal ends for tokens that cover nothing, such as [CLS].
        unknown: (L,) whether a token is the unknown token.
        chars_read: number of characters from the start that the tokens cover; less than the text if it was truncated.
        specials: number of special tokens before the text, and after it.

    Attributes:
        word_ids: (L,), set by [`Features.annotate`].
        candidates: (K, 5), set there: first and last token of the subject, of the object, and the relation.
    """

    word_ids: np.ndarray | None = None
    candidates: np.ndarray | None = None

    def __init__(
        self,
        text: str,
        input_ids: np.ndarray,
        offsets: np.ndarray,
        unknown: np.ndarray,
        chars_read: int,
        specials: tuple[int, int] = (0, 0),
    ) -> None:
        self.text = text
        self.input_ids = input_ids
        self.offsets = offsets
        self.unknown = unknown
        self.chars_read = chars_read
        self.specials = specials

    def __len__(self) -> int:
        return len(self.input_ids)

    @cached_property
    def pointable(self) -> np.ndarray:
        """(L,) whether a token covers any character; only such tokens can be borders of a mention."""
        return self.offsets[:, 0] < self.offsets[:, 1]

    def char_span(self, start: int, end: int) -> Span:
        """Return the characters from token `start` to token `end`, both inclusive."""
        return Span(int(self.offsets[start, 0]), int(self.offsets[end, 1]))

    def truncated(self, max_length: int) -> "Encoding":
        """Return the encoding of the beginning of the text that fits into this number of tokens."""
        if len(self) <= max_length:
            return self
        before, after = self.specials
        kept = self._kept(before, max(max_length - after, before))
        offsets = self.offsets[kept]
        chars_read = int(offsets[:, 1].max(initial=0))
        if not self.text[chars_read:].strip():
            chars_read = len(self.text)
        return Encoding(self.text, self.input_ids[kept], offsets, self.unknown[kept], chars_read, self.specials)

    def window(self, first: int, last: int) -> tuple["Encoding", int]:
        """Return the encoding of the tokens from `first` to before `last`, and where its text starts in the whole text.

        It has the special tokens of the whole text.
        """
        before, after = self.specials
        kept = self._kept(first, last)
        start = 0 if first == before else int(self.offsets[first:last, 0].min())
        end = len(self.text) if last == len(self) - after else int(self.offsets[first:last, 1].max())
        covering = self.pointable[kept, None]
        offsets = np.where(covering, self.offsets[kept] - start, 0)
        text = self.text[start:end]
        return Encoding(text, self.input_ids[kept], offsets, self.unknown[kept], len(text), self.specials), start

    def _kept(self, first: int, last: int) -> np.ndarray:
        before, after = self.specials
        kept: np.ndarray = np.r_[0:before, first:last, len(self) - after : len(self)]
        return kept

    @cached_property
    def _borders(self) -> tuple[dict[int, int], dict[int, int]]:
        starts: dict[int, int] = {}
        ends: dict[int, int] = {}
        for token, (start, end) in enumerate(self.offsets.tolist()):
            if start < end:
                # The bytes of a character may be tokens of the same range: a mention starts with the first of them
                # and ends with the last.
                starts.setdefault(start, token)
                ends[end] = token
        return starts, ends

    def token_span(self, span: Span) -> TokenSpan | Misalignment:
        """Return the tokens that cover exactly these characters, or the reason why there are none."""
        if not 0 <= span.start < span.end <= len(self.text):
            return Misalignment.NOT_IN_TEXT
        starts, ends = self._borders
        start, end = starts.get(span.start), ends.get(span.end)
        if start is not None and end is not None:
            # Where two tokens share the bytes of a character, the second one starts before the first one ends.
            return TokenSpan(start, end) if start <= end else Misalignment.INSIDE_TOKEN
        if span.end > self.chars_read:
            return Misalignment.TRUNCATED
        causes = [self._cause(span.start)] if start is None else []
        causes += [self._cause(span.end - 1)] if end is None else []
        return Misalignment.UNKNOWN_RUN if Misalignment.UNKNOWN_RUN in causes else causes[0]

    def _cause(self, char: int) -> Misalignment:
        covering = np.flatnonzero((self.offsets[:, 0] <= char) & (char < self.offsets[:, 1]))
        if covering.size == 0:
            return Misalignment.UNREAD_BORDER
        return Misalignment.UNKNOWN_RUN if self.unknown[covering].any() else Misalignment.INSIDE_TOKEN


@dataclass(frozen=True, slots=True)
class Batch:
    """Encodings padded to one length, as arrays.

    *Shape:* input_ids, attention_mask, pointable, word_ids (B, L); prior (E, 6), the row and then a candidate of it.
    """

    input_ids: np.ndarray
    attention_mask: np.ndarray
    pointable: np.ndarray
    word_ids: np.ndarray | None = None
    prior: np.ndarray | None = None

    def model_inputs(self) -> dict[str, np.ndarray]:
        """Return the arguments of a model's forward."""
        inputs = {"input_ids": self.input_ids, "attention_mask": self.attention_mask}
        for name, array in (("word_ids", self.word_ids), ("prior", self.prior)):
            if array is not None:
                inputs[name] = array
        return inputs


def encode(tokenizer: Any, texts: Sequence[str], max_length: int | None = None) -> list[Encoding]:
    """Tokenise texts, keeping for every token the characters it covers.

    Args:
        tokenizer: a fast tokenizer of transformers, or an object with the same `backend_tokenizer` of the library
            tokenizers, `unk_token_id` and `is_fast`.
        texts: the users' strings.
        max_length: tokens to keep of each text, special tokens included; all by default.

    Raises:
        TypeError: the tokenizer is not a fast one, so it has no offsets.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise TypeError(
            f"{type(tokenizer).__name__} is not a fast tokenizer, so it has no character offsets; "
            f"load it by AutoTokenizer.from_pretrained, from a folder with a tokenizer.json"
        )
    if not texts:
        return []
    backend = _ready(tokenizer.backend_tokenizer)
    # A lone surrogate cannot be tokenised. U+FFFD is one code point as well, so the offsets stay right.
    readable = [_SURROGATE.sub("\ufffd", text) for text in texts]
    tokens = backend.encode_batch(readable)
    unknown_id = tokenizer.unk_token_id
    prefixes = {backend.token_to_id(prefix): prefix for prefix in _PREFIXES}
    prefixes.pop(unknown_id, None)
    prefixes.pop(None, None)
    counts = [len(part) for part in tokens]
    ends = list(accumulate(counts))
    # One array for all texts, because numpy takes as long to make a short array as a long one.
    all_ids = _flat((part.ids for part in tokens), ends[-1])
    all_offsets = _flat(chain.from_iterable(part.offsets for part in tokens), 2 * ends[-1]).reshape(-1, 2)
    all_unknown = all_ids == (-1 if unknown_id is None else unknown_id)
    # Likewise, offsets are tidied in one text of all. A line feed keeps the marks at a start from the text before.
    begins = np.repeat([0, *accumulate(len(text) + 1 for text in readable[:-1])], counts)[:, None]
    all_offsets = _tidy(all_offsets + begins, all_ids, prefixes, "\n".join(readable)) - begins
    # A text without other tokens does not show which special tokens come after it.
    specials = _specials(max(tokens, key=len).special_tokens_mask)
    encodings = []
    for text, count, end in zip(texts, counts, ends, strict=True):
        part = slice(end - count, end)
        encoding = Encoding(text, all_ids[part], all_offsets[part], all_unknown[part], len(text), specials)
        encodings.append(encoding if max_length is None else encoding.truncated(max_length))
    return encodings


def _ready(backend: Any) -> Any:
    """Switch off truncation, padding and special tokens in texts."""
    # Set only if needed, since several threads may share the tokenizer.
    if backend.truncation is not None:
        backend.no_truncation()
    if backend.padding is not None:
        backend.no_padding()
    if not backend.encode_special_tokens:
        backend.encode_special_tokens = True  # "[SEP]" in a text is five characters
    return backend


def _specials(mask: Sequence[int]) -> tuple[int, int]:
    """Count the special tokens before a text and after it."""
    before = next((index for index, special in enumerate(mask) if not special), len(mask))
    after = next((index for index, special in enumerate(reversed(mask)) if not special), 0)
    return before, after


def _flat(lists: Iterable[Iterable[int]], count: int) -> np.ndarray:
    return np.fromiter(chain.from_iterable(lists), dtype=np.int64, count=count)


def pad(encodings: Sequence[Encoding], pad_token_id: int, multiple: int = 1, max_length: int | None = None) -> Batch:
    """Pad encodings on the right to the longest one, or to the next multiple of a number of tokens.

    Args:
        encodings: all with word ids or all without, and likewise with candidates.
        pad_token_id: of the tokenizer.
        multiple: the length becomes a multiple of this.
        max_length: limit of that rounding.
    """
    # Without special tokens an empty text has no tokens, but a tensor must not have length 0.
    longest = max(1, *(len(encoding) for encoding in encodings))
    length = -(-longest // multiple) * multiple
    if max_length is not None:
        length = max(longest, min(length, max_length))
    shape = (len(encodings), length)
    input_ids = np.full(shape, pad_token_id, dtype=np.int64)
    attention_mask = np.zeros(shape, dtype=np.int64)
    pointable = np.zeros(shape, dtype=bool)
    word_ids = None if encodings[0].word_ids is None else np.zeros(shape, dtype=np.int64)
    candidates = []
    for row, encoding in enumerate(encodings):
        input_ids[row, : len(encoding)] = encoding.input_ids
        attention_mask[row, : len(encoding)] = 1
        pointable[row, : len(encoding)] = encoding.pointable
        if word_ids is not None and encoding.word_ids is not None:
            word_ids[row, : len(encoding)] = encoding.word_ids
        if encoding.candidates is not None:
            candidates.append(np.pad(encoding.candidates, ((0, 0), (1, 0)), constant_values=row))
    prior = np.concatenate(candidates) if candidates else None
    return Batch(input_ids, attention_mask, pointable, word_ids, prior)


_SURROGATE = re.compile("[\ud800-\udfff]")


_SPACE = re.compile(r"\s")
# Characters that compose with the one before without being marks: conjoining vowels and finals of Korean, voicing of
# half-width kana.
_JOINS = re.compile("[\u1160-\u11ff\ud7b0-\ud7ff\uff9e\uff9f]")
# Everything outside the common blocks without marks; texts without such characters skip a closer look.
_RARE = re.compile("[^\x00-\u02ff\u2010-\u2027\u3000-\u3029\u3041-\u3096\u30a0-\u30ff\u3400-\u9fff\uff01-\uff9d]")
_PREFIXES = ("▁", "Ġ")


def _tidy(offsets: np.ndarray, input_ids: np.ndarray, prefixes: Mapping[int, str], text: str) -> np.ndarray:
    """Bring a tokenizer's offsets to the form that the module describes."""
    offsets = _without_prefixes(offsets, input_ids, prefixes, text)
    return _with_marks(_without_space(offsets, text), text)


def _without_prefixes(offsets: np.ndarray, input_ids: np.ndarray, prefixes: Mapping[int, str], text: str) -> np.ndarray:
    """Make tokens that stand for the space before a word cover nothing.

    SentencePiece puts such a space before a text that has none and gives it the first character's range.
    """
    for token in np.flatnonzero(np.isin(input_ids, list(prefixes))).tolist():
        start, end = offsets[token].tolist()
        if text[start:end] != prefixes[int(input_ids[token])]:
            offsets[token] = start
    return offsets


def _without_space(offsets: np.ndarray, text: str) -> np.ndarray:
    """Move the edges of tokens inwards over white space; a token of white space alone covers nothing."""
    space = np.zeros(len(text) + 1, dtype=bool)
    space[[match.start() for match in _SPACE.finditer(text)]] = True
    starts, ends = offsets.T
    for token in np.flatnonzero((starts < ends) & (space[starts] | space[ends - 1])).tolist():
        start, end = offsets[token].tolist()
        inner = text[start:end].strip()
        start = start + text[start:end].find(inner)
        offsets[token] = start, start + len(inner)
    return offsets


def _with_marks(offsets: np.ndarray, text: str) -> np.ndarray:
    """Extend tokens over the marks after them that a normaliser stripped or composed, so that no token covers them."""
    rare = [match.start() for match in _RARE.finditer(text)]
    marks = [at for at in rare if unicodedata.category(text[at])[0] == "M" or _JOINS.match(text[at])]
    if not marks:
        return offsets
    steps = np.zeros(len(text) + 1, dtype=np.int32)
    np.add.at(steps, offsets[:, 0], 1)
    np.add.at(steps, offsets[:, 1], -1)
    uncovered = steps.cumsum(dtype=np.int32) == 0
    reach = np.arange(len(text) + 1)
    for mark in reversed(marks):
        if uncovered[mark]:
            reach[mark] = reach[mark + 1]
    start, end = offsets[:, 0], offsets[:, 1]
    return np.stack([start, np.where(start < end, reach[end], end)], axis=1)
