"""What a pass through a model costs, measured before the first request comes, which then is not the slow one."""

import time
from collections.abc import Iterable
from statistics import median

from ..model.extraction import Loop

_SAMPLE = "《星辰之外》由林晓舟执导，陈默然、周子衿主演，片中插曲《晚风》由白露作词、作曲并演唱，苏合编曲。"
_MANY = 16
_LENGTHS = (44, 46, 48)
_LEAST, _MOST = 64, 2048


def measure_max_padding(loop: Loop) -> float:
    """Return how many characters of padding cost as much as a pass of its own.

    For a large model they are few, for a small one many: it decides whether texts of different lengths go together.
    """
    one, many = (median(_seconds(loop, [_SAMPLE[:length]] * count) for length in _LENGTHS) for count in (1, _MANY))
    characters = median(_LENGTHS)
    of_a_character = max(many - one, 1e-9) / (characters * (_MANY - 1))
    return min(max(one / of_a_character - characters, _LEAST), _MOST)


def _seconds(loop: Loop, texts: Iterable[str]) -> float:
    began = time.perf_counter()
    list(loop(texts))
    return time.perf_counter() - began
