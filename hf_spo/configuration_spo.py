"""Configuration of the triple-extraction models."""

from dataclasses import fields
from difflib import get_close_matches
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec
from transformers.utils import logging

from .schema import Schema, Thresholds

logger = logging.get_logger(__name__)


class Conditioning(StrEnum):
    """How a subject conditions the sequence in which its objects are sought."""

    LAYER_NORM = "layer_norm"
    ADDITION = "addition"
    RECURRENT = "recurrent"
    CONCATENATION = "concatenation"

    @property
    def inserts(self) -> bool:
        """Whether the subject is put beside the sentence's states rather than into them."""
        return self in (Conditioning.RECURRENT, Conditioning.CONCATENATION)


class RecurrentCell(StrEnum):
    """What reads a subject's tokens with "recurrent" conditioning."""

    GRU = "gru"
    LSTM = "lstm"


class ConditioningPosition(StrEnum):
    """Which hidden states are conditioned: those before the encoder's last normalisation, or after it."""

    BEFORE = "before"
    AFTER = "after"


RENAMED_KEYS: dict[str, str] = {}
"""Keys of configs written by older versions → their names today."""


def package_version() -> str:
    """Return the installed version of hf-spo; "unknown" where the code runs without the package."""
    try:
        return version("hf-spo")
    except PackageNotFoundError:
        return "unknown"


@strict
class SpoConfig(PreTrainedConfig):
    """Configuration of [`SpoForTripleExtraction`]: an encoder, a schema, the pointer heads and the decoding.

    Args:
        encoder_config: config of any encoder that `AutoModel` builds, as an object or a dictionary with `model_type`.
        relations: the schema's relations in label order, see [`Schema.to_list`].
        subject_power, object_power: p is raised to this power against class imbalance; 1 switches it off.
        initial_subject_probability, initial_object_probability: what fresh heads give to every token, see
            [`PointerHead`].
        conditioning: how a subject conditions the search for its objects. "layer_norm": conditional LayerNorm on its
            two border states. "addition": these added to every token. "recurrent": its tokens read by a bidirectional
            network, with each token's distance to the subject. "concatenation": the same with the border states in the
            network's place.
        conditioning_position: "before" or "after" the encoder's last normalisation.
        subject_start_threshold, subject_end_threshold, object_start_threshold, object_end_threshold: a token is a
            border where its powered probability exceeds this.
        recurrent_cell, recurrent_positions: "gru" or "lstm", and how many of a subject's tokens it reads, evenly spread
            from the first to the last.
        head_attention_heads, head_attention_size: self-attention before each head, beside the encoder's states; 0 heads
            switch it off.
        global_gates: multiply the pointers by the probabilities that a token is an entity's border, that a relation
            occurs in the sentence, and that a token is any object's border.
        prior: read candidates that a store of known triples finds in the text, see [`TripleStore`].
        max_length: longest sequence in tokens, special tokens included.
        hf_spo_version: the version that wrote this config.
    """

    model_type = "hf_spo"
    sub_configs_defaults: ClassVar = {"encoder_config": SubConfigSpec(config_class=AutoConfig, model_type="bert")}
    # Hidden states are for the object pass, not for a trainer to gather over a whole data set.
    keys_to_ignore_at_inference: ClassVar = ["last_hidden_state", "conditioned_state"]

    encoder_config: dict[str, Any] | PreTrainedConfig | None = None
    relations: list[dict[str, str]] | None = None
    subject_power: int = 2
    object_power: int = 4
    initial_subject_probability: float = 0.02
    initial_object_probability: float = 0.0005
    conditioning: str = Conditioning.LAYER_NORM.value
    conditioning_position: str = ConditioningPosition.AFTER.value
    recurrent_cell: str = RecurrentCell.GRU.value
    recurrent_positions: int = 6
    head_attention_heads: int = 0
    head_attention_size: int = 16
    global_gates: bool = False
    prior: bool = False
    subject_start_threshold: float = 0.5
    subject_end_threshold: float = 0.5
    object_start_threshold: float = 0.5
    object_end_threshold: float = 0.5
    max_length: int = 256
    initializer_range: float = 0.02
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

    def validate_spo(self) -> None:
        """Check the values that types alone do not; runs on construction and on save."""
        for name in ("subject_power", "object_power"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number of at least 1 (1 is off)")
        for name, least in (("recurrent_positions", 1), ("head_attention_heads", 0), ("head_attention_size", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number of at least {least}")
        Thresholds(*(getattr(self, f"{name}_threshold") for name in Thresholds.__slots__))
        for name in ("initial_subject_probability", "initial_object_probability"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected a probability between 0 and 1, both excluded")
        if self.max_length < 3:
            raise ValueError(
                f"max_length={self.max_length}: expected at least 3, a text has to fit between [CLS] and [SEP]"
            )
        if self.relations is not None:
            Schema.from_list(self.relations)

    def validate_choices(self) -> None:
        """Check the values that are names; runs with `validate_spo`."""
        choices: dict[str, type[StrEnum]] = {
            "conditioning": Conditioning,
            "conditioning_position": ConditioningPosition,
            "recurrent_cell": RecurrentCell,
        }
        for name, modes in choices.items():
            if getattr(self, name) not in list(modes):
                raise ValueError(f"{name}={getattr(self, name)!r}: expected one of {', '.join(modes)}")

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
        return Thresholds(
            self.subject_start_threshold,
            self.subject_end_threshold,
            self.object_start_threshold,
            self.object_end_threshold,
        )

    def get_text_config(self, decoder: Any = None, encoder: Any = None) -> PreTrainedConfig:
        """Return the encoder's config: it is the one with a vocabulary."""
        assert isinstance(self.encoder_config, PreTrainedConfig)
        return self.encoder_config

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, under the version that writes it and without the path that the encoder came from."""
        data = {**super().to_dict(), "hf_spo_version": package_version()}
        if isinstance(data.get("encoder_config"), dict):
            data["encoder_config"].pop("_name_or_path", None)
        return data

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
        for key in ("encoder_config", "relations"):
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
