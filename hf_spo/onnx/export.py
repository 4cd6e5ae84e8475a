"""Models as ONNX: a folder that runs without torch, checked before it appears."""

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
    """What was exported, and how it compares with the model.

    Args:
        folder: of the export.
        precision: of its weights.
        files: its files → their sizes in bytes.
        largest_difference: of a probability, with weights in float32.
        int8: what it costs, if it was asked for.
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
    """Write a model as a folder that [`load_onnx`] runs without torch, and check that it does the same.

    The folder has all that is needed: two graphs in float32 or int8, the tokenizer, the words and triples that the
    model knows, and its settings. It appears when all checks have passed, in the place of an older export if there is
    one.

    Args:
        model: to export; it is not changed.
        tokenizer: the fast tokenizer that it was trained with.
        folder: a new one, an empty one, or an older export.
        int8: weights as 8-bit integers: smaller, faster on CPUs, a little worse; what a text gives then depends a
            little on the texts beside it in a batch.
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
            from .int8 import to_int8  # which imports what is not for everyone

            cost = to_int8(part, examples, max_f1_drop, on_step)
            replace(description, precision=Precision.INT8).save(part)
        files = {path.name: path.stat().st_size for path in sorted(part.iterdir())}
    return OnnxReport(Path(folder), Precision.INT8 if int8 else Precision.FLOAT32, files, difference, cost)


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
    if (model.takes_words and model.features.words is None) or (model.config.prior and model.features.prior is None):
        raise OnnxExportError(
            "this model reads words or known triples beside its text, and has none; set model.features first"
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
    # What earlier calls have set says nothing about later ones.
    text = json.dumps({**data, "truncation": None, "padding": None}, ensure_ascii=False)
    (folder / TOKENIZER_FILE).write_text(text, encoding="utf-8", newline="\n")
