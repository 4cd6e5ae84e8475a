"""Handler for Hugging Face Inference Endpoints, which import it through `handler.py` of a model's repository."""

from threading import Lock
from typing import Any

from ..loading.loader import load
from ..model.fields import kind
from .inputs import Extractors, InputError


class EndpointHandler:
    """Answer requests of the form `{"inputs": text or list of texts, "parameters": {…}}`.

    One text gives a list of triples as dictionaries, a list of texts gives a list of such lists. Parameters are the
    options of a call of the pipeline.

    Args:
        path: a folder, the name of a packaged model or one of the Hub; empty: the packaged base model, see [`load`].
    """

    def __init__(self, path: str = "") -> None:
        self.extractors = Extractors(load(path or "base"))
        self._lock = Lock()

    def __call__(self, data: dict[str, Any]) -> list[Any]:
        """Extract triples. The result can be written as JSON.

        Raises:
            ValueError: a field is missing, unknown or has a value that is not allowed; the message names it.
        """
        if not isinstance(data, dict) or "inputs" not in data:
            raise InputError("inputs", 'missing; expected {"inputs": "…"} or {"inputs": ["…", …]}')
        unknown = sorted(str(name) for name in data.keys() - {"inputs", "parameters"})
        if unknown:
            raise InputError(unknown[0], 'unknown field; expected "inputs" and optionally "parameters"')
        inputs = data["inputs"]
        texts = [inputs] if isinstance(inputs, str) else inputs
        if not isinstance(texts, list):
            raise InputError("inputs", f"expected a string or a list of strings, got {kind(inputs)}")
        for index, text in enumerate(texts):
            if not isinstance(text, str):
                raise InputError(f"inputs[{index}]", f"expected a string, got {kind(text)}")
        loop = self.extractors.loop(self.extractors.options(data.get("parameters"), "parameters"))
        with self._lock:  # a server may call from several threads, and each would hold a batch of its own
            found = [[triple.to_dict() for triple in triples] for triples in loop(texts)]
        return found[0] if isinstance(inputs, str) else found
