"""Models as ONNX: a folder that runs without torch, checked before it appears."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from ..configuration_decoding import package_version
from ..ensemble import make_extractor
from ..extraction import TripleExtractor
from ..modeling_ensemble import SpoEnsemble
from ..modeling_spo import SpoForTripleExtraction
from ..schema import Example
from .extras import require
from .onnx_checks import MAX_F1_DROP, F1Change, check_f1, check_parity, strict_f1
from .onnx_folder import TOKENIZER_FILE, Description, OnnxExportError, Precision, check_target, whole_folder
from .onnx_graphs import OPSET, plain, write_graphs
from .onnx_runtime import load_onnx


@dataclass(frozen=True, slots=True)
class OnnxReport:
    """What was exported, and how it compares with the model.

    Args:
        folder: of the export.
        precision: of its weights.
        files: its files → their sizes in bytes.
        largest_difference: of a probability, before weights became integers.
        f1: with int8, what it costs.
    """

    folder: Path
    precision: Precision
    files: dict[str, int]
    largest_difference: float
    f1: F1Change | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        f1 = {} if self.f1 is None else {"f1": asdict(self.f1)}
        return {
            "model": str(self.folder),
            "precision": self.precision.value,
            "files": self.files,
            "largest_difference": self.largest_difference,
            **f1,
        }


def export_onnx(
    model: SpoForTripleExtraction,
    tokenizer: Any,
    folder: str | PathLike[str],
    *,
    int8: bool = False,
    examples: Sequence[Example] = (),
    max_f1_drop: float = MAX_F1_DROP,
    on_step: Callable[[str], object] = lambda step: None,
) -> OnnxReport:
    """Write a model as a folder that [`load_onnx`] runs without torch, and check that it does the same.

    The folder has all that is needed: two graphs in float32 or int8, the tokenizer, the words and triples that the
    model knows, and its settings. It appears when all checks have passed, in the place of an older export if there is
    one.

    Args:
        model: to export; it is not changed.
        tokenizer: the fast tokenizer that it was trained with.
        folder: a new one, an empty one, or an older export.
        int8: weights as 8-bit integers: about two times as fast on CPUs, less than half as large, slightly worse.
        examples: labelled texts that the model was not trained on, to tell what int8 costs.
        max_f1_drop: what it may cost of strict F1 on them.
        on_step: is told what is being done.

    Raises:
        ImportError: onnx, onnxscript or onnxruntime is not installed.
        OnnxExportError: the model is an ensemble, the folder holds something else, probabilities or triples differ from
            the model's, or int8 costs too much.
        TypeError: this is no triple-extraction model.
        ValueError: int8 is asked for without examples.
    """
    require_packages()
    _check_model(model, tokenizer)
    if int8 and not examples:
        raise ValueError(
            "int8 changes what a model finds, and only labelled texts tell by how much; pass examples that the model "
            "was not trained on"
        )
    target = Path(folder).resolve()
    check_target(target)
    reference_model = plain(model)
    with whole_folder(target) as part:
        on_step("writing the graphs")
        write_graphs(reference_model, part)
        description = _describe(model, tokenizer)
        description.save(part)
        _save_tokenizer(tokenizer, part)
        model.features.save(part)
        on_step("comparing with the model")
        reference = make_extractor(reference_model, tokenizer)
        assert isinstance(reference, TripleExtractor)
        difference = check_parity(reference, load_onnx(part).extractor(), [example.text for example in examples[:100]])
        f1 = _quantized(part, description, examples, max_f1_drop, on_step) if int8 else None
        files = {path.name: path.stat().st_size for path in sorted(part.iterdir())}
    return OnnxReport(Path(folder), Precision.INT8 if int8 else Precision.FLOAT32, files, difference, f1)


def _quantized(
    part: Path,
    description: Description,
    examples: Sequence[Example],
    max_f1_drop: float,
    on_step: Callable[[str], object],
) -> F1Change:
    from .onnx_quantization import quantize

    on_step(f"extracting from {len(examples)} texts with float32")
    before = strict_f1(load_onnx(part).extractor(), examples)
    on_step("quantising")
    quantize(part)
    replace(description, precision=Precision.INT8).save(part)
    on_step(f"extracting from {len(examples)} texts with int8")
    change = F1Change(len(examples), before, strict_f1(load_onnx(part).extractor(), examples))
    check_f1(change, max_f1_drop)
    return change


def require_packages() -> None:
    """Check that what writes and runs graphs is installed.

    Raises:
        ImportError: it is not; the message says how to install it.
    """
    for name in ("onnx", "onnxscript", "onnxruntime"):
        require(name, "export", "exporting to ONNX")


def _check_model(model: object, tokenizer: object) -> None:
    if isinstance(model, SpoEnsemble):
        raise OnnxExportError(
            "this is an ensemble, and an export holds one model; export its members, each a folder in the ensemble's"
        )
    if not isinstance(model, SpoForTripleExtraction):
        raise TypeError(f"expected a triple-extraction model, got {type(model).__name__}")
    if not getattr(tokenizer, "is_fast", False):
        raise TypeError(f"expected a fast tokenizer, got {type(tokenizer).__name__}; load it by AutoTokenizer")


def _describe(model: SpoForTripleExtraction, tokenizer: Any) -> Description:
    config = model.config
    return Description(
        schema=config.schema,
        decoding=config.decoding,
        max_length=config.max_length,
        window=config.window,
        pad_token_id=tokenizer.pad_token_id,
        unk_token_id=tokenizer.unk_token_id,
        segmenter=None if model.features.words is None else model.features.words.segmenter,
        prior=config.prior,
        precision=Precision.FLOAT32,
        opset=OPSET,
        hf_spo_version=package_version(),
    )


def _save_tokenizer(tokenizer: Any, folder: Path) -> None:
    data = json.loads(tokenizer.backend_tokenizer.to_str())
    # What earlier calls have set says nothing about later ones.
    text = json.dumps({**data, "truncation": None, "padding": None}, ensure_ascii=False)
    (folder / TOKENIZER_FILE).write_text(text, encoding="utf-8", newline="\n")
