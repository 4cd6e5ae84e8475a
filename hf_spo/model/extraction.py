"""The extraction loop: one pass for the subjects of a batch, and one over its cached states for all their objects.

Long texts are read in windows, which share batches with the windows of other texts. The pipelines, the command line and
evaluation during training all run this loop.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from numbers import Integral
from typing import Any, Protocol, Self, TypeVar, Unpack

import numpy as np

from .alignment import Batch, Encoding, encode, pad
from .decoding import Objects, Subjects, assemble, calibrate_and_filter, decode_objects, decode_subjects
from .decoding_settings import DecodingSettings
from .features import Features
from .options import ExtractionKwargs, ExtractionOptions, OnLong
from .results import describe_input
from .rules import apply_rules
from .schema import Schema, Triple
from .windows import Piece, Window, WindowSize, join, pieces, split, usual_stride

logger = logging.getLogger(__name__)

_Item = TypeVar("_Item")


class PointerBackend(Protocol):
    """The interface of a model to the extraction loop; [`for_relations`], [`object_limits`]: optional methods."""

    def subjects(self, batch: Batch) -> tuple[Any, np.ndarray]:
        """Encode a batch. Returns a state for `objects`, and probabilities (B, L, 2)."""
        ...

    def objects(self, state: Any, rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Return probabilities (N, L, R, 2) for subjects in sentences `rows` (N,) at tokens `spans` (N, 2)."""
        ...


class SlicedBackend:
    """A backend whose object probabilities are those of some relations only.

    The backend computes all relations; the others are cut off. A backend that can compute fewer has a method
    `for_relations`, which returns itself for some labels.
    """

    def __init__(self, backend: PointerBackend, labels: Sequence[int]) -> None:
        self._backend = backend
        self._labels = list(labels)
        self.subjects = backend.subjects

    def objects(self, state: Any, rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Return probabilities (N, L, labels, 2). *Shape:* rows (N,), spans (N, 2)."""
        return self._backend.objects(state, rows, spans)[:, :, self._labels]


def for_relations(backend: PointerBackend, labels: Sequence[int]) -> PointerBackend:
    """Return a backend for some relations: `objects` gives probabilities (N, L, labels, 2)."""
    restrict: Callable[[Sequence[int]], PointerBackend] | None = getattr(backend, "for_relations", None)
    return SlicedBackend(backend, labels) if restrict is None else restrict(labels)


def object_limits(backend: PointerBackend, state: Any) -> np.ndarray | None:
    """Return what the object probabilities of each token do not exceed, (B, L, 2), where a backend knows it.

    Such a backend has this method, and its `objects` takes `tokens` (N, K), the tokens of each subject's sentence to
    compute: most tokens can be no borders, whatever the subject.
    """
    limits: Callable[[Any], np.ndarray | None] | None = getattr(backend, "object_limits", None)
    return None if limits is None else limits(state)


class Loop(Protocol):
    """An extraction loop: [`TripleExtractor`] or [`EnsembleExtractor`]."""

    def __call__(self, texts: Iterable[str], batch_size: int | None = None) -> Iterator[list[Triple]]:
        """Yield the triples of each text."""
        ...


def extract_items(
    loop: Loop, items: Iterable[_Item], text: Callable[[_Item], str], batch_size: int | None = None
) -> Iterator[tuple[_Item, list[Triple]]]:
    """Extract from the texts of items, and yield each item with its triples.

    Only the items that the loop reads ahead are held.
    """
    ahead: deque[_Item] = deque()

    def texts() -> Iterator[str]:
        for item in items:
            ahead.append(item)
            yield text(item)

    return ((ahead.popleft(), triples) for triples in loop(texts(), batch_size))


class TextTooLongError(ValueError):
    """A text is longer than the model's limit, and `on_long` is "error"."""


class TripleExtractor:
    """Extract triples from texts with any pointer backend.

    Args:
        backend: a model behind [`PointerBackend`].
        tokenizer: the fast tokenizer that the model was trained with.
        schema: the model's relations.
        max_length: longest sequence of the model in tokens, special tokens included.
        features: words and candidates that the model reads beside the tokens.
        decoding: how probabilities become triples, unless the options say otherwise.
        look_ahead: batches that are tokenised together and sorted by length, so that little is padded.
        options: see [`ExtractionOptions`]; `window` is at most and by default `max_length`.

    Raises:
        TypeError: an option is unknown or of the wrong type.
        ValueError: an argument is out of range.
    """

    # Elements of the largest array of an object pass: limits memory for any number of subjects. Blocks above 32 MB are
    # slower, because the C library returns them to the system and allocates them again.
    _object_budget = 1 << 22

    def __init__(
        self,
        backend: PointerBackend,
        tokenizer: Any,
        schema: Schema,
        *,
        max_length: int,
        features: Features | None = None,
        decoding: DecodingSettings | None = None,
        look_ahead: int = 16,
        **options: Unpack[ExtractionKwargs],
    ) -> None:
        chosen = ExtractionOptions.from_dict(options)
        self.labels = chosen.labels(schema)
        self.predicates = chosen.relations
        self.backend = backend if self.labels is None else for_relations(backend, self.labels)
        self.tokenizer = tokenizer
        self.schema = schema
        self.max_length = max_length
        self.features = features or Features()
        self.decoding = chosen.decoding(decoding or DecodingSettings())
        if len(self.decoding.score_thresholds) not in (0, 1, len(schema)):
            raise ValueError(
                f"{len(self.decoding.score_thresholds)} score thresholds: expected one, or one for each of the "
                f"{len(schema)} relations"
            )
        self.rules = chosen.rules and schema.has_rules
        self.top_k = chosen.top_k
        self.on_long = OnLong(chosen.on_long)
        self.window = max_length if chosen.window is None else chosen.window
        if self.window > max_length:
            raise ValueError(f"window={self.window}: expected 3 to {max_length} tokens, the limit of the model")
        self.stride = usual_stride(self.window, max_length) if chosen.stride is None else chosen.stride
        if self.stride > self.window // 2:
            raise ValueError(f"stride={self.stride}: expected 0 to {self.window // 2} tokens, half of the window")
        self.batch_tokens = chosen.batch_tokens
        self.look_ahead = look_ahead

    def redecoded(self, decoding: DecodingSettings) -> Self:
        """Return the same loop with other decoding settings."""
        other = copy(self)
        other.decoding = decoding
        return other

    def with_backend(self, wrap: Callable[[PointerBackend], PointerBackend]) -> Self:
        """Return the same loop on another backend, made from the present one."""
        other = copy(self)
        other.backend = wrap(self.backend)
        return other

    def without_postprocessing(self) -> Self:
        """Return the same loop without [`postprocess`]: no calibration, score thresholds, rules or filters."""
        other = self.redecoded(replace(self.decoding, calibration=None, score_thresholds=()))
        other.rules, other.top_k, other.predicates = False, None, None
        return other

    def __call__(self, texts: Iterable[str], batch_size: int | None = None) -> Iterator[list[Triple]]:
        """Yield the triples of each text; see [`pairs`]."""
        return (triples for _, triples in self.pairs(texts, batch_size))

    def pairs(self, texts: Iterable[str], batch_size: int | None = None) -> Iterator[tuple[str, list[Triple]]]:
        """Yield each text with its triples, in the order of the texts, reading only a few batches ahead.

        A batch has as many texts, or windows of long ones, as `batch_tokens` allows, and no more than `batch_size`.

        Raises:
            TypeError: an input is not a string, or a single string was passed for the texts.
            ValueError: the batch size is not positive.
            TextTooLongError: a text is too long, with `on_long="error"`.
        """
        check_batch(texts, batch_size)
        return self._extract(texts, batch_size)

    def _extract(self, texts: Iterable[str], batch_size: int | None) -> Iterator[tuple[str, list[Triple]]]:
        found: dict[int, list[list[Triple]]] = {}
        for block, windows in self._read_ahead(texts, batch_size):
            for piece in block:
                found.setdefault(piece.text_index, [])
            # Blank texts skip the model.
            pointable = [window for window in windows if window.encoding.pointable.any()]
            for batch in self._batches(pointable, batch_size):
                for window, triples in zip(batch, self.run(batch), strict=True):
                    found[window.text_index].append(window.place(triples))
            for piece in block:
                if piece.is_last:
                    yield piece.whole, self.postprocess(join(found.pop(piece.text_index)))

    def _read_ahead(
        self, texts: Iterable[str], batch_size: int | None
    ) -> Iterator[tuple[Sequence[Piece], Sequence[Window]]]:
        """Yield blocks of pieces with their windows.

        A thread tokenises each block while the model runs on the one before. The input is read in the caller's thread.
        """
        characters, count = self.look_ahead * self.batch_tokens, batch_size and self.look_ahead * batch_size
        blocks = in_blocks(self.pieces(texts), _characters, characters, count)
        with ThreadPoolExecutor(1) as worker:
            pending: Future[tuple[Sequence[Piece], list[Window]]] | None = None
            for block in blocks:
                if pending is None:  # the model has nothing to do meanwhile
                    pending = Future()
                    pending.set_result(self._read_block(block))
                    continue
                coming = worker.submit(self._read_block, block)
                yield pending.result()
                pending = coming
            if pending is not None:
                yield pending.result()

    def _read_block(self, block: Sequence[Piece] | Exception) -> tuple[Sequence[Piece], list[Window]]:
        if isinstance(block, Exception):
            raise block
        return block, self.read(block)

    def _batches(self, windows: Sequence[Window], batch_size: int | None) -> Iterator[list[Window]]:
        """Group windows of similar length into batches, each as large as the limits allow."""
        batch: list[Window] = []
        for window in sorted(windows, key=lambda window: len(window.encoding)):
            full = (len(batch) + 1) * len(window.encoding) > self.batch_tokens or len(batch) == batch_size
            if batch and full:
                yield batch
                batch = []
            batch.append(window)
        if batch:
            yield batch

    def windows(self, texts: Iterable[str]) -> list[Window]:
        """Return the windows of texts, in order."""
        return self.read(list(self.pieces(texts)))

    def pieces(self, texts: Iterable[str]) -> Iterator[Piece]:
        """Cut very long texts into pieces that are tokenised at once; other texts are one piece each."""
        for index, text in enumerate(texts):
            if isinstance(text, str) and self.on_long == OnLong.WINDOW:
                yield from pieces(index, text, _PIECE)
            else:
                yield Piece(index, text, 0, text)

    def read(self, pieces: Sequence[Piece]) -> list[Window]:
        """Tokenise pieces of texts and cut them into windows."""
        for piece in pieces:
            _require_text(piece.content)
        encodings = encode(self.tokenizer, [piece.content for piece in pieces])
        groups = [self._cut(piece, encoding) for piece, encoding in zip(pieces, encodings, strict=True)]
        windows = [window for group in groups for window in group]
        whole = [piece.whole for piece, group in zip(pieces, groups, strict=True) for _ in group]
        self.annotate([window.encoding for window in windows], whole)
        return windows

    def annotate(self, encodings: Sequence[Encoding], texts: Sequence[str]) -> None:
        """Add words and candidates to the encodings of windows. `texts`: the whole text of each window."""
        self.features.annotate(encodings)

    def _cut(self, piece: Piece, encoding: Encoding) -> list[Window]:
        if self.on_long == OnLong.WINDOW:
            specials = sum(encoding.specials)
            size = WindowSize.of_model(self.window, self.max_length, specials, self.stride)
            return split(piece.text_index, encoding, size, piece.start)
        beginning = encoding.truncated(self.max_length)
        unread = len(encoding.text) - beginning.chars_read
        if unread:
            message = (
                f"{unread} of {len(encoding.text)} characters were not read: the text beginning "
                f"{encoding.text[:20]!r} is longer than the model's {self.max_length} tokens; "
                f'on_long="window" reads it whole'
            )
            if self.on_long == OnLong.ERROR:
                raise TextTooLongError(message)
            logger.warning(message)
        return [Window(piece.text_index, beginning)]

    def run(self, windows: Sequence[Window]) -> list[list[Triple]]:
        """Return the triples of one batch of windows, none of them blank; offsets are those of the window."""
        encodings = [window.encoding for window in windows]
        batch = pad(encodings, self.tokenizer.pad_token_id or 0, _MULTIPLE, self.max_length)
        state, probs = self.backend.subjects(batch)
        chosen = self.decoding
        subjects = decode_subjects(probs, batch.pointable, chosen.thresholds, chosen.span_pairing)
        objects = self._objects(state, batch, subjects)
        return assemble(encodings, subjects, objects, self.schema)

    def postprocess(self, triples: Sequence[Triple]) -> list[Triple]:
        """Calibrate scores, drop low ones, apply rules, select predicates and keep the top k of a text's triples."""
        kept = calibrate_and_filter(triples, self.schema, self.decoding.calibration, self.decoding.score_thresholds)
        if self.rules:
            kept = apply_rules(kept, self.schema)
        if self.predicates is not None:  # drops the predicates that were computed for the rules
            kept = [triple for triple in kept if triple.predicate in self.predicates]
        if self.top_k is not None:
            kept = sorted(kept, key=lambda triple: triple.score or 0.0, reverse=True)[: self.top_k]
        return kept

    def _objects(self, state: Any, batch: Batch, subjects: Subjects) -> Objects:
        labels = np.arange(len(self.schema)) if self.labels is None else np.array(self.labels)
        pointable, tokens = self._object_tokens(state, batch)
        width = max(2 * len(labels), _HIDDEN)
        size = max(1, self._object_budget // (pointable.shape[1] * width))
        parts = [Objects(*(np.zeros(shape, dtype=np.int64) for shape in (0, 0, (0, 2), 0)))]
        for at in range(0, len(subjects), size):
            rows, spans = subjects.rows[at : at + size], subjects.spans[at : at + size]
            some = {} if tokens is None else {"tokens": tokens[rows]}
            probs = self.backend.objects(state, rows, spans, **some)
            part = decode_objects(probs, pointable[rows], self.decoding.thresholds, self.decoding.span_pairing)
            found = part.spans if tokens is None else tokens[rows[part.subjects, None], part.spans]
            parts.append(Objects(part.subjects + at, labels[part.relations], found, part.scores))
        return Objects(*map(np.concatenate, zip(*parts, strict=True)))

    def _object_tokens(self, state: Any, batch: Batch) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the tokens that can be borders of objects, by position, and which of these are none but fill rows up.

        *Shape:* pointable (B, K), tokens (B, K); (B, L) and None if all tokens have to be computed.
        """
        limits = object_limits(self.backend, state)
        if limits is None:
            return batch.pointable, None
        thresholds = self.decoding.thresholds
        reaching = (limits > np.array([thresholds.object_start, thresholds.object_end], limits.dtype)).any(-1)
        possible = batch.pointable & reaching
        counts = possible.sum(axis=1, keepdims=True)
        places = np.arange(max(1, counts.max()))
        return places < counts, np.argsort(~possible, axis=1, kind="stable")[:, : len(places)]


# Pad to a multiple of 8 tokens so that kernel caches see few shapes.
_MULTIPLE = 8

# Width of the states of common models, which bound memory if there are few relations.
_HIDDEN = 1024

# Characters that are tokenised at once: a tokenizer needs about 500 bytes for each.
_PIECE = 1 << 14


def _characters(piece: Piece) -> int:
    return len(piece.content) if isinstance(piece.content, str) else 0


def in_blocks(
    items: Iterable[_Item], characters: Callable[[_Item], int], limit: int, count: int | None
) -> Iterator[list[_Item] | Exception]:
    """Yield blocks of items: as few as have `limit` characters, and at most `count`.

    An exception from the source of the items is yielded last, so that the items before it are not lost.
    """
    block: list[_Item] = []
    size = 0
    failure: Exception | None = None
    try:
        for item in items:
            block.append(item)
            size += characters(item)
            if size >= limit or len(block) == count:
                yield block
                block, size = [], 0
    except Exception as error:
        failure = error
    if block:
        yield block
    if failure is not None:
        yield failure


def check_batch(texts: object, batch_size: Any) -> None:
    """Check the arguments of an extraction loop, see [`TripleExtractor.pairs`]."""
    if batch_size is not None:
        message = f"batch_size={batch_size!r}: expected a whole number of at least 1, or None"
        if not isinstance(batch_size, Integral):
            raise TypeError(f"{message}, got {type(batch_size).__name__}")
        if batch_size < 1:
            raise ValueError(message)
    if isinstance(texts, str):
        raise TypeError("expected several texts, got one str; pass [text]")


def _require_text(text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"expected a text (str), got {describe_input(text)}")
