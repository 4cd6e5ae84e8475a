"""Configuration of the triple-extraction models."""

from enum import StrEnum
from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

from .configuration_decoding import DecodingConfig
from .configuration_dgcnn import DgcnnConfig


class Conditioning(StrEnum):
    """How a subject conditions the sequence in which its objects are sought, see [`CONDITIONINGS`]."""

    LAYER_NORM = "layer_norm"
    ADDITION = "addition"
    RECURRENT = "recurrent"
    CONCATENATION = "concatenation"


class RecurrentCell(StrEnum):
    """Kind of network that reads a subject's tokens with "recurrent" conditioning."""

    GRU = "gru"
    LSTM = "lstm"


class ConditioningPosition(StrEnum):
    """Which hidden states are conditioned: those before the encoder's last normalisation, or after it."""

    BEFORE = "before"
    AFTER = "after"


@strict
class SpoConfig(DecodingConfig):
    """Configuration of [`SpoForTripleExtraction`]: encoder and pointer heads, and the fields of [`DecodingConfig`].

    Args:
        encoder_config: config of any encoder that `AutoModel` builds, as an object or a dictionary with `model_type`.
        subject_power, object_power: p is raised to this power against class imbalance; 1 switches it off.
        initial_subject_probability, initial_object_probability: the probability that fresh heads give to every token,
            see [`PointerHead`].
        conditioning: how a subject conditions the search for its objects. "layer_norm": conditional LayerNorm on its
            two border states. "addition": these added to every token. "recurrent": a bidirectional network over its
            tokens, with each token's distance to the subject. "concatenation": the border states instead of the
            network, with the same distances.
        conditioning_position: "before" or "after" the encoder's last normalisation.
        recurrent_cell, recurrent_positions: "gru" or "lstm", and how many of a subject's tokens it reads, evenly spread
            from the first to the last.
        head_attention_heads, head_attention_size: self-attention before each head, beside the encoder's states; 0 heads
            switch it off.
        global_gates: multiply the pointers by the probabilities that a token is the border of an entity, that a
            relation occurs in the sentence, and that a token is the border of any object.
        prior: read the candidates that a store of known triples finds in the text, see [`TripleStore`].
    """

    model_type = "hf_spo"
    model_class = "SpoForTripleExtraction"
    sub_configs_defaults: ClassVar = {"encoder_config": SubConfigSpec(config_class=AutoConfig, model_type="bert")}
    required_keys: ClassVar[tuple[str, ...]] = ("encoder_config", "relations")
    # Hidden states are for the object pass; a trainer must not gather them over a whole data set.
    keys_to_ignore_at_inference: ClassVar = [
        "last_hidden_state", "conditioned_state", "hidden_states", "attentions", "sentences",
    ]  # fmt: skip

    encoder_config: dict[str, Any] | PreTrainedConfig | None = None
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
    initializer_range: float = 0.02

    def __post_init__(self, **kwargs: Any) -> None:
        encoder = self.encoder_config
        # AutoConfig knows our own encoder only where it has been registered.
        if isinstance(encoder, dict) and encoder.get("model_type") == DgcnnConfig.model_type:
            self.encoder_config = DgcnnConfig(**encoder)
        super().__post_init__(**kwargs)

    def validate_spo(self) -> None:
        """Check the values that types alone do not; runs on construction and on save."""
        for name in ("subject_power", "object_power"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number of at least 1 (1 is off)")
        for name, least in (("recurrent_positions", 1), ("head_attention_heads", 0), ("head_attention_size", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number of at least {least}")
        for name in ("initial_subject_probability", "initial_object_probability"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected a probability between 0 and 1, both excluded")

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

    def get_text_config(self, decoder: Any = None, encoder: Any = None) -> PreTrainedConfig:
        """Return the encoder's config: it is the one with a vocabulary."""
        assert isinstance(self.encoder_config, PreTrainedConfig)
        return self.encoder_config

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, without the path that the encoder came from."""
        data: dict[str, Any] = super().to_dict()
        if isinstance(data.get("encoder_config"), dict):
            data["encoder_config"].pop("_name_or_path", None)
        return data
