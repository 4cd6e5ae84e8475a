"""The model of a component: loaded when it is first needed, once in each process, and copied with the component."""

import os
import shutil
from collections.abc import Callable, Mapping
from io import BytesIO
from multiprocessing import parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from zipfile import ZipFile

from ..loading.loader import load
from ..loading.locations import find_model, model_folder
from ..model.options import ExtractionOptions
from ..onnx.folder import is_export

Extract = Callable[..., Any]
DType = Literal["auto", "float32", "bfloat16", "float16"]


class ComponentModel:
    """A model that each process loads when it first needs it, and that can be copied into a folder or into bytes.

    Args:
        source: a packaged model, a folder, or a name on the Hub.
        device, dtype: see [`hf_spo.load`].
        options: of all calls, see [`ExtractionOptions`].

    Raises:
        ValueError: an option is out of range.
    """

    def __init__(self, source: str, device: str | None, dtype: DType, options: Mapping[str, Any]) -> None:
        ExtractionOptions.from_dict(options)  # raises here rather than at the first text
        self.device = device
        self.dtype = dtype
        self.options = options
        self._source: str | bytes = source  # a location, or a zip archive of the model
        self._loaded: dict[int, Extract] = {}  # by process

    def __getstate__(self) -> dict[str, Any]:
        # Spawned processes load the model themselves; sessions of onnxruntime cannot be pickled.
        return {**vars(self), "_loaded": {}}

    def load(self) -> Extract:
        """Return the pipeline, loaded once in each process."""
        # A model from before a fork would wait for threads that the fork did not copy, even to be deleted.
        if os.getpid() not in self._loaded:
            self._loaded[os.getpid()] = self._at_source(self._load_from)
        return self._loaded[os.getpid()]

    def save(self, folder: Path) -> None:
        """Copy the model into a folder and replace what is there."""

        def copy(source: str) -> None:
            if Path(source).resolve() == folder.resolve():
                return  # the model was loaded from there
            if folder.exists():
                shutil.rmtree(folder)  # files of another model would be mixed with this one's
            _copy(model_folder(source), folder)

        self._at_source(copy)

    def use_folder(self, folder: Path) -> None:
        """Use a saved model, if the folder exists."""
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
        """Use a model from the bytes of [`pack`]."""
        self._source, self._loaded = archive, {}

    def _at_source(self, act: Callable[[str], Any]) -> Any:
        """Call a function with the model's folder, or its name on the Hub."""
        if isinstance(self._source, bytes):
            with TemporaryDirectory(ignore_cleanup_errors=True) as folder, ZipFile(BytesIO(self._source)) as archive:
                archive.extractall(folder)
                return act(folder)
        return act(find_model(self._source))

    def _load_from(self, source: str) -> Extract:
        threads = None if parent_process() is None else 1
        loaded: Extract = load(source, device=self.device, dtype=self.dtype, threads=threads, **self.options)
        return loaded


def _copy(source: Path, folder: Path) -> None:
    """Copy the files of a model, and nothing else in its folder, such as checkpoints and reports."""
    if is_export(source):
        names = [path.name for path in source.iterdir() if path.is_file() and not path.name.startswith("training_")]
    else:
        from ..hub.saved_model import SavedModel

        names = SavedModel.read(source).files()
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, folder / name)
