"""load(): the one place that decides between torch and the engines of exports, and on number format and device.

pipeline(): `transformers.pipeline` for this task and with the names of the packaged models.
"""

import os
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from ..model.options import ExtractionKwargs
from ..model.travelling import TASK
from ..onnx.exported import ENGINES, load_exported, make_backend
from ..onnx.folder import is_export
from .locations import find_model, model_folder

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

    from ..model.pipeline import TripleExtractionPipeline
    from ..onnx.runtime import OnnxTripleExtractionPipeline


class PipelineKwargs(ExtractionKwargs, total=False):
    """Keyword arguments of [`pipeline`], for type checkers and editors."""

    config: "str | PreTrainedConfig | None"
    tokenizer: "str | PreTrainedTokenizerBase | None"
    revision: str | None
    token: str | bool | None
    device: "int | str | torch.device | None"
    device_map: str | dict[str, int | str] | None
    dtype: "str | torch.dtype | None"
    model_kwargs: dict[str, Any] | None
    trust_remote_code: bool | None
    batch_size: int | None


@overload
def load(
    path_or_name: str | PathLike[str] = "base",
    *,
    device: "str | int | torch.device | None" = None,
    dtype: "str | torch.dtype" = "auto",
    backend: Literal["torch"],
    threads: int | None = None,
    batch_size: int | None = None,
    **options: Unpack[ExtractionKwargs],
) -> "TripleExtractionPipeline": ...


@overload
def load(
    path_or_name: Literal["base", "lite"] = "base",
    *,
    device: "str | int | torch.device | None" = None,
    dtype: "str | torch.dtype" = "auto",
    backend: Literal["auto"] = "auto",
    threads: int | None = None,
    batch_size: int | None = None,
    **options: Unpack[ExtractionKwargs],
) -> "TripleExtractionPipeline": ...


@overload
def load(
    path_or_name: str | PathLike[str] = "base",
    *,
    device: "str | int | torch.device | None" = None,
    dtype: "str | torch.dtype" = "auto",
    backend: str = "auto",
    threads: int | None = None,
    batch_size: int | None = None,
    **options: Unpack[ExtractionKwargs],
) -> "TripleExtractionPipeline | OnnxTripleExtractionPipeline": ...


def load(
    path_or_name: str | PathLike[str] = "base",
    *,
    device: "str | int | torch.device | None" = None,
    dtype: "str | torch.dtype" = "auto",
    backend: str = "auto",
    threads: int | None = None,
    batch_size: int | None = None,
    **options: Unpack[ExtractionKwargs],
) -> "TripleExtractionPipeline | OnnxTripleExtractionPipeline":
    """Load a model as a pipeline, on torch or on onnxruntime.

    The files are checked before they are used, and no code of a model's own is run.

    Args:
        path_or_name: "base" or "lite", the packaged models; a folder of a model or of an ONNX export; or a name on the
            Hub.
        device: to compute on, such as "cpu" or "cuda:1"; default: the fastest that there is. For ONNX, "cpu" or "cuda".
        dtype: number format to compute in: "float32", "bfloat16" or "float16", or the same as a `torch.dtype`; "auto":
            the fastest one, see [`auto_dtype`]. An ONNX export has its own.
        backend: "torch", an engine such as "onnx", or "auto": torch for a model, onnxruntime for an export.
        threads: that compute on the CPU; default: one for each core. Torch has one number for the whole process.
        batch_size: the most texts, or windows of long ones, in one forward pass.
        options: see [`ExtractionOptions`], for all calls.

    Raises:
        FileNotFoundError: there is no such folder.
        OSError: the Hub has no such model, or does not answer.
        TypeError: an option is unknown.
        ValueError: the model is damaged, is not a triple-extraction model or is for the other backend, or an argument
            is out of range.
        ImportError: the engine is not installed.
    """
    if backend not in ("auto", "torch", *ENGINES):
        raise ValueError(f"backend={backend!r}: expected one of auto, torch, {', '.join(ENGINES)}")
    folder = find_model(path_or_name)
    exported = is_export(folder)
    given: dict[str, Any] = {**options, "batch_size": batch_size}
    if backend == "torch" and exported:
        raise ValueError(
            f"{folder} is an ONNX export; expected a model of torch: pass the folder that it was exported from"
        )
    if backend in ENGINES or exported:
        engine = backend if backend in ENGINES else "onnx"
        return _load_exported(engine, model_folder(folder), device, dtype, threads, given)
    # Torch and oneDNN keep what they prepared for each shape of a batch, of which there are thousands: by default 1,024
    # of them, some hundred MB. 64 are as fast.
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(name, "64")
    from .checked import load_torch_pipeline

    return load_torch_pipeline(folder, device, dtype, threads, given)


def pipeline(
    task: str = TASK, model: "str | PathLike[str] | PreTrainedModel" = "base", **options: Unpack[PipelineKwargs]
) -> "TripleExtractionPipeline":
    """Make a pipeline for triple extraction as `transformers.pipeline` does, which accepts the same arguments.

    It computes in the number format that the model was saved in; [`load`] in the fastest.

    Args:
        task: "triple-extraction".
        model: "base" or "lite", the packaged models; a folder of a model; a name on the Hub; or a loaded model, with
            `tokenizer=`.
        options: further arguments of `transformers.pipeline`, and those of [`TripleExtractionPipeline`].

    Raises:
        FileNotFoundError: there is no such folder.
        OSError: the Hub has no such model, or does not answer.
        TypeError: an option is unknown.
        ValueError: the task is another one, the model is not a triple-extraction model, or an argument is out of range.
    """
    if task != TASK:
        raise ValueError(
            f"task={task!r}: expected {TASK!r}; a model is passed as pipeline(model={task!r}), and "
            f"transformers.pipeline has all other tasks"
        )
    if isinstance(model, str | PathLike):
        model = find_model(model)
        if is_export(model):
            raise ValueError(f"{model} is an ONNX export; load it by hf_spo.load({model!r})")
    import transformers

    build: Any = transformers.pipeline  # its overloads list the tasks of transformers only
    made: TripleExtractionPipeline = build(TASK, model, **options)
    return made


def _load_exported(
    engine: str, folder: Path, device: Any, dtype: Any, threads: int | None, options: dict[str, Any]
) -> "OnnxTripleExtractionPipeline":
    if dtype != "auto":
        raise ValueError(f"dtype={dtype}: {folder} is an ONNX export, which has its own number format; leave dtype out")
    chosen = None if device is None else str(device)
    return load_exported(folder, lambda path: make_backend(engine, path, chosen, threads), **options)
