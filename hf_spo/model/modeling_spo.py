"""SpoForTripleExtraction: an encoder, subject pointers, and object pointers conditioned on a subject.

The BERT system of kexue.fm/archives/7161 (bert4keras, task_relation_extraction.py) and the DGCNN system of
kexue.fm/archives/6671 (github.com/bojone/kg-2019) as one model: any encoder goes with any conditioning, and attention,
gates and prior with any of both.
"""

import inspect
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import wraps
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
from transformers.utils.hub import cached_file

from .alignment import Batch
from .checkpoint import check_shapes, check_weights, stored_shapes, weight_files
from .configuration_dgcnn import DgcnnConfig
from .configuration_spo import Conditioning, ConditioningPosition, SpoConfig
from .features import PRIOR_FILE, WORDS_FILE, Features
from .layers import (
    ConditionAddition,
    ConditionalLayerNorm,
    Convolution,
    GlobalGates,
    PointerHead,
    SelfAttention,
    SubjectInsertion,
    ZeroEmbedding,
    powered_cross_entropy,
    powered_sigmoid,
)
from .modeling_dgcnn import DgcnnModel
from .schema import Schema
from .triple_store import TripleStore
from .versions import advise_upgrade, is_newer
from .words import WordVocabulary


@dataclass
class SpoOutput(ModelOutput):
    """What [`SpoForTripleExtraction`] returns.

    Args:
        loss: sum of both losses, given labels.
        subject_loss, object_loss: binary cross-entropy, mean over tokens; the objects' is summed over relations.
        subject_probs: (B, L, 2) probabilities of start and end.
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


@dataclass
class Sentences:
    """Encoded sentences: what both kinds of pointers read.

    Args:
        hidden: (B, L, H) last hidden state.
        conditioned: (B, L, H) state that subjects are read from and condition.
        mask: (B, L) 1 at tokens, 0 at padding.
        prior: (E, 6) candidates, see [`SpoForTripleExtraction.forward`].
        object_context: (B, L, H) what the object pointers read of a sentence whatever the subject.
        entity_gates, relation_gates: (B, L, 2) and (B, R) logits of [`GlobalGates`].
    """

    hidden: torch.Tensor
    conditioned: torch.Tensor
    mask: torch.Tensor
    prior: torch.Tensor | None = None
    object_context: torch.Tensor | None = None
    entity_gates: torch.Tensor | None = None
    relation_gates: torch.Tensor | None = None


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
        elif isinstance(module, ZeroEmbedding):
            init.zeros_(module.weight)
        elif isinstance(module, nn.GRU | nn.LSTM):
            for parameter in module.parameters():
                init.uniform_(parameter, -(module.hidden_size**-0.5), module.hidden_size**-0.5)
        elif isinstance(module, nn.Conv1d | nn.Linear):
            # The encoder sees to itself. Wide enough for a signal to pass through several fresh layers.
            init.xavier_uniform_(module.weight)
            if module.bias is not None:
                init.zeros_(module.bias)


def _knowing_newer_versions(load: Callable[..., Any]) -> Callable[..., Any]:
    """Have `from_pretrained` say so where a model that it cannot load was written by a newer version."""

    @wraps(load)
    def checked(cls: Any, path: Any, *args: Any, output_loading_info: bool = False, **kwargs: Any) -> Any:
        def written_by() -> Any:
            config = kwargs.get("config")
            if not isinstance(config, PreTrainedConfig):
                hub = {name: kwargs[name] for name in _HUB_OPTIONS if name in kwargs}
                return PreTrainedConfig.get_config_dict(config or path, **hub)[0].get("hf_spo_version")
            return getattr(config, "hf_spo_version", None)

        with advise_upgrade(path, written_by):
            model, info = load(cls, path, *args, output_loading_info=True, **kwargs)
            unknown = info["unexpected_keys"]
            if unknown and is_newer(model.config.hf_spo_version) and not kwargs.get("ignore_mismatched_sizes"):
                raise ValueError(f"{len(unknown)} weights are unknown here, such as {min(unknown)}")
        return (model, info) if output_loading_info else model

    return checked


class SpoForTripleExtraction(SpoPreTrainedModel):
    """Point at subjects, then, conditioned on each subject, at the objects of every relation."""

    def __init__(self, config: SpoConfig) -> None:
        super().__init__(config)
        encoder_config = config.get_text_config()
        size = encoder_config.hidden_size
        self.encoder = _make_encoder(encoder_config)
        limit = position_limit(self.encoder)
        if limit is not None and config.max_length > limit:
            raise ValueError(
                f"max_length={config.max_length}: {type(self.encoder).__name__} has {limit} positions; "
                f"pass max_length={limit} or less"
            )
        self._build_subject_pointers(size)
        self._build_object_pointers(size)
        self.gates = GlobalGates(size, len(config.schema)) if config.global_gates else None
        if config.conditioning_position == ConditioningPosition.BEFORE:
            last_layer_norm(self.encoder)  # raises now rather than at the first forward
        self.takes_token_types = (getattr(encoder_config, "type_vocab_size", 0) or 0) > 0
        self.takes_words = (getattr(encoder_config, "word_vocab_size", 0) or 0) > 0
        self.features = Features()
        self.post_init()  # type: ignore[no-untyped-call]  # unannotated there

    def _build_subject_pointers(self, size: int) -> None:
        config = self.config
        heads, head_size = config.head_attention_heads, config.head_attention_size
        self.subject_attention = SelfAttention(size, heads, head_size) if heads else None
        extra = heads * head_size + (2 if config.prior else 0)
        self.subject_context = Convolution(size + extra, size) if extra else None
        self.subject_head = PointerHead(size, 1, config.subject_power, config.initial_subject_probability)

    def _build_object_pointers(self, size: int) -> None:
        """Build what points at objects: a convolution over all channels, as the sum of those of two kinds of channels.

        `object_context` runs once a sentence, `object_convolution` once a subject, on what depends on it.
        """
        config = self.config
        conditioning = Conditioning(config.conditioning)
        heads, head_size = config.head_attention_heads, config.head_attention_size
        self.object_attention = SelfAttention(size, heads, head_size) if heads else None
        self.position_embeddings: ZeroEmbedding | None = None
        if conditioning.inserts:
            shared = position_embeddings(self.encoder)
            if shared is None:
                self.position_embeddings = ZeroEmbedding(config.max_length, size)
            cell = config.recurrent_cell if conditioning == Conditioning.RECURRENT else None
            width = size if shared is None else shared.embedding_dim
            self.conditioning: nn.Module = SubjectInsertion(size, width, cell, config.recurrent_positions)
        elif conditioning == Conditioning.LAYER_NORM:
            self.conditioning = ConditionalLayerNorm(size, 2 * size)
        else:
            self.conditioning = ConditionAddition(size, 2 * size)
        context = heads * head_size + (2 if config.prior else 0) + (size if conditioning.inserts else 0)
        relations = len(config.schema)
        of_subject = (0 if conditioning.inserts else size) + (2 * relations if config.prior else 0)
        self.object_context = Convolution(context, size) if context else None
        self.object_convolution = Convolution(of_subject, size) if context and of_subject else None
        self.object_head = PointerHead(size, relations, config.object_power, config.initial_object_probability)

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
        overrides = config.pop("encoder_config", None) or {}
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
        word_ids: torch.Tensor | None = None,
        prior: torch.Tensor | None = None,
        subject_rows: torch.Tensor | None = None,
        subject_spans: torch.Tensor | None = None,
        subject_labels: torch.Tensor | None = None,
        object_labels: torch.Tensor | None = None,
        objective: "Objective | None" = None,
    ) -> SpoOutput:
        """Encode, point at subjects and, given subjects, at their objects.

        *Shape:* input_ids, attention_mask, token_type_ids, word_ids (B, L); prior (E, 6), one candidate a row:
        sentence, first and last token of the subject, first and last token of the object, relation; subject_rows (N,),
        the sentence of each subject; subject_spans (N, 2), its first and last token; subject_labels (B, L, 2);
        object_labels (N, L, R, 2). An objective, if given, makes the output from the encoded sentences in place of all
        else; it runs in here so that what wraps the model, autocast or distributed training, holds for it as well.

        Raises:
            ValueError: the model reads words or candidates and got none.
        """
        sentences = self.encode(input_ids, attention_mask, token_type_ids, word_ids, prior)
        if objective is not None:
            return objective(self, sentences)
        subject_logits, gates = self.subject_logits(sentences)
        power = self.config.subject_power
        output = SpoOutput(
            subject_probs=gated_probabilities(subject_logits, power, gates),
            last_hidden_state=sentences.hidden,
            conditioned_state=sentences.conditioned,
        )
        mask = sentences.mask.to(torch.float32)
        if subject_labels is not None:
            losses = powered_cross_entropy(subject_logits, subject_labels, power, gates).mean(-1)
            output.loss = output.subject_loss = masked_mean(losses, mask)
        if subject_rows is not None and subject_spans is not None:
            power = self.config.object_power
            object_logits, gates = self.object_logits(sentences, subject_rows, subject_spans)
            if object_labels is None:
                output.object_probs = gated_probabilities(object_logits, power, gates)
            else:
                losses = powered_cross_entropy(object_logits, object_labels, power, gates)
                output.object_loss = masked_mean(losses.mean(-1).sum(-1), mask[subject_rows])
                output.loss = output.object_loss if output.loss is None else output.loss + output.object_loss
        return output

    def encode(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        word_ids: torch.Tensor | None = None,
        prior: torch.Tensor | None = None,
    ) -> Sentences:
        """Run the encoder and what both kinds of pointers share. *Shape:* see [`forward`]."""
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        if self.takes_token_types and token_type_ids is not None:
            inputs["token_type_ids"] = token_type_ids
        if self.takes_words and word_ids is not None:
            inputs["word_ids"] = word_ids
        if self.config.prior and prior is None:
            raise ValueError(
                "this model reads candidates of a triple store: expected prior, which "
                "model.features.annotate(encodings) finds; of no candidates, a tensor of shape (0, 6)"
            )
        hidden, conditioned = self._run_encoder(inputs)
        sentences = Sentences(hidden, conditioned, attention_mask, prior if self.config.prior else None)
        if self.gates is not None:
            sentences.entity_gates = self.gates.entities(hidden)
            sentences.relation_gates = self.gates.relations(hidden, attention_mask)
        if self.object_context is not None:
            channels = [conditioned] if Conditioning(self.config.conditioning).inserts else []
            channels += self._context_channels(sentences, conditioned, self.object_attention)
            sentences.object_context = self.object_context(channels, attention_mask)
        return sentences

    def _run_encoder(self, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the last hidden state and the state to condition, both (B, L, H)."""
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

    def _context_channels(
        self, sentences: Sentences, state: torch.Tensor, attention: SelfAttention | None
    ) -> list[torch.Tensor]:
        """Return what a sentence's pointers read beside its states: attention, and borders of candidate subjects."""
        channels = [] if attention is None else [attention(state, sentences.mask)]
        if sentences.prior is not None:
            row, start, end = sentences.prior[:, :3].T
            candidates = state.new_zeros(*state.shape[:2], 2)
            candidates[row, start, 0] = 1
            candidates[row, end, 1] = 1
            channels.append(candidates)
        return channels

    def subject_logits(self, sentences: Sentences) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Point at subjects: logits (B, L, 2), and those of the gates that they are multiplied by."""
        hidden = sentences.hidden
        if self.subject_context is not None:
            channels = self._context_channels(sentences, hidden, self.subject_attention)
            hidden = torch.relu(self.subject_context([hidden, *channels], sentences.mask))
        logits: torch.Tensor = self.subject_head(hidden).squeeze(-2)
        return logits, [] if sentences.entity_gates is None else [sentences.entity_gates]

    def object_logits(
        self, sentences: Sentences, rows: torch.Tensor, spans: torch.Tensor
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Point at objects: logits (N, L, R, 2), and those of gates. *Shape:* rows (N,), spans (N, 2)."""
        features = self._object_features(sentences, rows, spans)
        logits: torch.Tensor = self.object_head(features)
        gates: list[torch.Tensor] = []
        if self.gates is not None:
            assert sentences.entity_gates is not None
            assert sentences.relation_gates is not None
            gates = [
                sentences.entity_gates[rows].unsqueeze(-2),
                self.gates.any_object(features).unsqueeze(-1),
                sentences.relation_gates[rows][:, None, :, None],
            ]
        return logits, gates

    def _object_features(self, sentences: Sentences, rows: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
        state, mask = sentences.conditioned, sentences.mask
        of_subject: list[torch.Tensor] = []
        if Conditioning(self.config.conditioning).inserts:
            conditioned = self.conditioning(state, rows, spans, self._position_table())
        else:
            condition = torch.cat([state[rows, spans[:, 0]], state[rows, spans[:, 1]]], dim=-1)
            conditioned = self.conditioning(state, condition, rows)
            of_subject.append(conditioned)
        if sentences.object_context is None:
            features: torch.Tensor = conditioned
            return features
        if sentences.prior is not None:
            of_subject.append(self._candidate_objects(sentences.prior, rows, spans, state))
        features = sentences.object_context[rows]
        if Conditioning(self.config.conditioning).inserts:
            features = features + conditioned
        if self.object_convolution is not None:
            features = features + self.object_convolution(of_subject, mask[rows])
        return torch.relu(features)

    def _candidate_objects(
        self, prior: torch.Tensor, rows: torch.Tensor, spans: torch.Tensor, state: torch.Tensor
    ) -> torch.Tensor:
        """Mark the borders of each subject's candidate objects. *Shape:* prior (E, 6) → (N, L, 2·R)."""
        subjects = torch.cat([rows.unsqueeze(1), spans], dim=1)
        stated = (subjects.unsqueeze(1) == prior[:, :3]).all(-1)
        relations = len(self.config.schema)
        # Where in a row of L · R · 2 the start and the end of each candidate's object stand.
        borders = 2 * (prior[:, 3:5] * relations + prior[:, 5:]) + torch.arange(2, device=prior.device)
        counts = state.new_zeros(rows.shape[0], state.shape[1] * 2 * relations)
        counts = counts.index_add(1, borders.flatten(), stated.repeat_interleave(2, dim=1).to(state.dtype))
        marked: torch.Tensor = counts.clamp(max=1).unflatten(1, (state.shape[1], 2 * relations))
        return marked

    def _position_table(self) -> torch.Tensor:
        """Return the encoder's own position embeddings, or ours where it has none. *Shape:* (positions, P)."""
        own = self.position_embeddings
        if own is not None:
            return own.weight
        shared = position_embeddings(self.encoder)
        assert shared is not None
        return shared.weight[_first_position(shared) :]

    def _get_files_timestamps(self, working_dir: str | PathLike[str]) -> dict[str, float]:
        """Tell an upload which files were there before it: not those that `save_pretrained` has just written."""
        stamps: dict[str, float] = super()._get_files_timestamps(working_dir)
        return {name: stamp for name, stamp in stamps.items() if name not in (WORDS_FILE, PRIOR_FILE)}

    def save_pretrained(self, save_directory: str | PathLike[str], *args: Any, **kwargs: Any) -> None:
        """Save weights and config, and what the model's features need: the words and the triples that it knows."""
        self.features.save(save_directory)
        super().save_pretrained(save_directory, *args, **kwargs)

    @classmethod
    @_knowing_newer_versions
    def from_pretrained(cls, pretrained_model_name_or_path: Any, *args: Any, **kwargs: Any) -> Any:
        """Load weights and config, words and triples; see [`PreTrainedModel.from_pretrained`].

        Weights are read from safetensors only. `ignore_mismatched_sizes=True` lets what the files lack, or have in
        other sizes, start at random.

        Raises:
            CheckpointError: the files are damaged or not whole, have weights that are no numbers, or only pickles.
            ValueError: the model reads words or candidates, and the folder lacks them.
        """
        path, config = pretrained_model_name_or_path, kwargs.pop("config", None)
        if kwargs.pop("use_safetensors", None) is False:
            raise ValueError("use_safetensors=False: expected safetensors, since pickles can run code; leave it out")
        hub = {name: kwargs.pop(name) for name in _HUB_OPTIONS if name in kwargs}
        own = {name: kwargs.pop(name) for name in ("dtype", "variant", "output_loading_info") if name in kwargs}
        wants_info = own.pop("output_loading_info", False)
        if not isinstance(config, PreTrainedConfig):
            config, kwargs = cls.config_class.from_pretrained(
                path if config is None else config, return_unused_kwargs=True, **hub, **kwargs
            )
        partial = bool(kwargs.get("ignore_mismatched_sizes"))
        if path is not None:
            files = weight_files(lambda name: _find_file(path, name, hub), path, own.get("variant"))
            check_shapes(lambda: cls(deepcopy(config)), stored_shapes(files), path, partial=partial)
        loaded: Any = super().from_pretrained(
            path, *args, config=config, use_safetensors=True, output_loading_info=True, **hub, **own, **kwargs
        )
        model, info = loaded
        check_weights(model, info["missing_keys"], path, partial=partial)
        model.features = _load_features(model, path, hub)
        return (model, info) if wants_info else model


Objective = Callable[[SpoForTripleExtraction, Sentences], SpoOutput]
"""What training minimises, where that is more than the losses of [`SpoForTripleExtraction.forward`]."""


class TorchBackend:
    """A model behind the interface that extraction knows, see [`PointerBackend`]."""

    def __init__(self, model: SpoForTripleExtraction) -> None:
        self.model = model

    @torch.inference_mode()
    def subjects(self, batch: Batch) -> tuple[Sentences, np.ndarray]:
        """Encode a batch. Returns the encoded sentences and probabilities (B, L, 2), float32."""
        inputs = {
            name: torch.from_numpy(array).to(self.model.device, non_blocking=True)
            for name, array in batch.model_inputs().items()
        }
        sentences = self.model.encode(**inputs)
        logits, gates = self.model.subject_logits(sentences)
        return sentences, gated_probabilities(logits, self.model.config.subject_power, gates).cpu().numpy()

    @torch.inference_mode()
    def objects(self, state: Sentences, rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Point at the objects of subjects. *Shape:* rows (N,), spans (N, 2) → (N, L, R, 2), float32."""
        device = state.hidden.device
        logits, gates = self.model.object_logits(
            state, torch.from_numpy(rows).to(device), torch.from_numpy(spans).to(device)
        )
        return gated_probabilities(logits, self.model.config.object_power, gates).cpu().numpy()


def gated_probabilities(logits: torch.Tensor, power: int, gates: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return p ** power · Π gates, in float32. *Shape:* logits any, logits of gates broadcastable to it → the same."""
    if not gates:
        return powered_sigmoid(logits, power)
    product = torch.sigmoid(gates[0].float())
    for gate in gates[1:]:
        product = product * torch.sigmoid(gate.float())
    return powered_sigmoid(logits, power) * product


def _load_features(model: SpoForTripleExtraction, path: Any, options: dict[str, Any]) -> Features:
    """Read the words and triples saved beside a model's weights, in a folder or on the Hub."""

    def file(name: str) -> str:
        found = _find_file(path, name, options)
        if found is None:
            raise ValueError(f"{path} has no {name}, which this model reads beside its text; save the model anew")
        return found

    words, prior = None, None
    if model.takes_words:
        encoder_config = model.config.get_text_config()
        words = WordVocabulary.from_file(file(WORDS_FILE), encoder_config.segmenter)
        if len(words) != encoder_config.word_vocab_size:
            raise ValueError(
                f"{path}: {WORDS_FILE} has {len(words) - 1:,} words, and the model vectors of "
                f"{encoder_config.word_vocab_size - 1:,}; copy or download it again"
            )
    if model.config.prior:
        prior = TripleStore.from_file(file(PRIOR_FILE), model.config.schema)
    return Features(words, prior)


def _find_file(path: Any, name: str, options: dict[str, Any]) -> str | None:
    """Return where a file of a model lies, in its folder or in the Hub's cache; None if it has no such file."""
    found: str | None = cached_file(path, name, _raise_exceptions_for_missing_entries=False, **options)
    return found


_HUB_OPTIONS = ("cache_dir", "force_download", "token", "revision", "local_files_only", "subfolder")


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


def position_embeddings(encoder: nn.Module) -> nn.Embedding | None:
    """Return an encoder's table of absolute positions; None if its positions are relative."""
    for name, module in encoder.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            return module
    return None


def position_limit(encoder: nn.Module) -> int | None:
    """Return the longest sequence in tokens that an encoder has positions for; None if its positions are relative."""
    table = position_embeddings(encoder)
    return None if table is None else table.num_embeddings - _first_position(table)


def _first_position(table: nn.Embedding) -> int:
    # RoBERTa and its kin count positions from the one after the padding's.
    return 0 if table.padding_idx is None else table.padding_idx + 1


def _make_encoder(config: PreTrainedConfig) -> Any:
    # AutoModel knows our own encoder only where it has been registered.
    if config.model_type == DgcnnConfig.model_type:
        return DgcnnModel._from_config(config)  # type: ignore[no-untyped-call]  # unannotated there
    return AutoModel.from_config(config, **_without_pooler(config))


def _without_pooler(encoder_config: PreTrainedConfig) -> dict[str, bool]:
    """Ask for no pooler where the encoder's class lets us: unused weights upset distributed training."""
    model_class: Any = AutoModel._model_mapping[type(encoder_config)]
    accepts = "add_pooling_layer" in inspect.signature(model_class).parameters
    return {"add_pooling_layer": False} if accepts else {}


MODEL_FOR_TRIPLE_EXTRACTION_MAPPING = _LazyAutoMapping(CONFIG_MAPPING_NAMES, OrderedDict())


class AutoModelForTripleExtraction(_BaseAutoModelClass):
    """Load any triple-extraction model by its config."""

    _model_mapping: Any = MODEL_FOR_TRIPLE_EXTRACTION_MAPPING
