"""Words and word segmenters (kexue.fm/archives/6671, "字词混合Embedding")."""

import re
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np


class Segmenter(Protocol):
    """A function that cuts a text into words; joined, they are the text."""

    def __call__(self, text: str, /) -> Sequence[str]:
        """Return the words of a text, white space and punctuation included."""
        ...


class SegmentationError(ValueError):
    """A segmenter changed a text, so that its words cannot be located in it."""


def _rjieba() -> Segmenter:
    try:
        segment: Segmenter = import_module("rjieba").cut
    except ImportError:
        raise ImportError("the segmenter rjieba is not installed: pip install 'hf-spo[words]'") from None
    return segment


_SEGMENTERS: dict[str, Callable[[], Segmenter]] = {"rjieba": _rjieba, "characters": lambda: list}


def register_segmenter(name: str, make: Callable[[], Segmenter]) -> None:
    """Register a segmenter under the name that models' configs use.

    Args:
        name: as in `segmenter` of [`DgcnnConfig`].
        make: returns the segmenter; called when a model needs it.
    """
    _SEGMENTERS[name] = make


def make_segmenter(name: str) -> Segmenter:
    """Return the segmenter of this name.

    Raises:
        ValueError: no segmenter has this name.
        ImportError: the segmenter is not installed.
    """
    if name not in _SEGMENTERS:
        raise ValueError(
            f"no segmenter {name!r}; there are {', '.join(_SEGMENTERS)}; call hf_spo.register_segmenter({name!r}, …) "
            f"before loading this model"
        )
    return _SEGMENTERS[name]()


class WordVocabulary:
    """Words that a model knows, numbered from 1; 0 stands for all others.

    Args:
        words: in the order of their vectors.
        segmenter: name of the segmenter, see [`register_segmenter`].
    """

    def __init__(self, words: Iterable[str], segmenter: str = "rjieba") -> None:
        self.words = list(words)
        self.segmenter = segmenter
        self._segment = make_segmenter(segmenter)
        self._ids = {word: number for number, word in enumerate(self.words, 1)}

    def __len__(self) -> int:
        return len(self.words) + 1

    def ids(self, text: str) -> np.ndarray:
        """Return for each character the number of its word. *Shape:* (characters,).

        Raises:
            SegmentationError: the segmenter changed the text.
        """
        words = segment(self._segment, text, self.segmenter)
        ids = [self._ids.get(word) or self._ids.get(word.lower(), 0) for word in words]
        return np.repeat(np.asarray(ids, dtype=np.int64), [len(word) for word in words])

    def save(self, path: Path) -> None:
        """Write one word a line."""
        path.write_text("".join(f"{word}\n" for word in self.words), encoding="utf-8", newline="\n")

    @classmethod
    def from_file(cls, path: str | Path, segmenter: str) -> "WordVocabulary":
        """Read what `save` wrote.

        Raises:
            ValueError: the file is not UTF-8 or is truncated, or there is no such segmenter.
        """
        # As bytes, because a word may be a carriage return, which text mode would read as a line end.
        try:
            *words, rest = Path(path).read_bytes().decode("utf-8").split("\n")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is damaged ({error}); copy or download it again") from None
        if rest:
            raise ValueError(f"{path} is damaged (truncated after {rest!r}); copy or download it again")
        return cls(words, segmenter)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_segment"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _segment=make_segmenter(state["segmenter"]))


def segment(segmenter: Segmenter, text: str, name: str) -> Sequence[str]:
    """Cut a text into words, and check that they are the text.

    Raises:
        SegmentationError: the words joined are not the text.
    """
    # Segmenters in Rust or C refuse lone surrogates. U+FFFD is one code point as well.
    readable = re.sub("[\ud800-\udfff]", "\ufffd", text)
    words = segmenter(readable)
    joined = "".join(words)
    if joined != readable:
        at = next(
            (i for i, (a, b) in enumerate(zip(joined, readable, strict=False)) if a != b),
            min(len(joined), len(readable)),
        )
        raise SegmentationError(
            f"the segmenter {name!r} changed the text beginning {text[:20]!r}: at character {at} it returned "
            f"{joined[at : at + 10]!r}, expected {readable[at : at + 10]!r}; its words joined must be the text, white "
            f"space included. Use another segmenter, or wrap it so that it restores what it drops"
        )
    return words
