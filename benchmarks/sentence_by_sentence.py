"""The pipeline compared with the usual code for these models: one sentence at a time, one call per subject.

`Sequential` follows common example code with the same weights: it tokenises and encodes a sentence, pairs subject
borders in a loop, calls the model once for each subject, and pairs the object borders of every relation in loops.
"""

from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any

import torch
from measuring import Row, Settings, draw, take_turns
from rich.table import Table
from transformers import pipeline

import hf_spo
from hf_spo import SpoForTripleExtraction, TripleExtractionPipeline
from hf_spo.loading.locations import PACKAGED
from hf_spo.model.decoding_settings import SpanPairing
from hf_spo.model.layers import gated_probabilities
from hf_spo.model.modeling_spo import Sentences
from hf_spo.model.schema import VALUE_SLOT, Schema, Triple

TARGET = 10

Fact = tuple[int, int, int, int, int]
"""Start and end of a subject, the relation, start and end of an object."""


class Sequential:
    """Extraction by loops."""

    def __init__(self, model: SpoForTripleExtraction, tokenizer: Any) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.limits = model.config.thresholds

    @torch.inference_mode()
    def __call__(self, text: str) -> set[Fact]:
        """Extract from one sentence."""
        limit = self.model.config.max_length
        tokens = self.tokenizer(
            text, truncation=True, max_length=limit, return_offsets_mapping=True, return_tensors="pt"
        )
        offsets = tokens["offset_mapping"][0].tolist()
        sentences = self.model.encode(tokens["input_ids"], tokens["attention_mask"])
        logits, gates = self.model.subject_logits(sentences)
        probs = gated_probabilities(logits, self.model.config.subject_power, gates)[0].numpy()
        starts = [i for i, p in enumerate(probs[:, 0]) if p > self.limits.subject_start and _covers(offsets[i])]
        ends = [i for i, p in enumerate(probs[:, 1]) if p > self.limits.subject_end and _covers(offsets[i])]
        facts = set()
        for start in starts:
            for end in ends:
                if end >= start:
                    for relation, first, last in self.objects(sentences, start, end, offsets):
                        subject, value = (offsets[start][0], offsets[end][1]), (offsets[first][0], offsets[last][1])
                        facts.add((*subject, relation, *value))
                    break
        return facts

    def objects(self, sentences: Sentences, start: int, end: int, offsets: list[Any]) -> list[tuple[int, int, int]]:
        """Find a subject's objects: relation, first and last token of each."""
        logits, gates = self.model.object_logits(sentences, torch.tensor([0]), torch.tensor([[start, end]]))
        probs = gated_probabilities(logits, self.model.config.object_power, gates)[0]
        starts = (probs[:, :, 0] > self.limits.object_start).nonzero().tolist()
        ends = (probs[:, :, 1] > self.limits.object_end).nonzero().tolist()
        found = []
        for first, relation in starts:
            for last, other in ends:
                if other == relation and last >= first and _covers(offsets[first]) and _covers(offsets[last]):
                    found.append((relation, first, last))
                    break
        return found


def _covers(offset: list[int]) -> bool:
    return offset[0] < offset[1]


def measure(settings: Settings) -> list[Row]:
    """Compare both ways, for each packaged model and number format."""
    texts = [text[:_READABLE] for text in settings.read()]
    rows = []
    for name in PACKAGED:
        for dtype in ("float32", "bfloat16"):
            pipe = pipeline("triple-extraction", model=str(hf_spo.packaged(name)), dtype=dtype)
            rows.append({"model": name, "dtype": dtype, **_compare(pipe, texts, settings.rounds)})
    return rows


# Number of characters that every model reads at once.
_READABLE = 200


def _compare(pipe: TripleExtractionPipeline, texts: list[str], rounds: int) -> Row:
    sequential = Sequential(pipe.model, pipe.tokenizer)

    def one_by_one() -> list[set[Fact]]:
        return [sequential(text) for text in texts]

    values = {number for number, relation in enumerate(pipe.schema) if relation.slot == VALUE_SLOT}
    expected = [{fact for fact in facts if fact[2] in values} for facts in one_by_one()]
    # Without rules and score thresholds, and with starts paired as in the loops.
    extractor = pipe.extractor().without_postprocessing()
    extractor = extractor.redecoded(replace(extractor.decoding, span_pairing=SpanPairing.NEAREST))
    found = [{_fact(triple, pipe.schema) for triple in triples} for triples in extractor(texts)]
    seconds = take_turns({"sequential": one_by_one, "pipeline": partial(pipe, texts)}, rounds)
    return {
        "sequential_sentences_per_second": len(texts) / median(seconds["sequential"]),
        "pipeline_sentences_per_second": len(texts) / median(seconds["pipeline"]),
        "ratio": median(a / b for a, b in zip(seconds["sequential"], seconds["pipeline"], strict=True)),
        "triples": sum(map(len, expected)),
        "differing": sum(len(a ^ b) for a, b in zip(expected, found, strict=True)),
    }


def _fact(triple: Triple, schema: Schema) -> Fact:
    relation = schema.find(triple.predicate, triple.subject.type, triple.object.type)
    subject, value = triple.subject.span, triple.object.span
    assert subject is not None
    assert value is not None
    return subject.start, subject.end, relation, value.start, value.end


def table(rows: list[Row]) -> Table:
    """Return the table."""
    columns = {
        "model": ("model", "s"),
        "dtype": ("dtype", "s"),
        "sequential_sentences_per_second": ("one by one, sentences/s", ".1f"),
        "pipeline_sentences_per_second": ("pipeline, sentences/s", ".1f"),
        "ratio": ("times as fast", ".1f"),
        "triples": ("triples", "d"),
        "differing": ("other triples", "d"),
    }
    return draw(f"Pipeline compared with one sentence at a time (target: {TARGET} times as fast)", rows, columns)
