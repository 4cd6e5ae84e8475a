"""The model that a spaCy pipeline carries along."""

import os
import shutil
from collections.abc import Callable, Mapping
from io import BytesIO
from multiprocessing import parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from zipfile import ZipFile

from ...loading.loader import load
from ...loading.locations import find_model, model_folder
from ...model.options import ExtractionOptions
from ...onnx.folder import is_export

Extract = Callable[[Any], Any]
DType = Literal["auto", "float32", "bfloat16", "float16"]


class CarriedModel:
    """A model that is loaded when it is needed, in each process anew, and can be copied into a folder or into bytes.

    Args:
        source: a packaged model, a folder, or a name on the Hub.
        device, dtype: to compute on and in, with torch.
        parameters: of all calls, see [`TripleExtractionPipeline`].

    Raises:
        ValueError: a threshold is no probability.
    """

    def __init__(self, source: str, device: str | None, dtype: DType, parameters: Mapping[str, Any]) -> None:
        ExtractionOptions.from_dict(parameters)  # raises now rather than at the first text
        self.device = device
        self.dtype = dtype
        self.parameters = parameters
        self._source: str | bytes = source  # where it is, or a zip archive of it
        self._loaded: dict[int, Extract] = {}  # by process

    def __getstate__(self) -> dict[str, Any]:
        # Processes that are spawned load it themselves; sessions of onnxruntime cannot be sent.
        return {**vars(self), "_loaded": {}}

    def load(self) -> Extract:
        """Return what extracts triples from a text or from several, loaded once in each process."""
        # One that was loaded before the process was forked would wait forever for threads that were not, to extract
        # as well as to be deleted.
        if os.getpid() not in self._loaded:
            self._loaded[os.getpid()] = self._at(self._load_from)
        return self._loaded[os.getpid()]

    def save(self, folder: Path) -> None:
        """Copy the model into a folder, in the place of what was there."""

        def copy(source: str) -> None:
            if Path(source).resolve() == folder.resolve():
                return  # it is read from there, and still the same
            if folder.exists():
                shutil.rmtree(folder)  # files of another model would be taken for this one's
            _copy(source, folder)

        self._at(copy)

    def use_folder(self, folder: Path) -> None:
        """Go on with a saved model, if there is one."""
        if folder.is_dir():
            self._source, self._loaded = str(folder), {}

    def pack(self) -> bytes:
        """Return the model's files as a zip archive."""
        if isinstance(self._source, bytes):
            return self._source
        packed = BytesIO()
        with TemporaryDirectory() as folder, ZipFile(packed, "w") as archive:
            copy = Path(folder) / "model"
            self.save(copy)
            for path in sorted(copy.rglob("*")):
                archive.write(path, path.relative_to(copy))
        return packed.getvalue()

    def use_packed(self, archive: bytes) -> None:
        """Go on with a packed model."""
        self._source, self._loaded = archive, {}

    def _at(self, act: Callable[[str], Any]) -> Any:
        """Do something with the model's folder, or its name on the Hub."""
        if isinstance(self._source, bytes):
            with TemporaryDirectory(ignore_cleanup_errors=True) as folder, ZipFile(BytesIO(self._source)) as archive:
                archive.extractall(folder)
                return act(folder)
        # A folder of the user's goes before a name of ours.
        return act(find_model(self._source))

    def _load_from(self, source: str) -> Extract:
        threads = None if parent_process() is None else 1
        loaded: Extract = load(source, device=self.device, dtype=self.dtype, threads=threads, **self.parameters)
        return loaded


def _copy(source: str, folder: Path) -> None:
    """Copy a model and nothing else: checkpoints and reports may lie beside it, or an earlier copy of itself."""
    for part in (".", *_members(source)):
        (folder / part).mkdir(parents=True)
        for path in (model_folder(source) / part).iterdir():
            if path.is_file() and not path.name.startswith("training_"):
                shutil.copyfile(path, folder / part / path.name)


def _members(source: str) -> list[str]:
    """Return the folders of an ensemble's members, in its own."""
    if is_export(source):
        return []
    from transformers import AutoConfig

    groups = getattr(AutoConfig.from_pretrained(source), "groups", None) or []
    return [name for group in groups for name in group]
