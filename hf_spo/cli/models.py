"""Loading a model for a command."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from ..loading.packaged import resolve
from ..onnx.folder import is_export
from ..support.files import digest
from .console import say
from .options import Backend, DType

if TYPE_CHECKING:
    from ..model.extraction import Loop
    from ..model.pipeline import TripleExtractionPipeline
    from ..onnx import OnnxTripleExtractionPipeline


@overload
def load_pipeline(
    model: str | None,
    device: str | None,
    dtype: DType | None,
    backend: Literal[Backend.TORCH] = Backend.TORCH,
    threads: int | None = None,
) -> "TripleExtractionPipeline": ...


@overload
def load_pipeline(
    model: str | None, device: str | None, dtype: DType | None, backend: Backend | None, threads: int | None = None
) -> "TripleExtractionPipeline | OnnxTripleExtractionPipeline": ...


def load_pipeline(
    model: str | None,
    device: str | None,
    dtype: DType | None,
    backend: Backend | None = Backend.TORCH,
    threads: int | None = None,
) -> "TripleExtractionPipeline | OnnxTripleExtractionPipeline":
    """Load a model, from the package if none is named.

    Args:
        model: folder or name.
        device, dtype: to compute on and in; default: the fastest there is.
        backend: what runs the model; None: what its folder is for. Commands that change models leave it out.
        threads: that compute on the CPU.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: the folder is for another backend, or an option not for this one.
    """
    folder = find_model(model)
    exported = is_export(folder)
    if backend == Backend.TORCH and exported:
        raise ValueError(
            f"{folder} is an ONNX export, and this takes the model that it was made from; pass that one's folder"
        )
    if backend == Backend.ONNX or (backend is None and exported):
        return _load_onnx(folder, device, dtype, threads)
    return _load_torch(folder, device, dtype, threads)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What the options of a command say about the model; can be sent to another process.

    Args:
        model, device, dtype, backend, threads: see [`load_pipeline`].
    """

    model: str | None = None
    device: str | None = None
    dtype: DType | None = None
    backend: Backend | None = None
    threads: int | None = None

    def load(self) -> "TripleExtractionPipeline | OnnxTripleExtractionPipeline":
        """Load the model."""
        return load_pipeline(self.model, self.device, self.dtype, self.backend, self.threads)

    def load_loop(self, parameters: Mapping[str, Any]) -> "Loop":
        """Load the model and return its extraction loop, with parameters as in a call of a pipeline."""
        return self.load().extractor(**parameters)

    @property
    def name(self) -> str:
        """What the model was called."""
        return "base" if self.model is None else self.model

    def revision(self) -> str:
        """Return what tells versions of the model apart: its commit on the Hub, or a hash of its folder's files.

        Raises:
            FileNotFoundError: there is no such folder.
            OSError: the Hub has no such model, or does not answer.
        """
        folder = Path(find_model(self.model))
        if folder.is_dir():
            files = sorted(path for path in folder.iterdir() if path.suffix in _OF_MODELS)
            return digest(*(part for path in files for part in (path.name.encode(), path.read_bytes())))
        from huggingface_hub import hf_hub_download

        return Path(hf_hub_download(str(folder), "config.json")).parent.name  # snapshots/COMMIT/config.json


_OF_MODELS = (".json", ".onnx", ".safetensors")


def _load_torch(
    folder: str, device: str | None, dtype: DType | None, threads: int | None
) -> "TripleExtractionPipeline":
    # Torch and oneDNN each keep what they prepared for each shape of a batch, of which there are thousands: by default
    # 1,024 of them, some hundred MB. Fewer are no slower.
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(name, "64")
    import torch

    from ..loading.checked import load_checked_pipeline
    from ..loading.dtypes import auto_dtype

    silence_libraries()
    if threads is not None:
        torch.set_num_threads(threads)
    # "auto" would be the format that the model was saved in.
    chosen = auto_dtype(device) if dtype in (None, DType.AUTO) else dtype.value
    return load_checked_pipeline(folder, dtype=chosen, **({} if device is None else {"device": device}))


def _load_onnx(
    folder: str, device: str | None, dtype: DType | None, threads: int | None
) -> "OnnxTripleExtractionPipeline":
    from ..onnx.runtime import load_onnx

    if dtype not in (None, DType.AUTO):
        raise ValueError(f"--dtype {dtype} is for --backend torch; an export has the number format that it was made in")
    kind = device and device.split(":")[0]
    if kind not in (None, *_PROVIDERS):
        raise ValueError(f"--device {device}: with --backend onnx, expected {' or '.join(_PROVIDERS)}")
    return load_onnx(folder, num_threads=threads, providers=kind and _PROVIDERS[kind])


_PROVIDERS = {"cpu": ["CPUExecutionProvider"], "cuda": ["CUDAExecutionProvider", "CPUExecutionProvider"]}


def find_model(model: str | None) -> str:
    """Return the folder of a model, of the package's if none is named, or a name to ask the Hub for.

    Raises:
        FileNotFoundError: what can only be a folder is none.
    """
    name = "base" if model is None else model
    folder = resolve(name)
    if not Path(folder).is_dir():
        if folder != name:
            raise FileNotFoundError(
                f"there is no model in {folder}; this installation is not whole: install hf-spo again"
            )
        if folder.startswith((".", "/", "~")) or folder.count("/") > 1:
            raise FileNotFoundError(f"{folder} is no folder; --model takes a trained model's folder or its Hub name")
        say(f"hf-spo: no folder {folder} here; asking the Hub for a model of that name")
    return folder


def silence_libraries() -> None:
    """Switch off what libraries tell on the way to loading or saving a model."""
    import transformers

    untyped: Any = transformers.utils.logging
    untyped.disable_progress_bar()
    # It tells of every retry, and the error at the end too.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
