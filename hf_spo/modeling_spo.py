"""SpoForTripleExtraction: an encoder, subject pointers, and object pointers conditioned on a subject.

The BERT system of kexue.fm/archives/7161 (bert4keras, task_relation_extraction.py), for any encoder.
"""

import inspect
import threading
from collections import OrderedDict
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers import initialization as init
from transformers.models.auto.auto_factory import _BaseAutoModelClass, _LazyAutoMapping
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES  # type: ignore[attr-defined]  # made lazily
from transformers.utils.generic import ModelOutput

from .alignment import Batch
from .configuration_spo import Conditioning, ConditioningPosition, SpoConfig
from .layers import (
    ConditionAddition,
    ConditionalLayerNorm,
    PointerHead,
    powered_cross_entropy,
    powered_sigmoid,
)
from .schema import Schema


@dataclass
class SpoOutput(ModelOutput):
    """What [`SpoForTripleExtraction`] returns.

    Args:
        loss: sum of both losses, given labels.
        subject_loss, object_loss: binary cross-entropy, mean over tokens; the objects' is summed over relations.
        subject_probs: (B, L, 2) powered probabilities of start and end.
        object_probs: (N, L, R, 2), given `subject_rows` and `subject_spans`.
        last_hidden_state: (B, L, H) of the encoder.
        conditioned_state: (B, L, H) that subjects are read from and condition; the same tensor or the encoder's
            output before its last normalisation.
    """

    loss: torch.Tensor | None = None
    subject_loss: torch.Tensor | None = None
    object_loss: torch.Tensor | None = None
    subject_probs: torch.Tensor | None = None
    object_probs: torch.Tensor | None = None
    last_hidden_state: torch.Tensor | None = None
    conditioned_state: torch.Tensor | None = None


class SpoPreTrainedModel(PreTrainedModel):
    """Weight initialisation and loading for the family."""

    config: SpoConfig
    config_class = SpoConfig
    base_model_prefix = "encoder"
    main_input_name = "input_ids"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _supports_attention_backend = True

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)  # type: ignore[no-untyped-call]  # unannotated there
        if isinstance(module, ConditionalLayerNorm):
            init.ones_(module.weight)
            init.zeros_(module.bias)
            init.zeros_(module.gamma_dense.weight)
            init.zeros_(module.beta_dense.weight)
        elif isinstance(module, PointerHead):
            init.constant_(module.bias, module.initial_bias)


class SpoForTripleExtraction(SpoPreTrainedModel):
    """Point at subjects, then, conditioned on each subject, at the objects of every relation."""

    def __init__(self, config: SpoConfig) -> None:
        super().__init__(config)
        encoder_config = config.get_text_config()
        hidden_size = encoder_config.hidden_size
        self.encoder = AutoModel.from_config(encoder_config, **_without_pooler(encoder_config))
        limit = position_limit(self.encoder)
        if limit is not None and config.max_length > limit:
            raise ValueError(
                f"max_length={config.max_length}: {type(self.encoder).__name__} has {limit} positions; "
                f"pass max_length={limit} or less"
            )
        self.subject_head = PointerHead(hidden_size, 1, config.subject_power, config.initial_subject_probability)
        build = ConditionalLayerNorm if config.conditioning == Conditioning.LAYER_NORM else ConditionAddition
        self.conditioning = build(hidden_size, 2 * hidden_size)
        self.object_head = PointerHead(
            hidden_size, len(config.schema), config.object_power, config.initial_object_probability
        )
        if config.conditioning_position == ConditioningPosition.BEFORE:
            last_layer_norm(self.encoder)  # raises now rather than at the first forward
        self.takes_token_types = (getattr(encoder_config, "type_vocab_size", 0) or 0) > 0
        self.post_init()  # type: ignore[no-untyped-call]  # unannotated there

    @classmethod
    def from_encoder(
        cls, path: str | PathLike[str], schema: Schema, *, dtype: torch.dtype = torch.float32, **config: Any
    ) -> "SpoForTripleExtraction":
        """Put fresh pointer heads on a pretrained encoder.

        Args:
            path: folder or Hub name of any checkpoint that `AutoModel` reads.
            schema: the relations to extract.
            dtype: of the weights; float32 for training.
            config: fields of [`SpoConfig`]; `encoder_config` may be a dictionary of overrides for the encoder, such
                as `{"hidden_dropout_prob": 0.0}`; `attn_implementation` chooses the encoder's attention.

        Raises:
            ValueError: the checkpoint lacks weights of the encoder, which would silently start at random, or holds more
                than an encoder, or `max_length` is beyond its positions.
        """
        overrides = config.pop("encoder_config", {})
        attention = config.pop("attn_implementation", None)
        encoder_config = AutoConfig.from_pretrained(path, **overrides)
        if encoder_config.model_type == SpoConfig.model_type:
            raise ValueError(
                f"{path} is a triple-extraction model, no plain encoder; load it by {cls.__name__}.from_pretrained, "
                f"with relations= and ignore_mismatched_sizes=True for another schema"
            )
        encoder, info = AutoModel.from_pretrained(
            path,
            config=encoder_config,
            dtype=dtype,
            attn_implementation=attention,
            output_loading_info=True,
            **_without_pooler(encoder_config),
        )
        # A pooler that the checkpoint lacks is of no consequence: pointers read tokens.
        missing = [key for key in info["missing_keys"] if not key.startswith("pooler.")]
        if missing:
            raise ValueError(
                f"{path} lacks {len(missing)} of the weights of {type(encoder).__name__}, such as {min(missing)}; "
                f"they would start at random. Pass a checkpoint whose encoder is a {encoder_config.model_type}"
            )
        config.setdefault("max_length", min(SpoConfig.max_length, position_limit(encoder) or SpoConfig.max_length))
        spo_config = SpoConfig(encoder_config=encoder.config, relations=schema.to_list(), **config)
        model: SpoForTripleExtraction = cls._from_config(  # type: ignore[no-untyped-call]  # unannotated there
            spo_config, dtype=dtype, attn_implementation=attention
        )
        model.encoder.load_state_dict(encoder.state_dict())
        return model

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        subject_rows: torch.Tensor | None = None,
        subject_spans: torch.Tensor | None = None,
        subject_labels: torch.Tensor | None = None,
        object_labels: torch.Tensor | None = None,
    ) -> SpoOutput:
        """Encode, point at subjects and, given subjects, at their objects.

        *Shape:* input_ids, attention_mask, token_type_ids (B, L); subject_rows (N,), the sentence of each subject;
        subject_spans (N, 2), its first and last token; subject_labels (B, L, 2); object_labels (N, L, R, 2).
        """
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        hidden, state = self.encode(input_ids, attention_mask, token_type_ids)
        subject_logits = self.subject_head(hidden).squeeze(-2)
        output = SpoOutput(
            subject_probs=powered_sigmoid(subject_logits, self.config.subject_power),
            last_hidden_state=hidden,
            conditioned_state=state,
        )
        mask = attention_mask.to(torch.float32)
        if subject_labels is not None:
            losses = powered_cross_entropy(subject_logits, subject_labels, self.config.subject_power).mean(-1)
            output.loss = output.subject_loss = masked_mean(losses, mask)
        if subject_rows is not None and subject_spans is not None:
            object_logits = self.object_logits(state, subject_rows, subject_spans)
            if object_labels is None:
                output.object_probs = powered_sigmoid(object_logits, self.config.object_power)
            else:
                losses = powered_cross_entropy(object_logits, object_labels, self.config.object_power)
                output.object_loss = masked_mean(losses.mean(-1).sum(-1), mask[subject_rows])
                output.loss = output.object_loss if output.loss is None else output.loss + output.object_loss
        return output

    def encode(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Run the encoder. *Shape:* (B, L) → its last hidden state and the state to condition, both (B, L, H)."""
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        if self.takes_token_types and token_type_ids is not None:
            inputs["token_type_ids"] = token_type_ids
        if self.config.conditioning_position == ConditioningPosition.AFTER:
            hidden = self.encoder(**inputs).last_hidden_state
            return hidden, hidden
        seen: list[torch.Tensor] = []
        thread = threading.get_ident()

        def remember(_: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
            if threading.get_ident() == thread:  # another thread may be running the same model
                seen.append(args[0])

        handle = last_layer_norm(self.encoder).register_forward_pre_hook(remember)
        try:
            hidden = self.encoder(**inputs).last_hidden_state
        finally:
            handle.remove()
        return hidden, seen[-1]

    def object_logits(self, state: torch.Tensor, rows: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
        """Point at objects. *Shape:* state (B, L, H), rows (N,), spans (N, 2) → (N, L, R, 2)."""
        condition = torch.cat([state[rows, spans[:, 0]], state[rows, spans[:, 1]]], dim=-1)
        logits: torch.Tensor = self.object_head(self.conditioning(state, condition, rows))
        return logits


class TorchBackend:
    """A model behind the interface that extraction knows, see [`PointerBackend`]."""

    def __init__(self, model: SpoForTripleExtraction) -> None:
        self.model = model

    @torch.inference_mode()
    def subjects(self, batch: Batch) -> tuple[torch.Tensor, np.ndarray]:
        """Encode a batch. Returns the state to condition and probabilities (B, L, 2), float32."""
        inputs = {
            name: torch.from_numpy(array).to(self.model.device, non_blocking=True)
            for name, array in batch.model_inputs().items()
        }
        output = self.model(**inputs)
        return output.conditioned_state, output.subject_probs.cpu().numpy()

    @torch.inference_mode()
    def objects(self, state: torch.Tensor, rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Point at the objects of subjects. *Shape:* rows (N,), spans (N, 2) → (N, L, R, 2), float32."""
        device = state.device
        logits = self.model.object_logits(state, torch.from_numpy(rows).to(device), torch.from_numpy(spans).to(device))
        return powered_sigmoid(logits, self.model.config.object_power).cpu().numpy()


def masked_mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean over the positions where mask is 1; 0 where there is none."""
    return (values * mask).sum() / mask.sum().clamp(min=1)


# Where the encoders of transformers keep the normalisation that yields their last hidden state.
_LAST_NORMS = (
    "encoder.layer.-1.output.LayerNorm",  # bert, roberta, xlm-roberta, ernie, electra, deberta, deberta-v2, roformer
    "transformer.layer.-1.output_layer_norm",  # distilbert
    "encoder.albert_layer_groups.-1.albert_layers.-1.full_layer_layer_norm",  # albert
    "final_norm",  # modernbert
    "norm",  # eurobert
)


def last_layer_norm(encoder: nn.Module) -> nn.Module:
    """Find the normalisation whose output is the encoder's last hidden state.

    Raises:
        ValueError: the encoder is of no kind that is known to have one.
    """
    for path in _LAST_NORMS:
        module: Any = encoder
        for name in path.split("."):
            module = module[-1] if name == "-1" and isinstance(module, nn.ModuleList) else getattr(module, name, None)
        if isinstance(module, nn.Module):
            return module
    raise ValueError(
        f'{type(encoder).__name__} has no last normalisation known here; use conditioning_position="after"'
    )


def position_limit(encoder: nn.Module) -> int | None:
    """Return the longest sequence in tokens that an encoder has positions for; None if its positions are relative."""
    for name, module in encoder.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            # RoBERTa and its kin count positions from the one after the padding's.
            return module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
    return None


def _without_pooler(encoder_config: PreTrainedConfig) -> dict[str, bool]:
    """Ask for no pooler where the encoder's class lets us: unused weights upset distributed training."""
    model_class: Any = AutoModel._model_mapping[type(encoder_config)]
    accepts = "add_pooling_layer" in inspect.signature(model_class).parameters
    return {"add_pooling_layer": False} if accepts else {}


MODEL_FOR_TRIPLE_EXTRACTION_MAPPING = _LazyAutoMapping(CONFIG_MAPPING_NAMES, OrderedDict())


class AutoModelForTripleExtraction(_BaseAutoModelClass):
    """Load any triple-extraction model by its config."""

    _model_mapping: Any = MODEL_FOR_TRIPLE_EXTRACTION_MAPPING
