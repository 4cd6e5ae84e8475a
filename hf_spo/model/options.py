"""ExtractionOptions: the only declaration of what can be set for an extraction.

Arguments of the pipelines, options of the command line, the service's JSON Schema, the settings of integrations and the
table in the documentation are derived from its fields.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from difflib import get_close_matches
from enum import StrEnum
from numbers import Integral, Real
from typing import Any, Literal, TypedDict

from .decoding_settings import DecodingSettings, Thresholds
from .schema import Schema

BATCH_TOKENS = 4096
"""Tokens in one forward pass, padding included."""


class OnLong(StrEnum):
    """What to do with a text that is too long to be read at once.

    WINDOW: read it whole, in windows. WARN: read as much of its beginning as the model can, and log a warning. ERROR:
    raise [`TextTooLongError`].
    """

    WINDOW = "window"
    WARN = "warn"
    ERROR = "error"


def _option(default: Any, kind: str, description: str, default_text: str = "", **limits: Any) -> Any:
    """Declare a field.

    Args:
        default: None for a value that depends on the model.
        kind: of the value, as a type of JSON Schema.
        description: one sentence or two, for help texts and documentation.
        default_text: what the default does, where the value itself does not say it.
        limits: further keywords of JSON Schema, such as `minimum`.
    """
    schema = {"type": kind, "description": description, **limits}
    return field(default=default, metadata={"schema": schema, "default_text": default_text})


def _probability(description: str, default_text: str = "the model's config") -> Any:
    return _option(None, "number", description, default_text, minimum=0, maximum=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionOptions:
    """What can be set for an extraction, at construction of a pipeline and in each call.

    Raises:
        TypeError: a value has another type than its field.
        ValueError: a value is out of range.
    """

    threshold: float | None = _probability(
        "A token is a border where its probability exceeds this. Sets the four thresholds below; a single one goes "
        "first. Higher finds fewer, surer triples."
    )
    subject_start_threshold: float | None = _probability("For first tokens of subjects.")
    subject_end_threshold: float | None = _probability("For last tokens of subjects.")
    object_start_threshold: float | None = _probability("For first tokens of objects.")
    object_end_threshold: float | None = _probability("For last tokens of objects.")
    score_threshold: float | None = _probability("Drop triples that score less, whatever their relation.")
    relations: tuple[str, ...] | None = _option(
        None, "array", "Extract only these predicates; objects of other relations are not computed.", "all",
        items={"type": "string"}, minItems=1,
    )  # fmt: skip
    rules: bool = _option(True, "boolean", "Apply the rules that the model's schema declares for its relations.")
    top_k: int | None = _option(
        None, "integer", "Keep at most this many triples of a text, those with the best scores.", "all", minimum=1
    )
    on_long: str = _option(
        OnLong.WINDOW.value, "string",
        "A text longer than the model's limit: read it whole, in windows; or read its beginning and warn; or raise an "
        "error.",
        enum=[choice.value for choice in OnLong],
    )  # fmt: skip
    window: int | None = _option(
        None, "integer", "Read neighbouring sentences of a text together, up to this many tokens.",
        "the model's config", minimum=3,
    )  # fmt: skip
    stride: int | None = _option(
        None, "integer", "Tokens that neighbouring windows share, where whole sentences can be shared.",
        "a quarter of a large window, none of a small one", minimum=0,
    )  # fmt: skip
    batch_tokens: int = _option(
        BATCH_TOKENS, "integer", "Tokens in one forward pass, padding included; a longer text goes alone.", minimum=1
    )

    def __post_init__(self) -> None:
        names: Any = self.relations
        if isinstance(names, list | set | frozenset):
            object.__setattr__(self, "relations", tuple(names))
        for declared in fields(self):
            value = getattr(self, declared.name)
            if value is not None or declared.default is not None:
                _check(declared, value)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "ExtractionOptions":
        """Read arguments of a call; those that are None have their default.

        Raises:
            TypeError: an argument is unknown or has the wrong type.
            ValueError: a value is out of range.
        """
        _check_names(given)
        return cls(**{name: value for name, value in given.items() if value is not None})

    def to_dict(self) -> dict[str, Any]:
        """Return the options that are not at their defaults, as arguments of a call and as JSON."""
        values = {name: getattr(self, name) for name in OPTIONS if getattr(self, name) != OPTIONS[name].default}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def decoding(self, own: DecodingSettings) -> DecodingSettings:
        """Return decoding settings: what was given here, else a model's own."""
        borders = {name: getattr(self, f"{name}_threshold") for name in Thresholds.__slots__}
        borders = {name: self.threshold if value is None else value for name, value in borders.items()}
        given = {name: value for name, value in borders.items() if value is not None}
        scores = own.score_thresholds if self.score_threshold is None else (self.score_threshold,)
        return replace(own, thresholds=replace(own.thresholds, **given), score_thresholds=scores)

    def labels(self, schema: Schema) -> tuple[int, ...] | None:
        """Return the labels that have to be computed for `relations`; None for all.

        These are all slots of the predicates and, with `rules`, of predicates whose inverse is one of them.

        Raises:
            ValueError: the schema has no such predicate.
        """
        if self.relations is None:
            return None
        known = schema.predicates
        for name in self.relations:
            if name not in known:
                near = get_close_matches(name, known, n=3, cutoff=0.5)
                hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(sorted(known)):.300}"
                raise ValueError(f"relations={name!r:.80}: the model's schema has no such predicate; {hint}")
        sources = {relation.predicate for relation in schema if self.rules and relation.rules.inverse in self.relations}
        needed = sources.union(self.relations)
        return tuple(label for label, relation in enumerate(schema) if relation.predicate in needed)


class ExtractionKwargs(TypedDict, total=False):
    """The fields of [`ExtractionOptions`] as keyword arguments of a call, for type checkers and editors."""

    threshold: float | None
    subject_start_threshold: float | None
    subject_end_threshold: float | None
    object_start_threshold: float | None
    object_end_threshold: float | None
    score_threshold: float | None
    relations: list[str] | tuple[str, ...] | None
    rules: bool | None
    top_k: int | None
    on_long: Literal["window", "warn", "error"] | None
    window: int | None
    stride: int | None
    batch_tokens: int | None


OPTIONS: dict[str, Field[Any]] = {declared.name: declared for declared in fields(ExtractionOptions)}
"""The fields by their names. Their metadata has `schema`, a JSON Schema, and `default_text`."""


def merge_options(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments of a call over those of the construction.

    A `threshold` in the call goes before single borders of the construction.

    Raises:
        TypeError: an argument is unknown.
    """
    _check_names({**defaults, **given})
    borders = {f"{name}_threshold" for name in Thresholds.__slots__} if given.get("threshold") is not None else set()
    return {**{name: value for name, value in defaults.items() if name not in borders}, **given}


def expected(schema: Mapping[str, Any]) -> str:
    """Describe the values that a field's JSON Schema allows."""
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    kind = _KINDS[schema["type"]][1]
    if "maximum" in schema:
        return f"{kind} from {schema['minimum']} to {schema['maximum']}"
    return f"{kind} of at least {schema['minimum']}" if "minimum" in schema else kind


_KINDS: dict[str, tuple[type, str]] = {
    "number": (Real, "a number"),
    "integer": (Integral, "a whole number"),
    "boolean": (bool, "True or False"),
    "string": (str, "a string"),
    "array": (tuple, "a list of names, at least one"),
}


_SET_ONCE = "it is set when the pipeline is made"
_BY_RELATIONS = "relations=[…] limits the predicates; the model's schema has all that can be found"
_ELSEWHERE = {
    "num_workers": "texts are tokenised in the same process, by many threads",
    "num_threads": "hf_spo.load(…, threads=…) sets it",
    "truncation": 'texts are read whole, in windows; on_long="warn" reads only the beginning of a long one',
    "max_length": "window limits the tokens that are read together; on_long says what happens to longer texts",
    "padding": "a batch is padded to its longest text",
    "return_tensors": "the result is plain Python",
    "device": _SET_ONCE,
    "dtype": _SET_ONCE,
    "min_score": "score_threshold drops triples that score less",
    "labels": _BY_RELATIONS,
    "candidate_labels": _BY_RELATIONS,
    "schema": _BY_RELATIONS,
}
"""Arguments of other pipelines and libraries, and what does their work here."""


def _check_names(given: Mapping[str, Any]) -> None:
    unknown = sorted(set(given) - set(OPTIONS))
    if unknown and unknown[0] in _ELSEWHERE:
        raise TypeError(f"unknown argument {unknown[0]}: {_ELSEWHERE[unknown[0]]}")
    if unknown:
        near = get_close_matches(unknown[0], OPTIONS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise TypeError(
            f"unknown argument {', '.join(unknown)}; known are {', '.join(sorted(OPTIONS))}, batch_size{hint}"
        )


def _check(declared: Field[Any], value: Any) -> None:
    schema = declared.metadata["schema"]
    or_none = ", or None" if declared.default is None else ""
    message = f"{declared.name}={value!r:.80}: expected {expected(schema)}{or_none}"
    kind = schema["type"]
    is_kind = isinstance(value, _KINDS[kind][0]) and isinstance(value, bool) == (kind == "boolean")
    if not is_kind or (kind == "array" and not all(isinstance(name, str) for name in value)):
        raise TypeError(f"{message}, got {type(value).__name__}")
    if kind in ("number", "integer"):
        fits = schema["minimum"] <= value <= schema.get("maximum", value)
    else:
        fits = value in schema.get("enum", [value]) and value != ()
    if not fits:
        raise ValueError(message)


def options_table() -> str:
    """Return the options as a Markdown table for the documentation."""
    lines = ["| argument | default | |", "|---|---|---|"]
    for name, declared in OPTIONS.items():
        assert declared.default is not MISSING
        default = declared.metadata["default_text"] or f"`{declared.default!r}`"
        lines.append(f"| `{name}` | {default} | {declared.metadata['schema']['description']} |")
    return "\n".join(lines) + "\n"
