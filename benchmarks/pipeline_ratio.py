"""Cost of the pipeline in addition to its encoder: tokenisation, pointers, object passes, decoding.

The encoder alone runs over the token batches of the pipeline. Both take turns in one process; with a ratio of 1.00, all
other steps would take no time.
"""

from collections.abc import Callable
from statistics import median

import torch
from measuring import RecordingBackend, Row, Settings, draw, mixed_lengths, take_turns
from rich.table import Table
from transformers import pipeline

import hf_spo
from hf_spo import TripleExtractionPipeline
from hf_spo.model.alignment import Batch

TARGET = 0.9


def measure(settings: Settings) -> list[Row]:
    """Compare in both number formats, on sentences and on texts of mixed lengths, given as a list and as a stream."""
    sentences = settings.read()
    corpora = {
        "sentences": sentences,
        "10 to 2,000 characters": mixed_lengths(sentences, max(settings.count // 8, 8)),
    }
    rows = []
    for dtype in ("float32", "bfloat16"):
        pipe = pipeline("triple-extraction", model=str(hf_spo.packaged()), dtype=dtype)
        for name, texts in corpora.items():
            rows += [{"dtype": dtype, "texts": name, **row} for row in _compare(pipe, texts, settings.rounds)]
    return rows


def _compare(pipe: TripleExtractionPipeline, texts: list[str], rounds: int) -> list[Row]:
    batches: list[Batch] = []

    def record(backend: RecordingBackend) -> RecordingBackend:
        recorder = RecordingBackend(backend)
        recorder.batches = batches
        return recorder

    triples = sum(map(len, pipe.extractor().with_backend(record)(texts)))
    functions: dict[str, Callable[[], object]] = {
        "encoder": bare_encoder(pipe, batches),
        "list": lambda: pipe(texts),
        "stream": lambda: list(pipe(iter(texts))),
    }
    seconds = take_turns(functions, rounds)
    return [
        {
            "input": way,
            "encoder_texts_per_second": len(texts) / median(seconds["encoder"]),
            "pipeline_texts_per_second": len(texts) / median(seconds[way]),
            "ratio": median(bare / whole for bare, whole in zip(seconds["encoder"], seconds[way], strict=True)),
            "characters_per_text": sum(map(len, texts)) / len(texts),
            "batches": len(batches),
            "triples": triples,
        }
        for way in ("list", "stream")
    ]


def bare_encoder(pipe: TripleExtractionPipeline, batches: list[Batch]) -> Callable[[], None]:
    """Return a function that runs the encoder alone over batches."""
    inputs = [{name: torch.from_numpy(array) for name, array in batch.model_inputs().items()} for batch in batches]

    @torch.inference_mode()
    def run() -> None:
        for tensors in inputs:
            pipe.model.encoder(**tensors)

    run()
    return run


def table(rows: list[Row]) -> Table:
    """Return the table."""
    columns = {
        "dtype": ("dtype", "s"),
        "texts": ("texts", "s"),
        "input": ("given as", "s"),
        "characters_per_text": ("characters", ".0f"),
        "encoder_texts_per_second": ("encoder, texts/s", ".1f"),
        "pipeline_texts_per_second": ("pipeline, texts/s", ".1f"),
        "ratio": ("ratio", ".2f"),
        "triples": ("triples", "d"),
    }
    return draw(f"Pipeline compared with its encoder on the same token batches (target {TARGET:.2f})", rows, columns)
