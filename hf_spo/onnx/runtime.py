"""onnxruntime as the engine of exported models."""

from collections.abc import Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Self, Unpack

import numpy as np

from ..model.options import ExtractionKwargs
from ..support.extras import require
from .exported import ExportedBackend, ExportedTripleExtractionPipeline, load_exported

OnnxTripleExtractionPipeline = ExportedTripleExtractionPipeline


class OnnxBackend(ExportedBackend):
    """An exported model in onnxruntime.

    Args:
        folder: of the export.
        num_threads: that compute one operator; default: one for each core.
        inter_op_num_threads: operators that are computed side by side; default: one.
        providers: of onnxruntime, by preference; default: CUDA if there is a GPU for it, else the CPU.

    Raises:
        FileNotFoundError: a graph is missing.
        ImportError: onnxruntime is not installed.
        ValueError: onnxruntime cannot load a graph, or has no such provider.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        *,
        num_threads: int | None = None,
        inter_op_num_threads: int | None = None,
        providers: Sequence[str] | None = None,
    ) -> None:
        onnxruntime = require("onnxruntime", "onnx", "running an exported model")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors
        options.intra_op_num_threads = num_threads or 0
        options.inter_op_num_threads = inter_op_num_threads or 0
        # Otherwise the threads of the idle graph would take the cores from those of the other.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        chosen = _available(onnxruntime, providers)
        super().__init__(folder, lambda path: _Graph(onnxruntime, options, chosen, path))

    @classmethod
    def on_device(cls, folder: Path, device: str | None, threads: int | None) -> Self:
        """Load an export to run it on "cpu" or "cuda"; default: a GPU if there is one.

        Raises:
            ValueError: the device is another one, or onnxruntime has no provider for it.
        """
        kind = None if device is None else device.split(":")[0]
        if kind not in (None, *_PROVIDERS):
            raise ValueError(f"device={device}: expected {' or '.join(_PROVIDERS)} for an ONNX export")
        return cls(folder, num_threads=threads, providers=kind and _PROVIDERS[kind])


_PROVIDERS = {"cpu": ["CPUExecutionProvider"], "cuda": ["CUDAExecutionProvider", "CPUExecutionProvider"]}


def _available(onnxruntime: Any, providers: Sequence[str] | None) -> list[str]:
    available = onnxruntime.get_available_providers()
    if providers is None:
        return [name for name in _PROVIDERS["cuda"] if name in available]
    missing = [name for name in providers if name not in available]
    if missing:
        raise ValueError(
            f"onnxruntime has no {', '.join(missing)} here, only {', '.join(available)}; for a GPU, install "
            f"onnxruntime-gpu in place of onnxruntime"
        )
    return list(providers)


class _Graph:
    """A graph in onnxruntime."""

    def __init__(self, onnxruntime: Any, options: Any, providers: list[str], path: Path) -> None:
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # its exceptions have no common base class
            raise ValueError(f"onnxruntime {onnxruntime.__version__} cannot load {path}: {error}") from error
        self.inputs: Sequence[str] = [value.name for value in self.session.get_inputs()]
        self.outputs: Sequence[str] = [value.name for value in self.session.get_outputs()]
        self.shapes: Sequence[Sequence[Any]] = [value.shape for value in self.session.get_outputs()]

    def run(self, outputs: Sequence[str], inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        found: list[np.ndarray] = self.session.run(list(outputs), dict(inputs))
        return found


def load_onnx(
    folder: str | PathLike[str],
    *,
    num_threads: int | None = None,
    inter_op_num_threads: int | None = None,
    providers: Sequence[str] | None = None,
    batch_size: int | None = None,
    **options: Unpack[ExtractionKwargs],
) -> ExportedTripleExtractionPipeline:
    """Load an exported model to run it in onnxruntime; see [`load_exported`].

    Args:
        folder: that [`export_onnx`] or `hf-spo export` wrote.
        num_threads, inter_op_num_threads, providers: see [`OnnxBackend`].
        batch_size: the most texts, or windows of long ones, in one run.
        options: see [`ExtractionOptions`], for all calls.
    """
    make = partial(OnnxBackend, num_threads=num_threads, inter_op_num_threads=inter_op_num_threads, providers=providers)
    return load_exported(folder, make, batch_size=batch_size, **options)
