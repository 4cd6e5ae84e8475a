"""Loading a model for a command."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..loading import locations
from ..loading.loader import load
from ..onnx.folder import is_export
from ..support.files import digest
from .console import say
from .options import Device, DType, Model, Precision, Runtime, Threads

if TYPE_CHECKING:
    from ..model.extraction import Loop
    from ..model.pipeline import TripleExtractionPipeline
    from ..onnx import OnnxTripleExtractionPipeline


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The model of an extraction and what runs it, a group of options; can be sent to another process."""

    model: Model = None
    device: Device = None
    dtype: Precision = None
    backend: Runtime = None
    threads: Threads = None

    def load(self) -> "TripleExtractionPipeline | OnnxTripleExtractionPipeline":
        """Load the model."""
        folder = find_model(self.model)
        if not is_export(folder):
            silence_libraries()
        dtype, backend = self.dtype or DType.AUTO, self.backend or "auto"
        return load(folder, device=self.device, dtype=dtype, backend=backend, threads=self.threads)

    def load_torch(self) -> "TripleExtractionPipeline":
        """Load the model with torch, for commands that change models."""
        silence_libraries()
        dtype = self.dtype or DType.AUTO
        return load(find_model(self.model), device=self.device, dtype=dtype, backend="torch", threads=self.threads)

    def load_loop(self, parameters: Mapping[str, Any]) -> "Loop":
        """Load the model and return its extraction loop, with options as in a call of a pipeline."""
        return self.load().extractor(**parameters)

    @property
    def name(self) -> str:
        """Name of the model, as it was given."""
        return "base" if self.model is None else self.model

    def revision(self) -> str:
        """Return a name for this version of the model: its commit on the Hub, or a hash of its folder's files.

        Raises:
            FileNotFoundError: there is no such folder.
            OSError: the Hub has no such model, or does not answer.
        """
        folder = Path(find_model(self.model))
        if folder.is_dir():
            files = sorted(path for path in folder.iterdir() if path.suffix in _OF_MODELS)
            return digest(*(part for path in files for part in (path.name.encode(), path.read_bytes())))
        from huggingface_hub.errors import EntryNotFoundError

        try:
            path = locations.model_file(str(folder))
        except EntryNotFoundError:  # an adapter that PEFT alone saved
            from ..model.adapters import ADAPTER_FILE  # which imports torch

            path = locations.model_file(str(folder), ADAPTER_FILE)
        return path.parent.name  # snapshots/COMMIT/config.json


_OF_MODELS = (".json", ".onnx", ".safetensors")


def find_model(model: str | None) -> str:
    """Return the folder of a model, by default the packaged one, or its name on the Hub, with a message on stderr.

    Raises:
        FileNotFoundError: the name can only be that of a folder, and there is none.
    """
    folder = locations.find_model(model or "base")
    if not Path(folder).is_dir():
        say(f"hf-spo: there is no folder {folder}; asking the Hub for a model of that name")
    return folder


def silence_libraries() -> None:
    """Switch off progress bars and warnings of libraries while a model is loaded or saved."""
    import transformers

    untyped: Any = transformers.utils.logging
    untyped.disable_progress_bar()
    # It logs every retry, and the final error is raised anyway.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
