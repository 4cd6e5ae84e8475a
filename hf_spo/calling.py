"""Calling an extraction loop as pipelines of transformers are called: which inputs, which arguments, what comes out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from .decoding_settings import DecodingSettings
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

    One text gives a list of triples as dictionaries; a list or tuple gives a list of such lists; anything else that can
    be iterated or indexed gives an iterator of them.

    Raises:
        TypeError: the input is none of these.
    """
    if isinstance(inputs, str):
        return next(_dictionaries(loop([inputs], batch_size)))
    if isinstance(inputs, list | tuple):
        return list(_dictionaries(loop(inputs, batch_size)))
    if not isinstance(inputs, bytes | bytearray | memoryview | dict):
        if isinstance(inputs, Iterable):
            return _dictionaries(loop(inputs, batch_size))
        if hasattr(inputs, "__getitem__") and hasattr(inputs, "__len__"):
            return _dictionaries(loop((inputs[index] for index in range(len(inputs))), batch_size))
    raise TypeError(
        f"expected a text (str), a list of texts or a stream of texts, got {type(inputs).__name__}: {inputs!r:.80}"
    )


def _dictionaries(results: Iterator[Sequence[Triple]]) -> Iterator[list[dict[str, Any]]]:
    return ([triple.to_dict() for triple in triples] for triples in results)
