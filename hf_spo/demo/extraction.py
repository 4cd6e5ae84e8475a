"""Models of the page: each is loaded on first use and runs one extraction at a time."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol, Unpack

from ..model.extraction import Loop
from ..model.options import ExtractionKwargs
from ..model.schema import Triple

MAX_CHARACTERS = 10_000
"""Maximum length of a text."""

LOWEST_BORDER = 0.05
"""Lowest border threshold; below it nearly every token is a border, and extraction takes too long."""


class Pipe(Protocol):
    """A loaded model: a pipeline on torch or on ONNX Runtime."""

    def extractor(self, **options: Unpack[ExtractionKwargs]) -> Loop:
        """Return the extraction loop for arguments of a pipeline call."""
        ...


Loaders = Mapping[str, Callable[[], Pipe]]
"""Functions that load the models, by the names that the page shows."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the page.

    Args:
        model: name of the model.
        border: probability above which a token is a border; 0: the model's own value.
        score: lowest score of a triple; 0: the model's own value.
        rules: whether to apply the rules of the schema.
    """

    model: str
    border: float = 0.0
    score: float = 0.0
    rules: bool = True

    def parameters(self) -> dict[str, Any]:
        """Return the settings as arguments of a pipeline call.

        Raises:
            ValueError: a threshold is out of range.
        """
        if self.border and not LOWEST_BORDER <= self.border <= 1:
            raise ValueError(f"border threshold {self.border}: expected 0, or a number from {LOWEST_BORDER} to 1")
        return {"threshold": self.border or None, "score_threshold": self.score or None, "rules": self.rules}


class Models:
    """Models that share a page.

    Args:
        loaders: functions that load the models; the first model is the default.

    Raises:
        ValueError: there are no loaders.
    """

    def __init__(self, loaders: Loaders) -> None:
        if not loaders:
            raise ValueError("no models; name at least one")
        self._loaders = loaders
        self._pipes: dict[str, Pipe] = {}
        self._locks = {name: Lock() for name in loaders}

    @property
    def names(self) -> list[str]:
        """Names of the models."""
        return list(self._loaders)

    def is_loaded(self, name: str) -> bool:
        """Tell whether a model is loaded."""
        return name in self._pipes

    def loop(self, settings: Settings) -> Loop:
        """Return the extraction loop of a model, which runs one call at a time; load the model if necessary.

        Raises:
            ValueError: the model is unknown or cannot be loaded, or a threshold is out of range.
            OSError: its files cannot be read.
        """
        name = settings.model
        if name not in self._locks:
            raise ValueError(f"unknown model {name!r:.80}; expected one of {', '.join(self.names)}")
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
