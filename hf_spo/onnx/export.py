"""Export models to ONNX: a folder that runs without torch, checked before it appears."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.ensemble import make_extractor
from ..model.extraction import TripleExtractor
from ..model.modeling_ensemble import SpoEnsemble
from ..model.modeling_spo import SpoForTripleExtraction
from ..model.schema import Example
from ..model.versions import package_version
from ..support.extras import require
from ..support.files import whole_folder
from .checks import check_parity
from .folder import (
    MAX_F1_DROP,
    TOKENIZER_FILE,
    Description,
    OnnxExportError,
    Precision,
    check_target,
)
from .graphs import OPSET, plain, write_graphs
from .runtime import load_onnx

if TYPE_CHECKING:
    from .int8 import Int8Report


@dataclass(frozen=True, slots=True)
class OnnxReport:
    """Report of an export.

    Args:
        folder: of the export.
        precision: of its weights.
        files: sizes of its files in bytes.
        largest_difference: between a probability of the model and of the export with weights in float32.
        int8: cost of int8, if it was requested.
    """

    folder: Path
    precision: Precision
    files: dict[str, int]
    largest_difference: float
    int8: "Int8Report | None" = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        int8 = {} if self.int8 is None else {"int8": asdict(self.int8)}
        return {
            "model": str(self.folder),
            "precision": self.precision.value,
            "files": self.files,
            "largest_difference": self.largest_difference,
            **int8,
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
    """Write a model as a folder that [`load_onnx`] runs without torch, and check that the results are the same.

    The folder is complete: two graphs in float32 or int8, the tokenizer, the words and known triples that the model
    reads, and its settings. It appears when all checks have passed, and replaces an older export.

    Args:
        model: to export; it is not changed.
        tokenizer: the fast tokenizer that it was trained with.
        folder: new, empty, or an older export.
        int8: weights as 8-bit integers: smaller, faster on CPUs, a little worse; the results of a text then depend
            slightly on the other texts of its batch.
        examples: labelled texts that the model was not trained on, to measure the cost of int8.
        max_f1_drop: largest accepted loss of strict F1 on them.
        on_step: called with a description of each step.

    Raises:
        ImportError: onnx, onnxscript or onnxruntime is not installed.
        OnnxExportError: the model is an ensemble, the folder holds other files, probabilities or triples differ from
            the model's, or int8 costs too much.
        TypeError: it is not a triple-extraction model, or the tokenizer is not a fast one.
        ValueError: int8 is requested without examples.
    """
    require_packages()
    _check_model(model, tokenizer)
    if int8 and not examples:
        raise ValueError(
            "int8 changes the results of a model, and only labelled texts show by how much; pass examples that the "
            "model was not trained on"
        )
    target = Path(folder).resolve()
    check_target(target)
    reference_model = plain(model)
    with whole_folder(target, replace=True) as part:
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
        cost = None
        if int8:
            from .int8 import to_int8  # needs onnx

            cost = to_int8(part, examples, max_f1_drop, on_step)
            replace(description, precision=Precision.INT8).save(part)
        files = {path.name: path.stat().st_size for path in sorted(part.iterdir())}
    return OnnxReport(Path(folder), Precision.INT8 if int8 else Precision.FLOAT32, files, difference, cost)


def require_packages() -> None:
    """Check that the packages that write and run graphs are installed.

    Raises:
        ImportError: one is missing; the message says how to install it.
    """
    for name in ("onnx", "onnxscript", "onnxruntime"):
        require(name, "export", "exporting to ONNX")


def _check_model(model: object, tokenizer: object) -> None:
    if isinstance(model, SpoEnsemble):
        raise OnnxExportError(
            "expected one model, got an ensemble; export its members, which are folders inside the ensemble's"
        )
    if not isinstance(model, SpoForTripleExtraction):
        raise TypeError(f"expected a triple-extraction model, got {type(model).__name__}")
    if (model.takes_words and model.features.words is None) or (model.config.prior and model.features.prior is None):
        raise OnnxExportError(
            "this model reads words or known triples beside its text, but has none; set model.features first"
        )
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
    # Earlier calls may have set truncation or padding.
    text = json.dumps({**data, "truncation": None, "padding": None}, ensure_ascii=False)
    (folder / TOKENIZER_FILE).write_text(text, encoding="utf-8", newline="\n")
