"""The handler that Inference Endpoints, and servers like them, start in a model's repository.

A repository's `handler.py` imports [`EndpointHandler`]; the folder may hold a model or an ONNX export.
"""

from threading import Lock
from typing import TYPE_CHECKING, Any

from ..loading.packaged import resolve
from ..onnx.folder import is_export
from .inputs import Handler, InputError

if TYPE_CHECKING:
    from ..model.pipeline import TripleExtractionPipeline
    from ..onnx.runtime import OnnxTripleExtractionPipeline


def load_model(path: str = "") -> "TripleExtractionPipeline | OnnxTripleExtractionPipeline":
    """Load a model or an export, in the number format that is fastest here.

    Args:
        path: a folder, the name of a packaged model or one of the Hub; empty: the packaged base model.

    Raises:
        OSError, ValueError: there is no such model, or it is damaged.
    """
    folder = resolve(path or "base")
    if is_export(folder):
        from ..onnx.runtime import load_onnx

        return load_onnx(folder)
    from ..loading.checked import load_checked_pipeline
    from ..loading.dtypes import auto_dtype

    return load_checked_pipeline(folder, dtype=auto_dtype())


class EndpointHandler:
    """Answer requests of the form `{"inputs": text or list of texts, "parameters": {…}}`.

    One text gives its triples, a list of dictionaries; a list of texts gives a list of such. Parameters are those of a
    call of the pipeline.

    Args:
        path: see [`load_model`].
    """

    def __init__(self, path: str = "") -> None:
        self.handler = Handler(load_model(path))
        self._lock = Lock()

    def __call__(self, data: dict[str, Any]) -> list[Any]:
        """Extract. What is returned can be written as JSON.

        Raises:
            ValueError: what was asked is not as expected; the message names the field.
        """
        if not isinstance(data, dict) or "inputs" not in data:
            raise InputError("inputs", 'is missing; expected {"inputs": "…"} or {"inputs": ["…", …]}')
        unknown = sorted(str(name) for name in data.keys() - {"inputs", "parameters"})
        if unknown:
            raise InputError(unknown[0], 'is not known; expected "inputs" and, if wanted, "parameters"')
        inputs = data["inputs"]
        is_one = isinstance(inputs, str)
        texts = [inputs] if is_one else self.handler.texts(inputs, "inputs")
        options = self.handler.options(data.get("parameters"), "parameters")
        with self._lock:  # a server may call from several threads, and each would hold a batch of its own
            found = [[triple.to_dict() for triple in triples] for triples in self.handler.loop(options)(texts)]
        return found[0] if is_one else found
