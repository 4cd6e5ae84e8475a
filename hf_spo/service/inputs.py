"""What may be asked of a model from outside: texts and options, each checked, and the extraction loop that answers.

The service and the handler of Inference Endpoints stand on this, so that they take and refuse the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Any, Protocol

from ..model.extraction import Loop
from ..model.options import BATCH_TOKENS, OnLong
from ..model.options import OPTIONS as EXTRACTION_OPTIONS

Options = tuple[tuple[str, Any], ...]
"""Names and values in the order of the names: requests with equal options can be answered together."""


class InputError(ValueError):
    """Something that was asked is not as expected.

    Args:
        field: where it is, such as `texts[3]`.
        reason: what came and what was expected.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Model(Protocol):
    """[`TripleExtractionPipeline`] or [`OnnxTripleExtractionPipeline`]."""

    schema: Any

    @property
    def name_or_path(self) -> str:
        """Where the model comes from."""
        ...

    def extractor(self, **parameters: Any) -> Loop:
        """Return the extraction loop with arguments as in a call."""
        ...


@dataclass(frozen=True, slots=True)
class InputLimits:
    """How much may be asked at once.

    Args:
        texts: of a request; None: any number.
        characters: of a text; None: any number.
        batch_tokens: in one forward pass, unless a request asks for fewer.
    """

    texts: int | None = None
    characters: int | None = None
    batch_tokens: int = BATCH_TOKENS


OPTIONS: dict[str, dict[str, Any]] = {
    name: {**option.metadata["schema"]} for name, option in EXTRACTION_OPTIONS.items()
}
"""What a request can set, as JSON Schema: the fields of [`ExtractionOptions`]."""
# A warning would reach the log only, not the client.
OPTIONS["on_long"]["enum"] = [OnLong.WINDOW.value, OnLong.ERROR.value]

_KINDS: dict[str, Any] = {"boolean": bool, "integer": int, "number": int | float, "string": str, "array": list}
_LOOPS_KEPT = 64


class Handler:
    """A model, and what may be asked of it.

    Args:
        model: a pipeline of either kind.
        limits: of a request.
    """

    def __init__(self, model: Model, limits: InputLimits | None = None) -> None:
        self.model = model
        self.limits = limits or InputLimits()
        self.loop = lru_cache(_LOOPS_KEPT)(self._loop)

    def texts(self, value: Any, field: str = "texts") -> list[str]:
        """Return texts, if it is a list of such.

        Raises:
            InputError: it is not, or there are too many of them, or one is too long.
        """
        if not isinstance(value, list):
            hint = '; put it into a list: ["…"]' if isinstance(value, str) else ""
            raise InputError(field, f"expected a list of strings, got {_kind(value)}{hint}")
        most = self.limits.texts
        if most is not None and len(value) > most:
            raise InputError(
                field, f"{len(value):,} texts, expected at most {most:,}; send them in more than one request"
            )
        for index, text in enumerate(value):
            self.text(text, f"{field}[{index}]")
        return value

    def text(self, value: Any, field: str) -> str:
        """Return a text, if it is one.

        Raises:
            InputError: it is not, or it is too long.
        """
        if not isinstance(value, str):
            raise InputError(field, f"expected a string, got {_kind(value)}")
        most = self.limits.characters
        if most is not None and len(value) > most:
            raise InputError(field, f"{len(value):,} characters, expected at most {most:,}; cut the text into parts")
        return value

    def options(self, value: Any, field: str = "options") -> Options:
        """Return options, if they are known and in range; those that are null are left out.

        Raises:
            InputError: one is not.
        """
        if value is None:
            return ()
        if not isinstance(value, Mapping):
            raise InputError(field, f"expected an object, got {_kind(value)}")
        given = {name: option for name, option in value.items() if option is not None}
        for name, option in given.items():
            if name not in OPTIONS:
                raise InputError(f"{field}.{name:.80}", f"is not known; known are {', '.join(sorted(OPTIONS))}")
            schema = self.schema(name)
            if not _fits(option, schema):
                raise InputError(f"{field}.{name}", f"expected {_expected(schema)}, got {_shown(option)}")
        given = {name: tuple(option) if isinstance(option, list) else option for name, option in given.items()}
        chosen = tuple(sorted(given.items()))
        self._check(chosen, field)
        return chosen

    def schema(self, name: str) -> dict[str, Any]:
        """Return the JSON Schema of an option."""
        return {**OPTIONS[name], "maximum": self.limits.batch_tokens} if name == "batch_tokens" else OPTIONS[name]

    def _check(self, options: Options, field: str) -> None:
        try:
            self.loop(options)
        except ValueError as error:
            # What depends on the model: "window=9: expected …".
            name, _, rest = str(error)[:500].partition("=")
            raise (InputError(f"{field}.{name}", rest) if name in OPTIONS else InputError(field, str(error))) from None

    def _loop(self, options: Options) -> Loop:
        return self.model.extractor(**{"batch_tokens": self.limits.batch_tokens, **dict(options)})


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    wants_bool = schema["type"] == "boolean"
    if not isinstance(value, _KINDS[schema["type"]]) or isinstance(value, bool) != wants_bool:
        return False
    if isinstance(value, str):
        return value in schema["enum"]
    if isinstance(value, list):
        return bool(value) and all(isinstance(element, str) for element in value)
    return bool(schema.get("minimum", -inf) <= value <= schema.get("maximum", inf))


def _expected(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f'"{choice}"' for choice in schema["enum"])
    if schema["type"] in ("boolean", "array"):
        return {"boolean": "true or false", "array": "a list of strings, at least one"}[schema["type"]]
    kind = "a whole number" if schema["type"] == "integer" else "a number"
    if "maximum" in schema:
        return f"{kind} from {schema['minimum']} to {schema['maximum']}"
    return f"{kind} of at least {schema['minimum']}"


def _shown(value: Any) -> str:
    return f"{value!r:.40}" if isinstance(value, bool | int | float | str) else _kind(value)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)
