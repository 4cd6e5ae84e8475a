"""Encoders: build or load one, find its positions and its last normalisation, run it."""

import inspect
import threading
from collections.abc import Mapping
from os import PathLike
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig

from .configuration_dgcnn import DgcnnConfig
from .configuration_spo import ConditioningPosition, SpoConfig
from .modeling_dgcnn import DgcnnModel


def build_encoder(config: PreTrainedConfig) -> Any:
    """Build an encoder with random weights."""
    # AutoModel knows DgcnnModel only where it has been registered.
    if config.model_type == DgcnnConfig.model_type:
        return DgcnnModel._from_config(config)  # type: ignore[no-untyped-call]  # unannotated there
    return AutoModel.from_config(config, **_without_pooler(config))


def load_encoder(
    path: str | PathLike[str], overrides: Mapping[str, Any], *, dtype: torch.dtype, attention: str | None = None
) -> Any:
    """Load the encoder of a checkpoint.

    Args:
        path: folder or Hub name of any checkpoint that `AutoModel` reads.
        overrides: fields of the encoder's config to change.
        dtype: of the weights.
        attention: name of the attention implementation; None: the default of transformers.

    Raises:
        ValueError: the checkpoint is a triple-extraction model, lacks weights of the encoder, or is no bidirectional
            encoder.
    """
    config = AutoConfig.from_pretrained(path, **overrides)
    if config.model_type == SpoConfig.model_type:
        raise ValueError(
            f"{path} is a triple-extraction model, expected a plain encoder; load it by "
            f"SpoForTripleExtraction.from_pretrained, with relations= and ignore_mismatched_sizes=True for another "
            f"schema"
        )
    if getattr(config, "is_encoder_decoder", False):
        raise ValueError(
            f"{path} ({config.model_type}) is an encoder-decoder; pointers need one state for each token of the text: "
            f"{_EXPECTED}"
        )
    encoder, info = AutoModel.from_pretrained(
        path,
        config=config,
        dtype=dtype,
        attn_implementation=attention,
        output_loading_info=True,
        **_without_pooler(config),
    )
    # Pointers read the states of tokens, so a missing pooler does not matter.
    missing = [key for key in info["missing_keys"] if not key.startswith("pooler.")]
    if missing:
        raise ValueError(
            f"{path} lacks {len(missing)} of the weights of {type(encoder).__name__}, such as {min(missing)}; "
            f"they would start at random. Pass a checkpoint whose encoder is a {config.model_type}"
        )
    if config.model_type != DgcnnConfig.model_type:
        _check_bidirectional(encoder.eval(), path)
    return encoder


_EXPECTED = "expected a bidirectional encoder, such as a BERT, RoBERTa, DeBERTa or ModernBERT"


@torch.inference_mode()
def _check_bidirectional(encoder: Any, path: object) -> None:
    """Check that the state of a token depends on the tokens after it.

    Raises:
        ValueError: it does not, or the model cannot read token ids alone.
    """
    first = encoder.config.get_text_config().vocab_size // 2
    ids = torch.arange(first, first + 4, device=encoder.device).repeat(2, 1)
    ids[1, -1] -= 2
    try:
        states = encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[:, 0].float()
    except (TypeError, ValueError, AttributeError) as error:
        kind = type(encoder).__name__
        raise ValueError(f"{path}: {kind} cannot read token ids alone ({error}); {_EXPECTED}") from error
    if torch.allclose(states[0], states[1], atol=1e-5):
        raise ValueError(
            f"{path}: {type(encoder).__name__} is a causal decoder, which reads each token without the tokens after "
            f"it; {_EXPECTED}"
        )


def _without_pooler(config: PreTrainedConfig) -> dict[str, bool]:
    """Leave the pooler out where the encoder's class allows it: unused weights disturb distributed training."""
    model_class: Any = AutoModel._model_mapping[type(config)]
    accepts = "add_pooling_layer" in inspect.signature(model_class).parameters
    return {"add_pooling_layer": False} if accepts else {}


def run_encoder(encoder: nn.Module, inputs: Mapping[str, Any], position: str) -> tuple[Any, torch.Tensor]:
    """Return the encoder's output and the states that subjects condition, (B, L, H).

    Args:
        encoder: to run.
        inputs: its arguments.
        position: whether these states come before or after its last normalisation, see [`ConditioningPosition`].
    """
    if position == ConditioningPosition.AFTER:
        output = encoder(**inputs)
        return output, output.last_hidden_state
    seen: list[torch.Tensor] = []
    thread = threading.get_ident()

    def remember(_: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        if threading.get_ident() == thread:  # another thread may be running the same model
            seen.append(args[0])

    handle = last_layer_norm(encoder).register_forward_pre_hook(remember)
    try:
        output = encoder(**inputs)
    finally:
        handle.remove()
    return output, seen[-1]


# Paths of the normalisation that yields the last hidden state, in the encoders of transformers.
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
        ValueError: the encoder is of a kind whose last normalisation is not known here.
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


def position_embeddings(encoder: nn.Module) -> nn.Embedding | None:
    """Return an encoder's embeddings of absolute positions; None if its positions are relative."""
    for name, module in encoder.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            return module
    return None


def position_table(encoder: nn.Module) -> torch.Tensor | None:
    """Return the vectors of an encoder's positions 0, 1, …; None if they are relative. *Shape:* (positions, P)."""
    embeddings = position_embeddings(encoder)
    if embeddings is None:
        return None
    # RoBERTa and its relatives count positions from the one after the padding's.
    return embeddings.weight[0 if embeddings.padding_idx is None else embeddings.padding_idx + 1 :]


def position_limit(encoder: nn.Module) -> int | None:
    """Return the longest sequence in tokens that an encoder has positions for; None if they are relative."""
    table = position_table(encoder)
    return None if table is None else len(table)
