"""Convert as many weights of an export to integers as F1 allows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copy2
from tempfile import TemporaryDirectory

from ..metrics import TripleScorer
from ..model.alignment import Batch, pad
from ..model.extraction import TripleExtractor
from ..model.schema import Example
from .folder import ENCODER_FILE, OnnxExportError
from .quantization import quantize, signal_to_noise
from .runtime import load_onnx

# Matrices whose products have a lower signal-to-noise ratio, in decibels, stay in float32; tried in this order.
_RATIOS = (0.0, 25.0, 28.0, 31.0)

# Graphs that shrink by less than this are not faster either.
_LARGEST_SHARE = 0.9

# Number of texts that the ratios are measured on.
_SAMPLE = 8


@dataclass(frozen=True, slots=True)
class Int8Report:
    """Cost of int8.

    Args:
        texts: number of texts for F1.
        float32_f1, int8_f1: strict F1 on them.
        matrices, quantized: number of matrices of the encoder, and of those in int8.
    """

    texts: int
    float32_f1: float
    int8_f1: float
    matrices: int
    quantized: int


def to_int8(
    folder: Path, examples: Sequence[Example], max_f1_drop: float, on_step: Callable[[str], object]
) -> Int8Report:
    """Quantise an export in place: all matrices if F1 allows, else all but those with the largest rounding errors.

    Args:
        folder: of an export in float32.
        examples: labelled texts.
        max_f1_drop: largest accepted loss of strict F1 on them.
        on_step: called with a description of each step.

    Raises:
        OnnxExportError: F1 falls by more, or int8 makes the export hardly smaller.
    """
    extractor = load_onnx(folder).extractor()
    with TemporaryDirectory(dir=folder) as work:
        source = Path(work)
        for file in folder.glob(f"{ENCODER_FILE}*"):
            copy2(file, source)
        ratios = signal_to_noise(source, _sample(extractor, examples))
        quantize(source, folder, [])
        _check_gain(_size(source), _size(folder))
        on_step(f"extracting from {len(examples)} texts with float32")
        before = after = strict_f1(extractor, examples)
        for spared in _choices(ratios):
            quantize(source, folder, spared)
            quantized = len(ratios) - len(spared)
            on_step(f"extracting from {len(examples)} texts with {quantized} of {len(ratios)} matrices in int8")
            after = strict_f1(load_onnx(folder).extractor(), examples)
            if before - after <= max_f1_drop:
                return Int8Report(len(examples), before, after, len(ratios), quantized)
    raise OnnxExportError(
        f"int8 lowers strict F1 on {len(examples)} texts from {before:.4f} to {after:.4f}, by {before - after:.4f}, "
        f"even with the fewest matrices; at most {max_f1_drop:g} is allowed, so nothing was written. Export without "
        f"int8, or allow a larger drop"
    )


def strict_f1(extractor: TripleExtractor, examples: Sequence[Example]) -> float:
    """Return strict F1 on labelled texts."""
    scorer = TripleScorer()
    for triples, example in zip(extractor(example.text for example in examples), examples, strict=True):
        scorer.add(triples, example.triples)
    return scorer.score().f1


def _choices(ratios: Mapping[str, float]) -> Iterator[list[str]]:
    """Yield the matrices to leave in float32, more and more of them, as long as others are left."""
    tried: list[str] | None = None
    for least in _RATIOS:
        spared = [name for name, ratio in ratios.items() if ratio < least]
        if spared != tried and len(spared) < len(ratios):
            yield spared
        tried = spared


def _sample(extractor: TripleExtractor, examples: Sequence[Example]) -> Batch:
    windows = extractor.windows(example.text for example in examples[:_SAMPLE])
    return pad([window.encoding for window in windows], extractor.tokenizer.pad_token_id or 0)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob(f"{ENCODER_FILE}*"))


def _check_gain(before: int, after: int) -> None:
    if after > _LARGEST_SHARE * before:
        raise OnnxExportError(
            f"int8 would reduce {before / 1e6:.1f} MB only to {after / 1e6:.1f} MB: nearly all weights of this model "
            f"are convolutions or embeddings, which stay in float32; export it without int8"
        )
