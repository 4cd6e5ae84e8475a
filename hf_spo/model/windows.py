"""Cut texts of any length into overlapping windows of whole sentences that fit a model, and join their triples."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .alignment import Encoding
from .decoding import merge
from .schema import Example, Mention, Triple
from .sentences import inside_words, sentence_ends


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """The part of a text that is tokenised at once, so that memory does not grow with the text.

    Args:
        text_index: index of the text in the input.
        content: the part.
        start: characters of the text before the part.
        whole: the text.
    """

    text_index: int
    content: str
    start: int
    whole: str

    @property
    def is_last(self) -> bool:
        """Whether the text ends with this piece."""
        return self.start + len(self.content) == len(self.whole)


def pieces(text_index: int, text: str, size: int) -> Iterator[Piece]:
    """Cut a text into pieces of at most this many characters, between sentences where it has any."""
    start = 0
    while len(text) - start > size:
        low, high = start + size // 2, start + size
        ends = list(sentence_ends(text, low, high))
        ends = ends or [match.end() for match in _CLAUSE.finditer(text, low, high)]
        end = ends[-1] if ends else high
        yield Piece(text_index, text[start:end], start, text)
        start = end
    yield Piece(text_index, text[start:], start, text)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A part of a text that a model reads at once.

    Args:
        text_index: index of the text in the input.
        encoding: tokens of the window alone.
        start: characters of the text before the window.
        torn: whether the window begins, and ends, inside a sentence whose rest is in another window.
    """

    text_index: int
    encoding: Encoding
    start: int = 0
    torn: tuple[bool, bool] = (False, False)

    def place(self, triples: Iterable[Triple]) -> list[Triple]:
        """Move triples from window offsets to text offsets, and drop those that the window's border may cut.

        A mention that touches a border inside a sentence may continue in the next window, which finds it whole.
        """
        whole = [triple for triple in triples if not self._is_torn(triple)]
        return [triple.moved(self.start) for triple in whole] if self.start else whole

    def part_of(self, example: Example) -> Example:
        """Return the window's text with the triples of an example, the text's, that lie inside the window."""
        if len(self.encoding.text) == len(example.text):
            return example
        moved = tuple(triple.moved(-self.start) for triple in example.triples if self._covers(triple))
        return replace(example, text=self.encoding.text, triples=moved)

    def holds(self, triple: Triple) -> bool:
        """Tell whether a triple of the text can be found in this stretch: all its mentions lie in it, none is torn."""
        return self._covers(triple) and not self._is_torn(triple.moved(-self.start))

    def _covers(self, triple: Triple) -> bool:
        end = self.start + len(self.encoding.text)
        spans = [mention.span for mention in _mentions(triple) if mention.span is not None]
        return all(self.start <= span.start < span.end <= end for span in spans)

    def _is_torn(self, triple: Triple) -> bool:
        if not any(self.torn):
            return False
        spans = [mention.span for mention in _mentions(triple) if mention.span is not None]
        at_start = self.torn[0] and any(span.start == 0 for span in spans)
        return at_start or (self.torn[1] and any(span.end == len(self.encoding.text) for span in spans))


def _mentions(triple: Triple) -> Iterator[Mention]:
    yield triple.subject
    for _, mention in triple.slots():
        yield mention


def join(parts: Sequence[list[Triple]]) -> list[Triple]:
    """Merge the triples that the windows of one text gave; those of a window are merged already.

    Equal triples at the same places become one with the best of their scores: a window that ends soon after a fact
    shows less of its context and scores it lower.
    """
    return parts[0] if len(parts) == 1 else merge(triple for part in parts for triple in part)


@dataclass(frozen=True, slots=True)
class WindowSize:
    """Sizes of windows, in tokens of the text, without special tokens.

    Args:
        usual: neighbouring sentences are read together up to this size. A model that was trained on single sentences
            finds less in a window of many.
        limit: of the model; a single sentence of more than `usual` tokens gets a window of up to this size.
        stride: tokens that neighbouring windows share, if whole sentences of that size can be shared.
    """

    usual: int
    limit: int
    stride: int

    @classmethod
    def of_model(cls, window: int, max_length: int, specials: int, stride: int | None = None) -> "WindowSize":
        """Return the size for a model's settings, which count special tokens; default stride: [`usual_stride`]."""
        if stride is None:
            stride = usual_stride(window, max_length)
        return cls(max(window - specials, 1), max(max_length - specials, 1), stride)

    @property
    def torn_stride(self) -> int:
        """Tokens that two windows share if the border between them is inside a sentence."""
        return max(self.stride, self.limit // 8)


def usual_stride(window: int, max_length: int) -> int:
    """Return a quarter of a window that is more than half as long as the model reads, else 0."""
    return window // 4 if window > max_length // 2 else 0


def split(text_index: int, encoding: Encoding, size: WindowSize, begin: int = 0) -> list[Window]:
    """Cut a piece of a text into windows of whole sentences.

    A sentence longer than `size.limit` is cut after a clause, between words or between tokens, in this order.

    Args:
        text_index: index of the text in the input.
        encoding: tokens of the piece.
        size: of the windows.
        begin: characters of the text before the piece.
    """
    before, after = encoding.specials
    count = len(encoding) - before - after
    if count <= size.usual or (count <= size.limit and _is_one_sentence(encoding.text)):
        return [Window(text_index, encoding, begin)]
    borders = Borders(encoding, before, count)
    made = []
    for first, last in borders.cut(size):
        part, start = encoding.window(before + first, before + last)
        torn = not borders.between_sentences(first), not borders.between_sentences(last)
        made.append(Window(text_index, part, begin + start, torn))
    return made


_LINE = re.compile(r"[\n\r\x85\u2028]+")
_CLAUSE = re.compile(r"[，,、;；:：،؛]")


def _is_one_sentence(text: str) -> bool:
    end = next(sentence_ends(text), None)
    return end is None or not text[end:].strip()


class Borders:
    """Positions at which a text may be cut, by preference. Positions count tokens of the text from 0.

    Args:
        encoding: the text.
        before: special tokens before the text.
        count: tokens of the text.
    """

    def __init__(self, encoding: Encoding, before: int, count: int) -> None:
        self.text = encoding.text
        self.count = count
        offsets = encoding.offsets[before : before + count]
        # Tokens that cover no character get the position of their neighbour; several tokens of one character stay
        # together.
        self._starts = np.maximum.accumulate(offsets[:, 0])
        ends = np.maximum.accumulate(offsets[:, 1])
        self._apart = np.flatnonzero(self._starts[1:] >= ends[:-1]) + 1
        self._sentences = self._after(sentence_ends(self.text))
        self._between = {0, count, *self._sentences.tolist()}

    def _after(self, positions: Iterable[int]) -> np.ndarray:
        """Return the tokens that follow each character position."""
        ends = np.fromiter(positions, dtype=np.int64)
        return np.intersect1d(np.searchsorted(self._starts, ends), self._apart)

    @cached_property
    def _levels(self) -> list[np.ndarray]:
        """Places to cut an overlong sentence, best first: after a line or a comma, between words, between tokens."""
        inside = np.array(inside_words(self.text))
        marks = [self._after(match.end() for match in mark.finditer(self.text)) for mark in (_LINE, _CLAUSE)]
        return [*marks, self._apart[~inside[self._starts[self._apart]]], self._apart]

    def between_sentences(self, position: int) -> bool:
        """Tell whether a sentence begins at a position."""
        return position in self._between

    def cut(self, size: WindowSize) -> Iterator[tuple[int, int]]:
        """Yield the first and last token of each window, the last exclusive."""
        first, last = 0, self._end(0, size)
        while last < self.count:
            yield first, last
            first = self._next(first, last, size)
            last = self._end(first, size)
        yield first, self.count

    def _end(self, first: int, size: WindowSize) -> int:
        """Return the end of a window: that of the last sentence that fits, or of the first one if none fits."""
        if first + size.usual >= self.count:
            return self.count
        sentences = self._sentences
        at = int(np.searchsorted(sentences, first + size.usual, side="right"))
        if at and sentences[at - 1] > first:
            return int(sentences[at - 1])
        end = int(sentences[at]) if at < len(sentences) else self.count
        return end if end <= first + size.limit else self._latest(first + size.limit // 2, first + size.limit)

    def _next(self, first: int, last: int, size: WindowSize) -> int:
        """Return the start of the window after this one."""
        if self.between_sentences(last):
            sentences = self._sentences
            low, high = np.searchsorted(sentences, (first, last), side="right")
            shared = np.searchsorted(sentences, last - size.stride, side="right") - 1
            starts = sentences[max(low, shared) : high].tolist()
        else:
            starts = [self._latest(first, last - size.torn_stride)]
        # A window that ends with this one, or before it, would add nothing.
        return next((start for start in starts if self._end(start, size) > last), last)

    def _latest(self, after: int, limit: int) -> int:
        """Return the last position of the best kind that is after one position and not after another."""
        for level in self._levels:
            at = int(np.searchsorted(level, limit, side="right")) - 1
            if at >= 0 and level[at] > after:
                return int(level[at])
        return limit
