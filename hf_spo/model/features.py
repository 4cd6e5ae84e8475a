"""Features of a text beside its tokens: the words around them, and known triples."""

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from .alignment import Encoding, Misalignment
from .schema import Span
from .triple_store import StatedTriples, TripleStore
from .words import WordVocabulary

WORDS_FILE = "words.txt"
PRIOR_FILE = "prior.jsonl"


class Features:
    """Features that a model reads beside tokens; none by default.

    Args:
        words: for encoders with a word table.
        prior: known triples, for models with `prior=True`.
    """

    def __init__(self, words: WordVocabulary | None = None, prior: TripleStore | None = None) -> None:
        self.words = words
        self.prior = prior

    def annotate(self, encodings: Sequence[Encoding], stated: Sequence[Sequence[StatedTriples]] = ()) -> None:
        """Set `word_ids` and `candidates` of encodings.

        Args:
            encodings: to annotate in place.
            stated: in training, the labelled triples of each text or part of it, see [`TripleStore.candidates`].
        """
        for index, encoding in enumerate(encodings):
            if self.words is not None:
                encoding.word_ids = self._word_ids(encoding, self.words)
            if self.prior is not None:
                found = self.prior.candidates(encoding.text, stated[index] if stated else ())
                encoding.candidates = _token_candidates(encoding, found)

    @staticmethod
    def _word_ids(encoding: Encoding, words: WordVocabulary) -> np.ndarray:
        by_character = np.append(words.ids(encoding.text[: encoding.chars_read]), 0)
        return np.where(encoding.pointable, by_character[encoding.offsets[:, 0]], 0)

    def save(self, folder: str | PathLike[str]) -> None:
        """Write words and triples into a model's folder."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        if self.words is not None:
            self.words.save(Path(folder) / WORDS_FILE)
        if self.prior is not None:
            self.prior.save(Path(folder) / PRIOR_FILE)


def _token_candidates(encoding: Encoding, found: Iterable[tuple[Span, Span, int]]) -> np.ndarray:
    rows = []
    for subject_span, value_span, relation in found:
        subject, value = encoding.token_span(subject_span), encoding.token_span(value_span)
        if not isinstance(subject, Misalignment) and not isinstance(value, Misalignment):
            rows.append((subject.start, subject.end, value.start, value.end, relation))
    return np.asarray(rows, dtype=np.int64).reshape(-1, 5)
