"""Cost of relations: the base model with 50, 500 and 5,000 relations.

Encoder and subject head are those of the base model, the object head is new. Only this head, one linear layer, depends
on the number of relations; it is also timed alone, on states of the same shapes.
"""

from collections.abc import Iterator
from statistics import median

import torch
from measuring import RecordingBackend, Row, Settings, TimedBackend, draw, take_turns
from rich.table import Table
from transformers import AutoTokenizer, pipeline

import hf_spo
from hf_spo import Relation, Schema, SpoForTripleExtraction, TripleExtractor
from hf_spo.training.start import starting_model

COUNTS = (50, 500, 5000)


def measure(settings: Settings) -> Iterator[Row]:
    """Time the same texts with each number of relations, in turn."""
    corpus = settings.read(16 if settings.quick else 256)
    tokenizer = AutoTokenizer.from_pretrained(hf_spo.packaged())
    models: dict[int, SpoForTripleExtraction] = {}
    extractors: dict[int, TripleExtractor] = {}
    for count in COUNTS:
        schema = Schema([Relation("", f"relation {number}", "") for number in range(count)])
        models[count] = starting_model(hf_spo.packaged(), schema).eval()
        extractor = pipeline("triple-extraction", model=models[count], tokenizer=tokenizer).extractor()
        extractors[count] = extractor.with_backend(TimedBackend)
    shapes = _object_shapes(extractors[COUNTS[0]], corpus)
    passes = {count: lambda own=extractor: list(own(corpus)) for count, extractor in extractors.items()}
    take_turns(passes, 1)  # warm-up
    for extractor in extractors.values():
        extractor.backend.forget()
    seconds = take_turns(passes, settings.rounds)
    linear = take_turns(
        {count: lambda own=model: _head(own, shapes) for count, model in models.items()}, settings.rounds
    )
    for count in COUNTS:
        inside = extractors[count].backend.seconds
        yield {
            "relations": count,
            "seconds": median(seconds[count]),
            "ratio": median(own / few for own, few in zip(seconds[count], seconds[COUNTS[0]], strict=True)),
            "encoder_seconds": inside["subjects"] / settings.rounds,
            "objects_seconds": inside["objects"] / settings.rounds,
            "linear_seconds": median(linear[count]),
            "rest_seconds": (sum(seconds[count]) - sum(inside.values())) / settings.rounds,
        }


def _object_shapes(extractor: TripleExtractor, corpus: list[str]) -> list[tuple[int, int]]:
    """Return the numbers of subjects and tokens of each object pass."""
    recorder = RecordingBackend(extractor.backend)
    list(extractor.with_backend(lambda _: recorder)(corpus))
    return [(len(rows), recorder.batches[number].input_ids.shape[1]) for number, rows, _ in recorder.asked]


@torch.inference_mode()
def _head(model: SpoForTripleExtraction, shapes: list[tuple[int, int]]) -> None:
    for subjects, tokens in shapes:
        model.object_head(torch.zeros(subjects, tokens, model.object_head.in_features))


def table(rows: list[Row]) -> Table:
    """Return the table."""
    columns = {
        "relations": ("relations", ",d"),
        "seconds": ("seconds", ".2f"),
        "ratio": (f"ratio to {COUNTS[0]}", ".2f"),
        "encoder_seconds": ("encoder, subjects", ".2f"),
        "objects_seconds": ("objects", ".2f"),
        "linear_seconds": ("linear layer alone", ".2f"),
        "rest_seconds": ("tokens, decoding", ".2f"),
    }
    return draw("The same texts with more relations: seconds, in all and by part", rows, columns)
