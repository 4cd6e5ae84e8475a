"""Models in torch and in ONNX, by default the packaged ones: speed, latency, memory, and differences in triples.

All backends take turns in one process; memory is the peak of a separate process that extracts from the same texts. int8
is measured if there are labelled texts, which its export needs. A model that cannot be exported has a row with the
reason in the JSON file.

Modules that need torch are imported where they are used, so that a process with ONNX is measured without torch.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from measuring import Row, Settings, draw, in_child, peak_memory_mib, take_turns, timed
from rich.table import Table

import hf_spo
from hf_spo.data import read_examples
from hf_spo.loading.locations import PACKAGED
from hf_spo.metrics import TripleScorer
from hf_spo.model.schema import Example, Triple
from hf_spo.onnx import OnnxExportError

Pipe = Callable[..., Any]


def measure(settings: Settings) -> list[Row]:
    """Measure every backend of every model."""
    texts = settings.read()
    labelled = list(read_examples(settings.data))[: 50 if settings.quick else None] if settings.data else []
    with TemporaryDirectory() as folder:
        refused: list[Row] = []
        places = dict(_places(settings.models, Path(folder), labelled, refused))
        # First, while nothing else is running.
        memory = {key: in_child(peak, place, key[1], texts) for key, place in places.items()}
        pipes = {key: load(place, key[1]) for key, place in places.items()}
        found = {key: pipe(texts) for key, pipe in pipes.items()}  # warm-up
        seconds = take_turns({key: partial(pipe, texts) for key, pipe in pipes.items()}, settings.rounds)
        latencies = {key: _latencies(pipe, texts[: 10 if settings.quick else 200]) for key, pipe in pipes.items()}
        f1 = {key: _strict_f1(pipe, labelled) for key, pipe in pipes.items()}
    rows = [
        {
            "model": model,
            "backend": backend,
            "sentences_per_second": len(texts) / median(seconds[model, backend]),
            "p50_ms": 1e3 * np.percentile(latencies[model, backend], 50).item(),
            "p95_ms": 1e3 * np.percentile(latencies[model, backend], 95).item(),
            "peak_memory_mib": memory[model, backend],
            "f1": f1[model, backend],
            **compare(found[model, backend], found[model, "torch float32"]),
        }
        for model, backend in places
    ]
    return rows + refused


def _places(
    models: Sequence[str], folder: Path, labelled: Sequence[Example], refused: list[Row]
) -> Iterator[tuple[tuple[str, str], str]]:
    """Export the models; yield (model, backend) and the folder to load."""
    for number, name in enumerate(models):
        source = str(hf_spo.packaged(name)) if name in PACKAGED else name
        yield (name, "torch float32"), source
        yield (name, "torch bfloat16"), source
        for precision in ("float32", "int8") if labelled else ("float32",):
            target, backend = folder / f"{number}-{precision}", f"ONNX {precision}"
            try:
                export(source, target, labelled[:50] if precision == "int8" else ())
            except (ImportError, OnnxExportError) as error:
                refused.append({"model": name, "backend": backend, "refused": str(error)})
            else:
                yield (name, backend), str(target)


def export(source: str, target: Path, int8_checked_on: Sequence[Example] = ()) -> None:
    """Export a model; with int8 at any loss, which the table shows."""
    from transformers import AutoTokenizer

    from hf_spo.onnx import export_onnx

    model = hf_spo.SpoForTripleExtraction.from_pretrained(source, dtype="float32")
    options = {"int8": True, "examples": int8_checked_on, "max_f1_drop": 1.0} if int8_checked_on else {}
    export_onnx(model, AutoTokenizer.from_pretrained(source), target, **options)


def load(place: str, backend: str) -> Pipe:
    """Load a model as a pipeline; import torch and transformers only if it needs them."""
    runtime, _, dtype = backend.partition(" ")
    if runtime == "ONNX":
        return hf_spo.load_onnx(place)
    from transformers import pipeline

    return pipeline("triple-extraction", model=place, dtype=dtype)


def peak(place: str, backend: str, texts: list[str]) -> int:
    """Extract, and return this process's peak memory in MiB."""
    load(place, backend)(texts)
    return peak_memory_mib()


def _latencies(pipe: Pipe, texts: Sequence[str]) -> list[float]:
    pipe(texts[0])
    return [timed(partial(pipe, text)) for text in texts]


def _strict_f1(pipe: Pipe, labelled: Sequence[Example]) -> float | None:
    if not labelled:
        return None
    scorer = TripleScorer()
    for example, found in zip(labelled, pipe([example.text for example in labelled]), strict=True):
        scorer.add(map(Triple.from_dict, found), example.triples)
    return scorer.score().f1


def compare(found: Sequence[list[dict[str, Any]]], reference: Sequence[list[dict[str, Any]]]) -> Row:
    """Count triples, and those that only one of two extractions from the same texts found."""
    ours, theirs = _facts(found), _facts(reference)
    listed = json.dumps(sorted(ours.elements()), ensure_ascii=False)
    return {
        "triples": ours.total(),
        "hash": sha256(listed.encode()).hexdigest()[:12],
        "differing": (ours - theirs).total() + (theirs - ours).total(),
    }


def _facts(found: Sequence[list[dict[str, Any]]]) -> Counter[tuple[Any, ...]]:
    """Count triples by the number of their text, their mentions and their places, without scores."""
    mention = ("text", "start", "end")
    return Counter(
        (
            number,
            *(triple["subject"][name] for name in mention),
            triple["predicate"],
            *(triple["object"][name] for name in mention),
            *(f"{slot} {value['text']} {value['start']}" for slot, value in sorted(triple["qualifiers"].items())),
        )
        for number, triples in enumerate(found)
        for triple in triples
    )


def table(rows: list[Row]) -> Table:
    """Return the table."""
    columns = {
        "model": ("model", "s"),
        "backend": ("backend", "s"),
        "sentences_per_second": ("sentences/s", ".0f"),
        "p50_ms": ("p50, ms", ".1f"),
        "p95_ms": ("p95, ms", ".1f"),
        "peak_memory_mib": ("peak, MiB", "d"),
        "f1": ("F1", ".4f"),
        "triples": ("triples", "d"),
        "differing": ("differing", "d"),
        "hash": ("hash", "s"),
    }
    return draw("Backends: latency of single sentences; differences of triples to torch float32", rows, columns)
