"""The workload of kexue.fm/archives/6671, 100,000 sentences by 16 DGCNN models in 4 hours, extrapolated from a slice.

One model of the size of recipes/duie2-dgcnn reads the slice. Its weights are random, which does not change the cost;
as many borders as a trained model finds are drawn at random, so that decoding costs the same as well.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import yaml
from measuring import Row, Settings, draw, packaged_schema, take_turns
from rich.table import Table
from transformers import pipeline

from hf_spo import SpoForTripleExtraction
from hf_spo.model.alignment import Batch
from hf_spo.model.extraction import PointerBackend
from hf_spo.model.words import make_segmenter
from hf_spo.training.start import fresh_model

MODELS, SENTENCES, HOURS = 16, 100_000, 4
_RECIPE = Path(__file__).parent.parent / "recipes" / "duie2-dgcnn" / "train.yaml"


def measure(settings: Settings) -> Iterator[Row]:
    """Time one model in both number formats."""
    corpus = settings.read(64 if settings.quick else 2048)
    with TemporaryDirectory() as folder:
        model, tokenizer = _model(corpus, Path(folder))
    for dtype in ("float32", "bfloat16"):
        pipe = pipeline("triple-extraction", model=model.to(getattr(torch, dtype)), tokenizer=tokenizer)
        extractor = pipe.extractor(rules=False).with_backend(DrawnBackend)
        seconds = take_turns({dtype: lambda own=extractor: list(own(corpus))}, settings.rounds)[dtype]
        subjects, objects = (count / len(corpus) / settings.rounds for count in extractor.backend.found)
        yield {
            "dtype": dtype,
            "weights": "random",
            "words": model.takes_words,
            "parameters": sum(weight.numel() for weight in model.parameters()),
            "sentences": len(corpus),
            "sentences_per_second": len(corpus) / median(seconds),
            "subjects_per_sentence": subjects,
            "objects_per_sentence": objects,
            "hours": median(seconds) / len(corpus) * SENTENCES * MODELS / 3600,
        }


def _model(corpus: list[str], folder: Path) -> tuple[SpoForTripleExtraction, Any]:
    """Build the recipe's model with random weights; it reads words if the word segmenter is installed."""
    options = yaml.safe_load(_RECIPE.read_text(encoding="utf-8"))["model"]
    segmenter, vectors = options["encoder_config"]["segmenter"], None
    if find_spec(segmenter):
        vectors = folder / "words.vec"
        cut = make_segmenter(segmenter)
        words = sorted({word for text in corpus for word in cut(text) if not word.isspace()})
        numbers = " ".join(["0.1"] * 128)
        lines = [f"{len(words)} 128", *(f"{word} {numbers}" for word in words)]
        vectors.write_text("\n".join(lines) + "\n", encoding="utf-8")
    torch.manual_seed(0)
    model, tokenizer = fresh_model(packaged_schema(), corpus, vectors, **options)
    return model.eval(), tokenizer


class DrawnBackend:
    """Runs another backend, and replaces its borders by random ones, as many as a trained model finds."""

    SUBJECTS, OBJECTS = 1.3, 1.4  # per sentence and per subject: together the 1.8 triples per sentence of DuIE 2.0

    def __init__(self, backend: PointerBackend) -> None:
        self.backend = backend
        self.found = [0, 0]
        self._lengths = np.zeros(0)
        self._chance = np.random.default_rng(0)

    def subjects(self, batch: Batch) -> tuple[Any, np.ndarray]:
        """Encode a batch, and draw subject tokens."""
        state, probs = self.backend.subjects(batch)
        rows = self._rows(len(probs), self.SUBJECTS)
        self._lengths = batch.pointable.sum(axis=1)
        probs[rows, self._tokens(rows)] = 1
        self.found[0] += len(rows)
        return state, probs

    def objects(self, state: Any, rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Point at the objects of subjects, and draw object tokens."""
        probs = self.backend.objects(state, rows, spans)
        drawn = self._rows(len(probs), self.OBJECTS)
        probs[drawn, self._tokens(rows[drawn]), self._chance.integers(probs.shape[2], size=len(drawn))] = 1
        self.found[1] += len(drawn)
        return probs

    def _rows(self, count: int, mean: float) -> np.ndarray:
        return np.repeat(np.arange(count), 1 + self._chance.binomial(1, mean - 1, size=count))

    def _tokens(self, rows: np.ndarray) -> np.ndarray:
        return (self._chance.random(len(rows)) * self._lengths[rows]).astype(np.int64)


def table(rows: list[Row]) -> Table:
    """Return the table."""
    columns = {
        "dtype": ("dtype", "s"),
        "parameters": ("parameters", ",d"),
        "words": ("words", "s"),
        "sentences": ("sentences", ",d"),
        "subjects_per_sentence": ("subjects per sentence", ".2f"),
        "objects_per_sentence": ("objects", ".2f"),
        "sentences_per_second": ("sentences/s", ".0f"),
        "hours": ("hours for all", ".2f"),
    }
    shown = [{**row, "words": "yes" if row["words"] else "no"} for row in rows]
    return draw(
        f"A DGCNN model with random weights: {SENTENCES:,} sentences by {MODELS} such models (source: {HOURS} hours)",
        shown,
        columns,
    )
