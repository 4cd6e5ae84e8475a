"""The one extraction loop: subjects of a whole batch, then all their objects in one pass over the cached states.

Pipeline, command line, evaluation in training and whatever is built later run this loop and the decoder behind it.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import fields, replace
from enum import StrEnum
from itertools import islice
from typing import Any, Protocol, Self

import numpy as np

from .alignment import Batch, Encoding, encode, pad
from .decoding import Objects, Subjects, assemble, decode_objects, decode_subjects, weigh
from .decoding_settings import DecodingSettings
from .features import Features
from .rules import apply_rules
from .schema import Schema, Triple

logger = logging.getLogger(__name__)


class PointerBackend(Protocol):
    """All that extraction knows of a model."""

    def subjects(self, batch: Batch) -> tuple[Any, np.ndarray]:
        """Encode a batch: the state that `objects` wants back, and probabilities (B, L, 2)."""
        ...

    def objects(self, state: Any, rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Return probabilities (N, L, R, 2) for subjects in sentences `rows` (N,) at tokens `spans` (N, 2)."""
        ...


class OnTruncation(StrEnum):
    """What to do with a text that is longer than the model reads."""

    WARN = "warn"
    ERROR = "error"


class TextTooLongError(ValueError):
    """A text is longer than the model reads, and the caller asked not to have it cut."""


class TripleExtractor:
    """Extract triples from texts with any pointer backend.

    Args:
        backend: a model behind [`PointerBackend`].
        tokenizer: the fast tokenizer that the model was trained with.
        schema: the model's relations.
        max_length: tokens read of a text, special tokens included.
        features: words and candidates that the model reads beside the tokens, if it does.
        decoding: how probabilities become triples.
        rules: hold triples to what the schema declares of their relations, see [`apply_rules`].
        top_k: keep at most this many triples of a text, the best scored.
        on_truncation: warn about a text that is cut, or raise.
        look_ahead: batches that are tokenised together and sorted by length, so that little is padded.
    """

    # Elements of one (n, L, R, 2) array of object probabilities: bounds memory whatever the number of subjects.
    _object_budget = 1 << 24

    def __init__(
        self,
        backend: PointerBackend,
        tokenizer: Any,
        schema: Schema,
        *,
        max_length: int,
        features: Features | None = None,
        decoding: DecodingSettings | None = None,
        rules: bool = True,
        top_k: int | None = None,
        on_truncation: str = OnTruncation.WARN,
        look_ahead: int = 16,
    ) -> None:
        if top_k is not None and top_k < 1:
            raise ValueError(f"top_k={top_k}: expected a whole number of at least 1, or None for all triples")
        self.backend = backend
        self.tokenizer = tokenizer
        self.schema = schema
        self.max_length = max_length
        self.features = features or Features()
        self.decoding = decoding or DecodingSettings()
        if len(self.decoding.score_thresholds) not in (0, 1, len(schema)):
            raise ValueError(
                f"{len(self.decoding.score_thresholds)} score thresholds: expected one, or one for each of the "
                f"{len(schema)} relations"
            )
        self.rules = rules and schema.has_rules
        self.top_k = top_k
        if on_truncation not in list(OnTruncation):
            raise ValueError(f"on_truncation={on_truncation!r}: expected one of {', '.join(OnTruncation)}")
        self.on_truncation = OnTruncation(on_truncation)
        self.look_ahead = look_ahead

    def redecoded(self, decoding: DecodingSettings) -> Self:
        """Return the same loop with other settings."""
        other = copy(self)
        other.decoding = decoding
        return other

    def on(self, wrap: Callable[[PointerBackend], PointerBackend]) -> Self:
        """Return the same loop on another backend, made of its own."""
        other = copy(self)
        other.backend = wrap(self.backend)
        return other

    def bare(self) -> Self:
        """Return the same loop without what is done to triples after decoding."""
        other = self.redecoded(replace(self.decoding, calibration=None, score_thresholds=()))
        other.rules, other.top_k = False, None
        return other

    def __call__(self, texts: Iterable[str], batch_size: int = 32) -> Iterator[list[Triple]]:
        """Yield the triples of each text, in the order of the texts, reading only a few batches ahead.

        Raises:
            TypeError: an input is no string, or a single string was passed for the texts.
            ValueError: the batch size is not positive.
            TextTooLongError: a text is too long, with `on_truncation="error"`.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size}: expected a whole number of at least 1")
        if isinstance(texts, str):
            raise TypeError("expected several texts, got one str; pass [text]")
        return self._extract(iter(texts), batch_size)

    def _extract(self, stream: Iterator[str], batch_size: int) -> Iterator[list[Triple]]:
        while block := list(islice(stream, batch_size * self.look_ahead)):
            encodings = self.encode(block)
            results: list[list[Triple]] = [[] for _ in block]
            # Blank texts have nothing to point at and go round the model.
            order = sorted((i for i, e in enumerate(encodings) if e.pointable.any()), key=lambda i: len(encodings[i]))
            for at in range(0, len(order), batch_size):
                chosen = order[at : at + batch_size]
                for index, triples in zip(chosen, self.run([encodings[i] for i in chosen]), strict=True):
                    results[index] = triples
            yield from results

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Tokenise texts; texts that are cut are named in a warning or an error."""
        for text in texts:
            _require_text(text)
        encodings = encode(self.tokenizer, texts, self.max_length)
        for encoding in encodings:
            unread = len(encoding.text) - encoding.chars_read
            if unread:
                message = (
                    f"{unread} of {len(encoding.text)} characters were not read: the text beginning "
                    f"{encoding.text[:20]!r} is longer than the model's {self.max_length} tokens; "
                    f"split it into sentences"
                )
                if self.on_truncation == OnTruncation.ERROR:
                    raise TextTooLongError(message)
                logger.warning(message)
        self.features.annotate(encodings)
        return encodings

    def run(self, encodings: Sequence[Encoding]) -> list[list[Triple]]:
        """Run both passes over one batch of encodings that have anything to point at."""
        batch = pad(encodings, self.tokenizer.pad_token_id or 0)
        state, probs = self.backend.subjects(batch)
        chosen = self.decoding
        subjects = decode_subjects(probs, batch.pointable, chosen.thresholds, chosen.span_pairing)
        objects = self._objects(state, batch, subjects)
        return [self.finish(group) for group in assemble(encodings, subjects, objects, self.schema)]

    def finish(self, triples: Sequence[Triple]) -> list[Triple]:
        """Make of what was decoded in a text what is returned.

        Scores are calibrated, low ones dropped, rules applied, and the best kept.
        """
        weighed = weigh(triples, self.schema, self.decoding.calibration, self.decoding.score_thresholds)
        ruled = apply_rules(weighed, self.schema) if self.rules else weighed
        return ruled if self.top_k is None else _best(ruled, self.top_k)

    def _objects(self, state: Any, batch: Batch, subjects: Subjects) -> Objects:
        size = max(1, self._object_budget // (batch.input_ids.shape[1] * len(self.schema) * 2))
        parts = []
        for at in range(0, len(subjects), size):
            rows, spans = subjects.rows[at : at + size], subjects.spans[at : at + size]
            probs = self.backend.objects(state, rows, spans)
            part = decode_objects(probs, batch.pointable[rows], self.decoding.thresholds, self.decoding.span_pairing)
            parts.append(Objects(part.subjects + at, part.relations, part.spans, part.scores))
        if not parts:
            return Objects(*(np.zeros(shape, dtype=np.int64) for shape in (0, 0, (0, 2), 0)))
        names = [field.name for field in fields(Objects)]
        return Objects(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _require_text(text: object) -> None:
    if not isinstance(text, str):
        hint = '; of a data set pass one column, KeyDataset(dataset, "text")' if isinstance(text, dict) else ""
        raise TypeError(f"expected a text (str), got {type(text).__name__}: {text!r:.80}{hint}")


def _best(triples: list[Triple], top_k: int) -> list[Triple]:
    return sorted(triples, key=lambda triple: triple.score or 0.0, reverse=True)[:top_k]
