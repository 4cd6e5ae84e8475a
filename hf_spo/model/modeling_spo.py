"""SpoForTripleExtraction: an encoder, subject pointers, and object pointers conditioned on a subject.

The BERT system of kexue.fm/archives/7161 (bert4keras, task_relation_extraction.py) and the DGCNN system of
kexue.fm/archives/6671 (github.com/bojone/kg-2019) as one model: any encoder goes with any conditioning, and attention,
gates and prior with any of both.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, Unpack, overload

import numpy as np
import torch
from transformers.models.auto.auto_factory import _BaseAutoModelClass, _LazyAutoMapping
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES  # type: ignore[attr-defined]  # made lazily
from transformers.utils.generic import ModelOutput

from .alignment import Batch
from .checkpoint import check_tokenizer
from .conditioning import CONDITIONINGS, pick
from .configuration_spo import Conditioning, ConditioningPosition, SpoConfig
from .encoders import build_encoder, last_layer_norm, load_encoder, position_limit, position_table, run_encoder
from .layers import (
    Convolution,
    GlobalGates,
    PointerHead,
    SelfAttention,
    ZeroEmbedding,
    gated_probabilities,
    powered_cross_entropy,
)
from .options import ExtractionKwargs
from .pretrained import SpoPreTrainedModel
from .results import Triples, read_inputs
from .schema import Schema


@dataclass
class Sentences:
    """Encoded sentences: the states that both kinds of pointers read.

    Args:
        hidden: (B, L, H) last hidden state.
        conditioned: (B, L, H) states that subjects condition; the same tensor, or the encoder's states before its last
            normalisation.
        mask: (B, L) 1 at tokens, 0 at padding.
        prior: (E, 6) candidates, see [`SpoForTripleExtraction.forward`].
        object_context: (B, L, H) the part of the object pointers' features that does not depend on the subject.
        entity_gates, relation_gates: (B, L, 2) and (B, R) logits of [`GlobalGates`].
        hidden_states, attentions: of the encoder's layers, if they were requested.
    """

    hidden: torch.Tensor
    conditioned: torch.Tensor
    mask: torch.Tensor
    prior: torch.Tensor | None = None
    object_context: torch.Tensor | None = None
    entity_gates: torch.Tensor | None = None
    relation_gates: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class SpoOutput(ModelOutput):
    """Output of [`SpoForTripleExtraction`].

    Args:
        loss: sum of both losses, if there are labels.
        subject_loss, object_loss: binary cross-entropy, mean over tokens; the objects' is summed over relations.
        subject_probs: (B, L, 2) probabilities of start and end.
        object_probs: (N, L, R, 2), given `subject_rows` and `subject_spans`.
        last_hidden_state: (B, L, H) of the encoder.
        conditioned_state: (B, L, H) states that subjects condition, see [`Sentences`].
        hidden_states, attentions: of the encoder's layers, if they were requested.
        sentences: the encoded sentences, to be passed to a later call; not given with labels.
    """

    loss: torch.Tensor | None = None
    subject_loss: torch.Tensor | None = None
    object_loss: torch.Tensor | None = None
    subject_probs: torch.Tensor | None = None
    object_probs: torch.Tensor | None = None
    last_hidden_state: torch.Tensor | None = None
    conditioned_state: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None
    sentences: Sentences | None = None


class SpoForTripleExtraction(SpoPreTrainedModel):
    """Point at subjects; then, conditioned on each subject, point at the objects of every relation."""

    def __init__(self, config: SpoConfig) -> None:
        super().__init__(config)
        size = config.get_text_config().hidden_size
        self.encoder = build_encoder(config.get_text_config())
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
            last_layer_norm(self.encoder)  # raises ValueError now rather than at the first forward
        self.post_init()  # type: ignore[no-untyped-call]  # unannotated there

    def _build_subject_pointers(self, size: int) -> None:
        config = self.config
        heads, head_size = config.head_attention_heads, config.head_attention_size
        self.subject_attention = SelfAttention(size, heads, head_size) if heads else None
        extra = heads * head_size + (2 if config.prior else 0)
        self.subject_context = Convolution(size + extra, size) if extra else None
        self.subject_head = PointerHead(size, 1, config.subject_power, config.initial_subject_probability)

    def _build_object_pointers(self, size: int) -> None:
        """Build the object pointers.

        Their features are one convolution over all channels, computed as the sum of two: `object_context` runs once a
        sentence, `object_convolution` once a subject, on the channels that depend on it.
        """
        config = self.config
        heads, head_size = config.head_attention_heads, config.head_attention_size
        self.object_attention = SelfAttention(size, heads, head_size) if heads else None
        table = position_table(self.encoder)
        width = size if table is None else table.shape[1]
        self.conditioning = CONDITIONINGS[Conditioning(config.conditioning)](config, size, width)
        inserts, relations = self.conditioning.inserts, len(config.schema)
        self.position_embeddings: ZeroEmbedding | None = None
        if inserts and table is None:
            self.position_embeddings = ZeroEmbedding(config.max_length, size)
        of_sentence = heads * head_size + (2 if config.prior else 0) + (size if inserts else 0)
        of_subject = (0 if inserts else size) + (2 * relations if config.prior else 0)
        self.object_context = Convolution(of_sentence, size) if of_sentence else None
        self.object_convolution = Convolution(of_subject, size) if of_sentence and of_subject else None
        self.object_head = PointerHead(size, relations, config.object_power, config.initial_object_probability)

    @classmethod
    def from_encoder(
        cls,
        path: str | PathLike[str],
        schema: Schema | Iterable[Any],
        *,
        dtype: torch.dtype = torch.float32,
        **config: Any,
    ) -> "SpoForTripleExtraction":
        """Put fresh pointer heads on a pretrained encoder.

        Args:
            path: folder or Hub name of any checkpoint of a bidirectional encoder that `AutoModel` reads.
            schema: the relations to extract, in any form that [`Schema.of`] takes.
            dtype: of the weights; float32 for training.
            config: fields of [`SpoConfig`]; `encoder_config` may be a dictionary of overrides for the encoder, such
                as `{"hidden_dropout_prob": 0.0}`; `attn_implementation` chooses the encoder's attention.

        Raises:
            ValueError: the checkpoint lacks weights of the encoder, or is no bidirectional encoder, or `max_length` is
                beyond its positions.
        """
        attention = config.pop("attn_implementation", None)
        overrides = config.pop("encoder_config", None) or {}
        encoder = load_encoder(path, overrides, dtype=dtype, attention=attention)
        config.setdefault("max_length", min(SpoConfig.max_length, position_limit(encoder) or SpoConfig.max_length))
        spo_config = SpoConfig(encoder_config=encoder.config, relations=Schema.of(schema).to_list(), **config)
        model: SpoForTripleExtraction = cls._from_config(  # type: ignore[no-untyped-call]  # unannotated there
            spo_config, dtype=dtype, attn_implementation=attention
        )
        model.encoder.load_state_dict(encoder.state_dict())
        return model

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        word_ids: torch.Tensor | None = None,
        prior: torch.Tensor | None = None,
        subject_rows: torch.Tensor | None = None,
        subject_spans: torch.Tensor | None = None,
        subject_labels: torch.Tensor | None = None,
        object_labels: torch.Tensor | None = None,
        objective: "Objective | None" = None,
        inputs_embeds: torch.Tensor | None = None,
        sentences: Sentences | None = None,
        relations: torch.Tensor | None = None,
        object_tokens: torch.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Encode, point at subjects and, given subjects, at their objects.

        Args:
            input_ids, attention_mask, token_type_ids, word_ids: (B, L).
            prior: (E, 6), one candidate a row: sentence, first and last token of the subject, first and last token of
                the object, relation.
            subject_rows: (N,), the sentence of each subject.
            subject_spans: (N, 2), its first and last token.
            subject_labels: (B, L, 2).
            object_labels: (N, L, R, 2).
            objective: computes the output from the encoded sentences instead; it runs in here so that wrappers of the
                model, such as autocast or distributed training, hold for it as well.
            inputs_embeds: (B, L, E), instead of `input_ids`.
            sentences: of an earlier output, instead of everything that is encoded: only objects are pointed at.
            relations: (R,), labels of the relations to compute objects of, without `object_labels`; default: all.
            object_tokens: (N, K), the tokens at which to point at each subject's objects, without `object_labels` and
                with [`points_anywhere`]; the probabilities are (N, K, R, 2). Default: all.
            output_attentions, output_hidden_states: return those of the encoder as well.
            return_dict: False: return a tuple instead of [`SpoOutput`].

        Raises:
            ValueError: there is no input, or the model reads words or candidates and got none.
        """
        found: dict[str, Any] = {}
        if sentences is None:
            sentences = self.encode(
                input_ids=input_ids,
                attention_mask=attention_mask,
                token_type_ids=token_type_ids,
                word_ids=word_ids,
                prior=prior,
                inputs_embeds=inputs_embeds,
                output_attentions=output_attentions,
                output_hidden_states=output_hidden_states,
            )
            if objective is not None:
                return objective(self, sentences)
            found |= self._point_at_subjects(sentences, subject_labels)
            found |= {"last_hidden_state": sentences.hidden, "conditioned_state": sentences.conditioned}
            found |= {"hidden_states": sentences.hidden_states, "attentions": sentences.attentions}
        if subject_rows is not None and subject_spans is not None:
            found |= self._point_at_objects(
                sentences, subject_rows, subject_spans, object_labels, relations, object_tokens
            )
        losses = [found[name] for name in ("subject_loss", "object_loss") if name in found]
        if losses:
            found["loss"] = sum(losses[1:], losses[0])
        else:  # with a loss, distributed training would expect gradients of them
            found["sentences"] = sentences
        output = SpoOutput(**found)
        return output.to_tuple() if return_dict is False else output

    @overload
    def extract(
        self, texts: str, tokenizer: Any, *, batch_size: int | None = None, **options: Unpack[ExtractionKwargs]
    ) -> Triples: ...

    @overload
    def extract(
        self,
        texts: list[str] | tuple[str, ...],
        tokenizer: Any,
        *,
        batch_size: int | None = None,
        **options: Unpack[ExtractionKwargs],
    ) -> list[Triples]: ...

    def extract(
        self,
        texts: str | list[str] | tuple[str, ...],
        tokenizer: Any,
        *,
        batch_size: int | None = None,
        **options: Unpack[ExtractionKwargs],
    ) -> Any:
        """Extract the triples of texts, as the pipeline does: two calls of `forward` a batch, and the decoder.

        Args:
            texts: one text, which gives its [`Triples`], or several, which give a list of them.
            tokenizer: the fast tokenizer of the model.
            batch_size: the most texts, or windows of long ones, in one forward pass.
            options: see [`ExtractionOptions`].

        Raises:
            TypeError: an input is not a string, or an argument is unknown.
            ValueError: an argument is out of range, or the tokenizer is not a fast one or another model's.
        """
        from .ensemble import make_extractor  # which imports this module

        embeddings: Any = self.get_input_embeddings()
        check_tokenizer(tokenizer, embeddings.num_embeddings, self.name_or_path)
        given, collect = read_inputs(texts)
        was_training = self.training
        self.eval()  # type: ignore[no-untyped-call]  # unannotated there
        try:
            pairs = make_extractor(self, tokenizer, **options).pairs(given, batch_size)
            return collect(iter([Triples(triples, text) for text, triples in pairs]))
        finally:
            self.train(was_training)

    def _point_at_subjects(self, sentences: Sentences, labels: torch.Tensor | None) -> dict[str, torch.Tensor]:
        power = self.config.subject_power
        logits, gates = self.subject_logits(sentences)
        found = {"subject_probs": gated_probabilities(logits, power, gates)}
        if labels is not None:
            losses = powered_cross_entropy(logits, labels, power, gates).mean(-1)
            found["subject_loss"] = masked_mean(losses, sentences.mask.to(torch.float32))
        return found

    def _point_at_objects(
        self,
        sentences: Sentences,
        rows: torch.Tensor,
        spans: torch.Tensor,
        labels: torch.Tensor | None,
        relations: torch.Tensor | None,
        tokens: torch.Tensor | None,
    ) -> dict[str, torch.Tensor]:
        power = self.config.object_power
        logits, gates = self.object_logits(sentences, rows, spans, relations, tokens)
        if labels is None:
            return {"object_probs": gated_probabilities(logits, power, gates)}
        losses = powered_cross_entropy(logits, labels, power, gates).mean(-1).sum(-1)
        return {"object_loss": masked_mean(losses, sentences.mask.to(torch.float32)[rows])}

    def encode(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        word_ids: torch.Tensor | None = None,
        prior: torch.Tensor | None = None,
        **options: Any,
    ) -> Sentences:
        """Run the encoder and the layers that both kinds of pointers share; arguments are those of [`forward`]."""
        inputs = {"input_ids": input_ids, "token_type_ids": token_type_ids, **options}
        inputs = {name: value for name, value in inputs.items() if value is not None}
        tokens, mask = inputs.get("input_ids", inputs.get("inputs_embeds")), attention_mask
        if tokens is None:
            raise ValueError("expected input_ids or inputs_embeds, got neither")
        if mask is None:
            mask = torch.ones(tokens.shape[:2], dtype=torch.long, device=tokens.device)
        inputs["attention_mask"] = mask
        if not self.takes_token_types:
            inputs.pop("token_type_ids", None)
        if self.takes_words and word_ids is not None:
            inputs["word_ids"] = word_ids
        if self.config.prior and prior is None:
            raise ValueError(
                "this model reads candidates of a triple store: expected prior, which "
                "model.features.annotate(encodings) finds; if there are no candidates, a tensor of shape (0, 6)"
            )
        output, conditioned = run_encoder(self.encoder, inputs, self.config.conditioning_position)
        hidden = output.last_hidden_state
        sentences = Sentences(hidden, conditioned, mask, prior if self.config.prior else None)
        sentences.hidden_states, sentences.attentions = output.get("hidden_states"), output.get("attentions")
        if self.gates is not None:
            sentences.entity_gates = self.gates.entities(hidden)
            sentences.relation_gates = self.gates.relations(hidden, mask)
        if self.object_context is not None:
            channels = [conditioned] if self.conditioning.inserts else []
            channels += self._context_channels(sentences, conditioned, self.object_attention)
            sentences.object_context = self.object_context(channels, mask)
        return sentences

    def _context_channels(
        self, sentences: Sentences, state: torch.Tensor, attention: SelfAttention | None
    ) -> list[torch.Tensor]:
        """Return what pointers read of a sentence beside its states: attention, and borders of candidate subjects."""
        channels = [] if attention is None else [attention(state, sentences.mask)]
        if sentences.prior is not None:
            row, start, end = sentences.prior[:, :3].T
            candidates = state.new_zeros(*state.shape[:2], 2)
            candidates[row, start, 0] = 1
            candidates[row, end, 1] = 1
            channels.append(candidates)
        return channels

    def subject_logits(self, sentences: Sentences) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Point at subjects. Returns logits (B, L, 2), and the logits of the gates that multiply the probabilities."""
        hidden = sentences.hidden
        if self.subject_context is not None:
            channels = self._context_channels(sentences, hidden, self.subject_attention)
            hidden = torch.relu(self.subject_context([hidden, *channels], sentences.mask))
        logits: torch.Tensor = self.subject_head(hidden).squeeze(-2)
        return logits, [] if sentences.entity_gates is None else [sentences.entity_gates]

    @property
    def points_anywhere(self) -> bool:
        """Whether objects can be pointed at in some tokens of a sentence alone, without a convolution over all."""
        return self.object_convolution is None

    def object_logits(
        self,
        sentences: Sentences,
        rows: torch.Tensor,
        spans: torch.Tensor,
        relations: torch.Tensor | None = None,
        tokens: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Point at objects. Returns logits (N, L, R, 2), and those of the gates.

        *Shape:* rows (N,), spans (N, 2), relations (R,), labels of the relations to compute, tokens (N, K), at which to
        compute them, so that K takes the place of L; default: all.
        """
        features = self._object_features(sentences, rows, spans, tokens)
        logits: torch.Tensor = self.object_head(features, relations)
        gates: list[torch.Tensor] = []
        if self.gates is not None:
            assert sentences.entity_gates is not None
            assert sentences.relation_gates is not None
            of_relations = sentences.relation_gates[rows]
            gates = [
                pick(sentences.entity_gates, rows, tokens).unsqueeze(-2),
                self.gates.any_object(features).unsqueeze(-1),
                (of_relations if relations is None else of_relations[:, relations])[:, None, :, None],
            ]
        return logits, gates

    def _object_features(
        self, sentences: Sentences, rows: torch.Tensor, spans: torch.Tensor, tokens: torch.Tensor | None
    ) -> torch.Tensor:
        """Return the states that the object head reads. *Shape:* as in [`object_logits`] → (N, L or K, H)."""
        state = sentences.conditioned
        conditioned: torch.Tensor = self.conditioning(state, rows, spans, self._position_table(), tokens)
        if sentences.object_context is None:
            return conditioned
        features, of_subject = pick(sentences.object_context, rows, tokens), []
        if self.conditioning.inserts:
            features = features + conditioned
        else:
            of_subject.append(conditioned)
        if sentences.prior is not None:
            of_subject.append(self._candidate_objects(sentences.prior, rows, spans, state))
        if self.object_convolution is not None:
            features = features + self.object_convolution(of_subject, sentences.mask[rows])
        return torch.relu(features)

    def _candidate_objects(
        self, prior: torch.Tensor, rows: torch.Tensor, spans: torch.Tensor, state: torch.Tensor
    ) -> torch.Tensor:
        """Mark the borders of each subject's candidate objects. *Shape:* prior (E, 6) → (N, L, 2·R)."""
        subjects = torch.cat([rows.unsqueeze(1), spans], dim=1)
        stated = (subjects.unsqueeze(1) == prior[:, :3]).all(-1)
        relations = self.object_head.out_features // 2
        # Positions of the start and the end of each candidate's object in a row of L · R · 2.
        borders = 2 * (prior[:, 3:5] * relations + prior[:, 5:]) + torch.arange(2, device=prior.device)
        counts = state.new_zeros(rows.shape[0], state.shape[1] * 2 * relations)
        counts = counts.index_add(1, borders.flatten(), stated.repeat_interleave(2, dim=1).to(state.dtype))
        marked: torch.Tensor = counts.clamp(max=1).unflatten(1, (state.shape[1], 2 * relations))
        return marked

    def _position_table(self) -> torch.Tensor | None:
        """Return the position vectors that an inserting conditioning reads: the encoder's, or the model's own."""
        if not self.conditioning.inserts:
            return None
        own = self.position_embeddings
        return position_table(self.encoder) if own is None else own.weight


Objective = Callable[[SpoForTripleExtraction, Sentences], SpoOutput]
"""What training minimises, where that is more than the losses of [`SpoForTripleExtraction.forward`]."""


class TorchBackend:
    """Adapter of a torch model to [`PointerBackend`], the interface that extraction uses.

    Both passes call the model itself, so that `torch.compile` and other wrappers of it take effect.

    Args:
        model: the model.
        labels: of the relations to compute; default: all.
    """

    def __init__(self, model: SpoForTripleExtraction, labels: Sequence[int] | None = None) -> None:
        self.model = model
        self.relations = None if labels is None else torch.tensor(labels, device=model.device)

    def for_relations(self, labels: Sequence[int]) -> "TorchBackend":
        """Return the same model for some relations: the object head uses only their rows."""
        return TorchBackend(self.model, labels)

    @torch.inference_mode()
    def subjects(self, batch: Batch) -> tuple[Sentences, np.ndarray]:
        """Encode a batch. Returns the encoded sentences and probabilities (B, L, 2), float32."""
        inputs = {
            name: torch.from_numpy(array).to(self.model.device, non_blocking=True)
            for name, array in batch.model_inputs().items()
        }
        output = self.model(**inputs)
        return output.sentences, output.subject_probs.cpu().numpy()

    @torch.inference_mode()
    def object_limits(self, state: Sentences) -> np.ndarray | None:
        """Return what no object probability of a token exceeds, (B, L, 2), or None; see [`object_limits`]."""
        # A model that came with older code of its own takes no tokens.
        if state.entity_gates is None or not getattr(self.model, "points_anywhere", False):
            return None
        limits: np.ndarray = torch.sigmoid(state.entity_gates.float()).cpu().numpy()
        return limits

    @torch.inference_mode()
    def objects(
        self, state: Sentences, rows: np.ndarray, spans: np.ndarray, tokens: np.ndarray | None = None
    ) -> np.ndarray:
        """Point at the objects of subjects. *Shape:* rows (N,), spans (N, 2) → (N, L, R, 2), float32.

        With tokens (N, K), which [`object_limits`] permits, only there: (N, K, R, 2).
        """
        arrays = {"subject_rows": rows, "subject_spans": spans, "object_tokens": tokens}
        given = {
            name: torch.from_numpy(array).to(state.hidden.device) for name, array in arrays.items() if array is not None
        }
        output = self.model(sentences=state, relations=self.relations, **given)
        probs: np.ndarray = output.object_probs.cpu().numpy()
        return probs


def masked_mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean over the positions where mask is 1; 0 if there is none."""
    return (values * mask).sum() / mask.sum().clamp(min=1)


class AutoModelForTripleExtraction(_BaseAutoModelClass):
    """Load any triple-extraction model by its config."""

    _model_mapping: Any = _LazyAutoMapping(CONFIG_MAPPING_NAMES, OrderedDict())
