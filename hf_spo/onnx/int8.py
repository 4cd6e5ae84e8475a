"""As many of an export's weights as integers as its F1 allows."""

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

# A matrix whose products have less signal to noise than this, in decibels, stays as it is: at first none does.
_RATIOS = (0.0, 25.0, 28.0, 31.0)

# Graphs that integers leave larger than this share of what they were are no faster either.
_LARGEST_SHARE = 0.9

# Texts that signal and noise are measured on.
_SAMPLE = 8


@dataclass(frozen=True, slots=True)
class Int8Report:
    """What integers cost.

    Args:
        texts: that were extracted from.
        float32_f1, int8_f1: strict F1 on them.
        matrices, quantized: how many the encoder has, and how many of them are integers now.
    """

    texts: int
    float32_f1: float
    int8_f1: float
    matrices: int
    quantized: int


def to_int8(
    folder: Path, examples: Sequence[Example], max_f1_drop: float, on_step: Callable[[str], object]
) -> Int8Report:
    """Quantise an export in place: all of it if its F1 allows, else all but what integers hold worst.

    Args:
        folder: of an export in float32.
        examples: labelled texts.
        max_f1_drop: what strict F1 on them may fall by.
        on_step: is told what is being done.

    Raises:
        OnnxExportError: F1 falls by more, or there is next to nothing that integers make smaller.
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
        f"where it is used least; at most {max_f1_drop:g} is allowed, nothing was written. Export without int8, or "
        f"allow a larger drop"
    )


def strict_f1(extractor: TripleExtractor, examples: Sequence[Example]) -> float:
    """Return strict F1 on labelled texts."""
    scorer = TripleScorer()
    for triples, example in zip(extractor(example.text for example in examples), examples, strict=True):
        scorer.add(triples, example.triples)
    return scorer.score().f1


def _choices(ratios: Mapping[str, float]) -> Iterator[list[str]]:
    """Yield what to spare, more and more, as long as anything is left."""
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
            f"int8 would make of {before / 1e6:.1f} MB {after / 1e6:.1f} MB: nearly all weights of this model are "
            f"convolutions or embeddings, which stay in float32; export it without int8"
        )
