"""Extraction behind the page: models that load when they are first asked, one call at a time, within limits."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

from ..model.extraction import Loop
from ..model.schema import Thresholds, Triple

MAX_CHARACTERS = 10_000
"""Of a text."""

LOWEST_BORDER = 0.05
"""Below it nearly every token is a border, and the work has no end."""


class Pipe(Protocol):
    """What a model is loaded as: a pipeline, on torch or on onnxruntime."""

    def extractor(self, **parameters: Any) -> Loop:
        """Return the extraction loop, with arguments as in a call."""
        ...


Loaders = Mapping[str, Callable[[], Pipe]]
"""Models by the names that the page shows, and what loads each."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a reader can set.

    Args:
        model: its name.
        border: probability that a border has to exceed; 0 stands for the model's own.
        score: that a triple needs; 0 stands for the model's own.
        rules: whether triples are held to the schema's.
    """

    model: str
    border: float = 0.0
    score: float = 0.0
    rules: bool = True

    def parameters(self) -> dict[str, Any]:
        """Return them as arguments of a pipeline's call.

        Raises:
            ValueError: a threshold is out of range.
        """
        if self.border and not LOWEST_BORDER <= self.border <= 1:
            raise ValueError(f"border threshold {self.border}: expected 0, or a number from {LOWEST_BORDER} to 1")
        borders = {f"{name}_threshold": self.border for name in Thresholds.__slots__} if self.border else {}
        return {**borders, "score_threshold": self.score or None, "rules": self.rules}


class Models:
    """Models that share a page.

    Args:
        loaders: what loads each; the first is the one that is used if none is chosen.

    Raises:
        ValueError: there are none.
    """

    def __init__(self, loaders: Loaders) -> None:
        if not loaders:
            raise ValueError("there is no model to show; name at least one")
        self._loaders = loaders
        self._pipes: dict[str, Pipe] = {}
        self._locks = {name: Lock() for name in loaders}

    @property
    def names(self) -> list[str]:
        """Their names, in order."""
        return list(self._loaders)

    def is_loaded(self, name: str) -> bool:
        """Tell whether a model has been used before, so that its answer will not take seconds."""
        return name in self._pipes

    def loop(self, settings: Settings) -> Loop:
        """Return what extracts with a model; the model is loaded if it is not, and works on one call at a time.

        Raises:
            ValueError: there is no such model, it cannot be loaded, or a threshold is out of range.
            OSError: its files cannot be read.
        """
        name = settings.model
        if name not in self._locks:
            raise ValueError(f"there is no model {name!r:.80}; there are: {', '.join(self.names)}")
        with self._locks[name]:
            if name not in self._pipes:
                self._pipes[name] = self._loaders[name]()
            loop = self._pipes[name].extractor(**settings.parameters())

        def extract(texts: Iterable[str], batch_size: int | None = None) -> Iterator[list[Triple]]:
            with self._locks[name]:
                return iter(list(loop(texts, batch_size)))

        return extract


def is_chinese(text: str) -> bool:
    """Tell whether a text has Chinese characters."""
    return any("\u4e00" <= character <= "\u9fff" for character in text)
