"""Fields that the configs of all triple-extraction models share: relations, decoding, lengths, version."""

import json
from copy import deepcopy
from dataclasses import fields
from difflib import get_close_matches
from os import PathLike
from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig
from transformers.utils import logging

from .decoding_settings import DecodingSettings, SpanPairing, Thresholds
from .fields import json_line
from .schema import Schema
from .travelling import CODE_KEYS, code_references, copy_code
from .versions import INSTALLED, advise_upgrade, is_newer, package_version

logger = logging.get_logger(__name__)

RENAMED_KEYS: dict[str, str] = {}
"""Config keys of older versions → their current names."""


@strict
class DecodingConfig(PreTrainedConfig):
    """Base of the configs of all triple-extraction models.

    Args:
        relations: the schema's relations in label order, see [`Schema.to_list`].
        subject_start_threshold, subject_end_threshold, object_start_threshold, object_end_threshold: a token is a
            border where its powered probability exceeds this.
        span_pairing: which starts and ends make spans, see [`SpanPairing`].
        score_calibration: map from a triple's score to the probability that it is right, see [`Calibration.to_dict`].
        score_threshold: triples with a lower score are dropped.
        relation_score_thresholds: one such threshold for each relation, used instead of `score_threshold`.
        max_length: longest sequence in tokens, special tokens included.
        window: neighbouring sentences of a text are read together up to this many tokens; None: up to `max_length`.
            Training sets it from its texts, if it is not set.
        hf_spo_version: the version of hf-spo that wrote this config.
    """

    # A slot is not a field: it is neither compared nor written to JSON.
    __slots__ = ("_built_schema",)

    # Keys that a config.json must have.
    required_keys: ClassVar[tuple[str, ...]] = ("relations",)
    # Name of the model class that is built from the config.
    model_class: ClassVar[str] = ""

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
        """Check the values that types alone do not check, and name the labels; runs on construction and on save."""
        DecodingSettings.from_dict(vars(self))  # raises ValueError for a wrong value
        limits = self.relation_score_thresholds
        if limits is not None and len(limits) != len(self.relations or ()):
            raise ValueError(
                f"relation_score_thresholds has {len(limits)} values: expected one for each of the "
                f"{len(self.relations or ())} relations"
            )
        if self.max_length < 3:
            raise ValueError(
                f"max_length={self.max_length}: expected at least 3 tokens, [CLS], one token of text and [SEP]"
            )
        if self.window is not None and not 3 <= self.window <= self.max_length:
            raise ValueError(f"window={self.window}: expected 3 to max_length={self.max_length} tokens")
        if self.relations is not None:
            self.id2label = dict(enumerate(Schema.from_list(self.relations).labels))
            self.label2id = {name: label for label, name in self.id2label.items()}

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
        # Compared with a copy, since the list and its dictionaries may be changed in place.
        built: tuple[list[dict[str, Any]], Schema] | None = getattr(self, "_built_schema", None)
        if built is None or built[0] != self.relations:
            built = deepcopy(self.relations), Schema.from_list(self.relations)
            object.__setattr__(self, "_built_schema", built)
        return built[1]

    @property
    def thresholds(self) -> Thresholds:
        """The four decoding thresholds as one object."""
        return self.decoding.thresholds

    @property
    def decoding(self) -> DecodingSettings:
        """How probabilities become triples, as one object."""
        return DecodingSettings.from_dict(vars(self))

    def decode_by(self, settings: DecodingSettings) -> None:
        """Store decoding settings in the config, for example those that a search found."""
        for name, value in settings.to_dict().items():
            setattr(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, with the version that writes it."""
        if INSTALLED:
            return {**super().to_dict(), "hf_spo_version": package_version()}
        # A copy keeps the version that it came with. Our references replace those that transformers writes.
        return {**super().to_dict(), **self.code_references()}

    def to_json_string(self, use_diff: bool = True) -> str:
        """Return the JSON form, with the characters of the relations unescaped."""
        # Parsed first, so that the keys of id2label are sorted as strings, as in a config that is read and written.
        data = json.dumps(json.loads(super().to_json_string(use_diff)), sort_keys=True)
        return json_line(json.loads(data), indent=2) + "\n"

    @classmethod
    def code_references(cls) -> dict[str, Any]:
        """Return what config.json says where code travels with a model, see [`travelling.code_references`]."""
        return code_references(cls.__name__, cls.model_class)

    def save_pretrained(self, save_directory: str | PathLike[str], push_to_hub: bool = False, **kwargs: Any) -> None:
        """Save as JSON; code that came with a model is copied into the folder as well."""
        if not INSTALLED:
            copy_code(save_directory)
        super().save_pretrained(save_directory, push_to_hub=push_to_hub, **kwargs)

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Build a config from its JSON form; renamed keys are translated, unknown keys are dropped with a warning."""
        written_by, kind = config_dict.get("hf_spo_version", "unknown"), config_dict.get("model_type", cls.model_type)
        if kind != cls.model_type and cls.required_keys[0] not in config_dict:
            raise ValueError(
                f"expected the config of a triple-extraction model, model_type {cls.model_type!r}, got {kind!r}; for a "
                f"plain encoder, use SpoForTripleExtraction.from_encoder(path, schema), and train the model"
            )
        kept = cls._known_part(config_dict, written_by)
        with advise_upgrade("this hf_spo config", lambda: written_by):
            for key in cls.required_keys:
                if key not in kept and key not in kwargs:
                    raise ValueError(
                        f'this hf_spo config has no "{key}" (written by version {written_by}); the file is damaged or '
                        f"belongs to another model"
                    )
            return super().from_dict(kept, **kwargs)

    @classmethod
    def _known_part(cls, config_dict: dict[str, Any], written_by: Any) -> dict[str, Any]:
        known = {field.name for field in fields(cls)} | _FOREIGN_KEYS
        if INSTALLED and cls.__module__.startswith("hf_spo."):
            # The installed code is used, so no code of the model has to be trusted.
            config_dict = {key: value for key, value in config_dict.items() if key not in CODE_KEYS}
        renamed = {RENAMED_KEYS.get(key, key): value for key, value in config_dict.items()}
        kept = {key: value for key, value in renamed.items() if key in known or key.startswith("_")}
        unknown = ", ".join(sorted(set(renamed) - set(kept)))
        if is_newer(written_by):
            ignored = f"; unknown keys are ignored: {unknown}" if unknown else ""
            logger.warning_once(
                f"this hf_spo config was written by version {written_by}, newer than {package_version()} here: "
                f"pip install --upgrade hf-spo{ignored}"
            )
        elif unknown:
            logger.warning(
                f"ignoring unknown keys of this hf_spo config: {unknown}; it was written by version {written_by}, this "
                f"is {package_version()}"
            )
        return kept


# Keys beside the declared fields that transformers itself writes into a config.json or passes to a config.
_FOREIGN_KEYS = {
    "model_type", "transformers_version", "architectures", "dtype", "torch_dtype", *CODE_KEYS,
    "attn_implementation", "experts_implementation", "use_cache", "name_or_path", "num_labels", "output_attentions",
    "quantization_config",
}  # fmt: skip
