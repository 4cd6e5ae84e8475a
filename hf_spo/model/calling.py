"""Calling an extraction loop as pipelines of transformers are called: which inputs, which arguments, what comes out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import tee
from typing import Any, Protocol

from .decoding_settings import DecodingSettings
from .results import Triples
from .schema import Thresholds, Triple

_LOOP = ("top_k", "on_long", "window", "stride", "batch_tokens")
PARAMETERS = frozenset({*(f"{name}_threshold" for name in Thresholds.__slots__), "score_threshold", "rules", *_LOOP})
"""What can be set for all calls and in each, beside `batch_size`."""


class Loop(Protocol):
    """What extracts: [`TripleExtractor`] or [`EnsembleExtractor`]."""

    def __call__(self, texts: Iterable[str], batch_size: int | None = None) -> Iterator[list[Triple]]:
        """Yield the triples of each text."""
        ...


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Check that arguments are known.

    Raises:
        TypeError: one is not.
    """
    unknown = sorted(set(parameters) - PARAMETERS)
    if unknown:
        raise TypeError(f"unknown argument {', '.join(unknown)}; known are {', '.join(sorted(PARAMETERS))}, batch_size")


def loop_options(parameters: Mapping[str, Any], decoding: DecodingSettings) -> dict[str, Any]:
    """Return arguments of a call as those of [`TripleExtractor`], with None for what was not said.

    Args:
        parameters: those of the call.
        decoding: the model's own.

    Raises:
        ValueError: a threshold is no probability.
    """
    names = {name: f"{name}_threshold" for name in Thresholds.__slots__}
    given = {name: parameters[long] for name, long in names.items() if parameters.get(long) is not None}
    decoding = replace(decoding, thresholds=replace(decoding.thresholds, **given))
    least = parameters.get("score_threshold")
    if least is not None:
        if not 0 <= least <= 1:
            raise ValueError(f"score_threshold={least}: expected a probability from 0 to 1")
        decoding = replace(decoding, score_thresholds=(least,))
    options = {name: parameters[name] for name in _LOOP if parameters.get(name) is not None}
    return {"decoding": decoding, "rules": parameters.get("rules") is not False, **options}


def call(loop: Loop, inputs: Any, batch_size: int | None) -> Any:
    """Extract from a text, several, or a stream of texts.

    One text gives its [`Triples`], a list of dictionaries; a list or tuple gives a list of them; anything else that can
    be iterated or indexed gives an iterator of them.

    Raises:
        TypeError: the input is none of these.
    """
    if isinstance(inputs, str):
        return next(_results(loop, [inputs], batch_size))
    if isinstance(inputs, list | tuple):
        return list(_results(loop, inputs, batch_size))
    if not isinstance(inputs, bytes | bytearray | memoryview | dict):
        if isinstance(inputs, Iterable):
            return _results(loop, inputs, batch_size)
        if hasattr(inputs, "__getitem__") and hasattr(inputs, "__len__"):
            return _results(loop, (inputs[index] for index in range(len(inputs))), batch_size)
    raise TypeError(
        f"expected a text (str), a list of texts or a stream of texts, got {type(inputs).__name__}: {inputs!r:.80}"
    )


def _results(loop: Loop, texts: Iterable[str], batch_size: int | None) -> Iterator[Triples]:
    # Only what the loop reads ahead is held.
    ours, theirs = tee(texts)
    found = loop(theirs, batch_size)
    # The loop goes first: what it has not read yet must not be asked for.
    return (Triples(triples, text) for triples, text in zip(found, ours, strict=False))
