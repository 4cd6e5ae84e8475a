"""Gain of `torch.compile`: the packaged BERT system compiled, against the same model as it is.

Both take turns in one process, measured in its processor time, which other work on the machine hardly changes. Needs a
C++ compiler.
"""

import time
from collections.abc import Callable
from functools import partial
from statistics import median

from backends import compare
from measuring import Row, Settings, draw, timed
from rich.table import Table
from transformers import pipeline

import hf_spo


def measure(settings: Settings) -> list[Row]:
    """Compare in both number formats."""
    return [_row(dtype, settings.read(), settings.rounds) for dtype in ("float32", "bfloat16")]


def _row(dtype: str, texts: list[str], rounds: int) -> Row:
    plain, compiled = (pipeline("triple-extraction", model=str(hf_spo.packaged()), dtype=dtype) for _ in range(2))
    compiled.model.compile(dynamic=True)
    found = plain(texts)
    first, again = timed(partial(compiled, texts)), compiled(texts)
    pairs = [(_seconds(partial(plain, texts)), _seconds(partial(compiled, texts))) for _ in range(rounds)]
    return {
        "dtype": dtype,
        "first": first,
        "plain": median(seconds for seconds, _ in pairs),
        "compiled": median(seconds for _, seconds in pairs),
        "ratio": median(before / after for before, after in pairs),
        **compare(again, found),
    }


def _seconds(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def table(rows: list[Row]) -> Table:
    """Return the table."""
    columns = {
        "dtype": ("dtype", "s"),
        "first": ("first call, s", ".1f"),
        "plain": ("plain, s", ".1f"),
        "compiled": ("compiled, s", ".1f"),
        "ratio": ("speed-up", ".2f"),
        "triples": ("triples", "d"),
        "differing": ("differing", "d"),
    }
    return draw("torch.compile: processor time of extracting from all texts", rows, columns)
