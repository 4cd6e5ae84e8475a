"""How cost grows: with the number of sentences, of models, and of relations.

A generator feeds sentences to a separate process, ten times as many each time: the time should grow in proportion, the
peak memory of the process should not grow. For models and relations see `many_models` and `many_relations`.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import many_models
import many_relations
from measuring import Row, Settings, draw, in_child, peak_memory_mib, texts
from rich.console import Group
from transformers import pipeline

import hf_spo


def measure(settings: Settings) -> list[Row]:
    """Measure all three; each row names its part."""
    parts = {
        "sentences": _sentences(settings),
        "models": many_models.measure(settings),
        "relations": many_relations.measure(settings),
    }
    return [{"part": part, **row} for part, rows in parts.items() for row in rows]


def _sentences(settings: Settings) -> Iterator[Row]:
    # The base model takes about fifty times as long.
    for model, limit in (("lite", settings.limit), ("base", settings.limit // 50)):
        count = 100
        while count <= limit:
            yield {"model": model, "sentences": count, **in_child(stream, model, settings.texts, count)}
            count *= 10


def stream(model: str, file: Path | None, count: int) -> Row:
    """Extract from a stream of this many texts."""
    pipe = pipeline("triple-extraction", model=str(hf_spo.packaged(model)), dtype="float32")
    begin, triples = time.perf_counter(), 0
    for found in pipe(texts(file, count)):
        triples += len(found)
    seconds = time.perf_counter() - begin
    return {
        "seconds": seconds,
        "sentences_per_second": count / seconds,
        "triples": triples,
        "peak_memory_mib": peak_memory_mib(),
    }


def table(rows: list[Row]) -> Group:
    """Return the tables."""
    columns = {
        "model": ("model", "s"),
        "sentences": ("sentences", ",d"),
        "seconds": ("seconds", ".1f"),
        "sentences_per_second": ("sentences/s", ".0f"),
        "triples": ("triples", ",d"),
        "peak_memory_mib": ("peak memory, MiB", "d"),
    }
    part = {name: [row for row in rows if row["part"] == name] for name in ("sentences", "models", "relations")}
    return Group(
        draw("Streams of sentences, float32", part["sentences"], columns),
        many_models.table(part["models"]),
        many_relations.table(part["relations"]),
    )
