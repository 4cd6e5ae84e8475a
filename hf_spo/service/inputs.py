"""Texts and options that come from outside, checked: for the HTTP service and for Inference Endpoints."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol, Unpack

from ..model.extraction import Loop
from ..model.options import BATCH_TOKENS, OPTIONS, ExtractionKwargs, ExtractionOptions, OnLong, expected

Options = tuple[tuple[str, Any], ...]
"""Names and values, sorted by name: requests with equal options can share a batch."""

_LOOPS_KEPT = 64


class InputError(ValueError):
    """A field of a request has a value that is not allowed.

    Args:
        field: its path, such as `texts[3]`.
        reason: what came and what was expected.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


class Model(Protocol):
    """[`TripleExtractionPipeline`] or [`OnnxTripleExtractionPipeline`]."""

    schema: Any

    @property
    def name_or_path(self) -> str:
        """Name or folder that the model was loaded from."""
        ...

    def extractor(self, **options: Unpack[ExtractionKwargs]) -> Loop:
        """Return the extraction loop with options as in a call."""
        ...


def option_schemas(batch_tokens: int = BATCH_TOKENS) -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each option: as in a call of a pipeline, with at most these tokens in a batch."""
    found = {name: dict(option.metadata["schema"]) for name, option in OPTIONS.items()}
    found["on_long"]["enum"] = [OnLong.WINDOW.value, OnLong.ERROR.value]  # a warning would reach nobody
    found["batch_tokens"]["maximum"] = batch_tokens
    return found


class Extractors:
    """The extraction loops of a model, one for each set of options.

    Args:
        model: a pipeline of either kind.
        batch_tokens: tokens in one forward pass; a request may ask for fewer.
    """

    def __init__(self, model: Model, batch_tokens: int = BATCH_TOKENS) -> None:
        self.model = model
        self.batch_tokens = batch_tokens
        self.schemas = option_schemas(batch_tokens)
        self.loop = lru_cache(_LOOPS_KEPT)(self._loop)

    def options(self, value: Any, field: str = "options") -> Options:
        """Check options; those that are null are left out.

        Raises:
            InputError: an option is unknown, has another type, or a value that is out of range or not for this model.
        """
        if value is None:
            return ()
        if not isinstance(value, Mapping):
            raise InputError(field, f"expected an object, got {type(value).__name__}")
        given = {name: option for name, option in value.items() if option is not None}
        for name in given:
            if name not in self.schemas:
                raise InputError(f"{field}.{name:.80}", f"unknown option; known are {', '.join(sorted(self.schemas))}")
        try:
            checked = ExtractionOptions.from_dict(given)
            for name, option in given.items():
                schema = self.schemas[name]
                if option not in schema.get("enum", [option]) or option > schema.get("maximum", option):
                    raise ValueError(f"{name}={option!r:.80}: expected {expected(schema)}")
            chosen = tuple((name, getattr(checked, name)) for name in sorted(given))
            self.loop(chosen)  # checks the values that depend on the model
        except (TypeError, ValueError) as error:  # "window=9: expected …"
            name, _, rest = str(error)[:500].partition("=")
            raise (InputError(f"{field}.{name}", rest) if name in OPTIONS else InputError(field, str(error))) from None
        return chosen

    def _loop(self, options: Options) -> Loop:
        return self.model.extractor(**{"batch_tokens": self.batch_tokens, **dict(options)})
