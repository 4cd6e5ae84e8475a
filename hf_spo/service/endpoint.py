"""The handler that Inference Endpoints, and servers like them, start in a model's repository.

A repository's `handler.py` imports [`EndpointHandler`]; the folder may hold a model or an ONNX export.
"""

from threading import Lock
from typing import Any

from ..loading.loader import load
from .inputs import Handler, InputError


class EndpointHandler:
    """Answer requests of the form `{"inputs": text or list of texts, "parameters": {…}}`.

    One text gives its triples, a list of dictionaries; a list of texts gives a list of such. Parameters are those of a
    call of the pipeline.

    Args:
        path: a folder, the name of a packaged model or one of the Hub; empty: the packaged base model, see [`load`].
    """

    def __init__(self, path: str = "") -> None:
        self.handler = Handler(load(path or "base"))
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
