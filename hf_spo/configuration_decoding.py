"""What the configs of all triple-extraction models share: the relations, and how probabilities become triples."""

from dataclasses import fields
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig
from transformers.utils import logging

from .decoding_settings import DecodingSettings, SpanPairing
from .schema import Schema, Thresholds

logger = logging.get_logger(__name__)

RENAMED_KEYS: dict[str, str] = {}
"""Keys of configs written by older versions → their names today."""


def package_version() -> str:
    """Return the installed version of hf-spo; "unknown" where the code runs without the package."""
    try:
        return version("hf-spo")
    except PackageNotFoundError:
        return "unknown"


@strict
class DecodingConfig(PreTrainedConfig):
    """Fields that every triple-extraction model's config has.

    Args:
        relations: the schema's relations in label order, see [`Schema.to_list`].
        subject_start_threshold, subject_end_threshold, object_start_threshold, object_end_threshold: a token is a
            border where its powered probability exceeds this.
        span_pairing: which starts and ends make spans, see [`SpanPairing`].
        score_calibration: map from a triple's score to the probability that it is right, see [`Calibration.to_dict`].
        score_threshold: triples that score less are dropped.
        relation_score_thresholds: the same for each relation, in the common one's place.
        max_length: longest sequence in tokens, special tokens included.
        window: neighbouring sentences of a text are read together up to this many tokens; None: up to `max_length`.
            Training sets it to the median length of its texts, if it is not set.
        hf_spo_version: the version that wrote this config.
    """

    # Without these keys a config.json is none of the kind.
    required_keys: ClassVar[tuple[str, ...]] = ("relations",)

    relations: list[dict[str, Any]] | None = None
    subject_start_threshold: float = 0.5
    subject_end_threshold: float = 0.5
    object_start_threshold: float = 0.5
    object_end_threshold: float = 0.5
    span_pairing: str = SpanPairing.NEAREST.value
    score_calibration: dict[str, Any] | None = None
    score_threshold: float = 0.0
    relation_score_thresholds: list[float] | None = None
    max_length: int = 256
    window: int | None = None
    tie_word_embeddings: bool = False
    hf_spo_version: str = ""

    def __post_init__(self, **kwargs: Any) -> None:
        unknown = sorted(key for key in set(kwargs) - _FOREIGN_KEYS if not key.startswith("_"))
        if unknown:
            near = get_close_matches(unknown[0], [field.name for field in fields(self)], n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise TypeError(f"{type(self).__name__} has no field {', '.join(unknown)}{hint}")
        self.hf_spo_version = self.hf_spo_version or package_version()
        super().__post_init__(**kwargs)  # type: ignore[no-untyped-call]  # unannotated there

    def validate_decoding(self) -> None:
        """Check the values that types alone do not; runs on construction and on save."""
        DecodingSettings.from_dict(vars(self))  # raises where one is wrong
        limits = self.relation_score_thresholds
        if limits is not None and len(limits) != len(self.relations or ()):
            raise ValueError(
                f"{len(limits)} relation_score_thresholds: expected one for each of the {len(self.relations or ())} "
                f"relations"
            )
        if self.max_length < 3:
            raise ValueError(
                f"max_length={self.max_length}: expected at least 3, a text has to fit between [CLS] and [SEP]"
            )
        if self.window is not None and not 3 <= self.window <= self.max_length:
            raise ValueError(f"window={self.window}: expected 3 to max_length={self.max_length} tokens")
        if self.relations is not None:
            Schema.from_list(self.relations)

    @property
    def schema(self) -> Schema:
        """The relations as a [`Schema`].

        Raises:
            ValueError: the config has no relations.
        """
        if not self.relations:
            raise ValueError(
                "this config has no relations, so no model can be built from it; "
                "pass relations=schema.to_list(), or use SpoForTripleExtraction.from_encoder(path, schema)"
            )
        return Schema.from_list(self.relations)

    @property
    def thresholds(self) -> Thresholds:
        """The four decoding thresholds as one object."""
        return self.decoding.thresholds

    @property
    def decoding(self) -> DecodingSettings:
        """How probabilities become triples, as one object."""
        return DecodingSettings.from_dict(vars(self))

    def decode_by(self, settings: DecodingSettings) -> None:
        """Take settings over, as found by a search for instance."""
        for name, value in settings.to_dict().items():
            setattr(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, under the version that writes it."""
        return {**super().to_dict(), "hf_spo_version": package_version()}

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Build a config from its JSON form; renamed keys are followed, unknown ones are dropped with a warning."""
        known = {field.name for field in fields(cls)} | _FOREIGN_KEYS
        kept: dict[str, Any] = {}
        unknown = []
        for key, value in config_dict.items():
            name = RENAMED_KEYS.get(key, key)
            if name in known or name.startswith("_"):
                kept[name] = value
            else:
                unknown.append(key)
        if unknown:
            logger.warning(
                f"ignoring unknown keys of this hf_spo config: {', '.join(sorted(unknown))}; it was written by version "
                f"{config_dict.get('hf_spo_version', 'unknown')}, this is {package_version()}"
            )
        for key in cls.required_keys:
            if key not in kept and key not in kwargs:
                raise ValueError(
                    f'this hf_spo config has no "{key}" (written by version '
                    f"{config_dict.get('hf_spo_version', 'unknown')}); the file is damaged or belongs to another model"
                )
        return super().from_dict(kept, **kwargs)


# What transformers itself writes into a config.json, or passes to a config, beside the declared fields.
_FOREIGN_KEYS = {
    "model_type", "transformers_version", "architectures", "dtype", "torch_dtype", "auto_map", "custom_pipelines",
    "attn_implementation", "experts_implementation", "use_cache", "name_or_path", "num_labels", "output_attentions",
}  # fmt: skip
