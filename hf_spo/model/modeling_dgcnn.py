"""DgcnnModel: dilated gated convolutions over characters and words, an encoder like any other.

The encoder of kexue.fm/archives/6671 (code: github.com/bojone/kg-2019), 7th of LIC 2019; the gated convolution is that
of kexue.fm/archives/5409.
"""

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.modeling_outputs import BaseModelOutput

from .configuration_dgcnn import DgcnnConfig
from .layers import GatedConvolution, ZeroEmbedding


class WordTable(nn.Module):
    """Frozen word vectors; row 0, that of unknown words, is zero.

    A buffer, because transformers makes every parameter that it loads trainable.
    """

    weight: torch.Tensor

    def __init__(self, words: int, size: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(words, size))

    def forward(self, word_ids: torch.Tensor) -> torch.Tensor:
        """Look up. *Shape:* (B, L) → (B, L, columns)."""
        return nn.functional.embedding(word_ids, self.weight)


class DgcnnEmbeddings(nn.Module):
    """Characters, the words around them and their positions, added."""

    def __init__(self, config: DgcnnConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.character_embeddings = nn.Embedding(config.vocab_size, size)
        self.word_embeddings: WordTable | None = None
        if config.word_vocab_size:
            self.word_embeddings = WordTable(config.word_vocab_size, config.word_embedding_size)
            self.word_projection = nn.Linear(config.word_embedding_size, size, bias=False)
        self.position_embeddings: nn.Embedding | None = None
        if config.max_position_embeddings:
            self.position_embeddings = ZeroEmbedding(config.max_position_embeddings, size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self, input_ids: torch.Tensor | None, word_ids: torch.Tensor | None, inputs_embeds: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Embed. *Shape:* input_ids, word_ids (B, L), or inputs_embeds (B, L, H) for input_ids → (B, L, H)."""
        hidden: torch.Tensor = self.character_embeddings(input_ids) if inputs_embeds is None else inputs_embeds
        if self.word_embeddings is not None:
            if word_ids is None:
                raise ValueError(
                    "this encoder reads words beside characters: expected word_ids, which a model's "
                    "features.annotate(encodings) makes"
                )
            hidden = hidden + self.word_projection(self.word_embeddings(word_ids))
        if self.position_embeddings is not None:
            length, limit = hidden.shape[1], self.position_embeddings.num_embeddings
            if length > limit:
                raise ValueError(f"got {length} tokens, expected at most {limit}, the positions; split the text")
            hidden = hidden + self.position_embeddings.weight[:length]
        embedded: torch.Tensor = self.dropout(hidden)
        return embedded


class DgcnnPreTrainedModel(PreTrainedModel):
    """Weight initialisation and loading."""

    config: DgcnnConfig
    config_class = DgcnnConfig
    base_model_prefix = "encoder"
    main_input_name = "input_ids"

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv1d | nn.Linear):
            init.xavier_uniform_(module.weight)
            if module.bias is not None:
                init.zeros_(module.bias)
        elif isinstance(module, ZeroEmbedding | WordTable):
            init.zeros_(module.weight)
        elif isinstance(module, nn.Embedding):
            init.normal_(module.weight, std=self.config.initializer_range)


class DgcnnModel(DgcnnPreTrainedModel):
    """Encode characters by gated dilated convolutions; a sentence's states do not depend on the rest of its batch."""

    def __init__(self, config: DgcnnConfig) -> None:
        super().__init__(config)
        self.embeddings = DgcnnEmbeddings(config)
        self.layers = nn.ModuleList(
            GatedConvolution(config.hidden_size, config.kernel_size, dilation, config.gate_dropout_prob)
            for dilation in config.dilations
        )
        self.post_init()  # type: ignore[no-untyped-call]  # unannotated there

    def get_input_embeddings(self) -> nn.Embedding:
        """Return the characters' embeddings."""
        return self.embeddings.character_embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the characters' embeddings."""
        assert isinstance(value, nn.Embedding)
        self.embeddings.character_embeddings = value

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        word_ids: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
    ) -> BaseModelOutput:
        """Encode.

        *Shape:* input_ids, attention_mask, word_ids (B, L), or inputs_embeds (B, L, H) instead of input_ids →
        last_hidden_state (B, L, H), zero where the mask is 0. There are no attentions.

        Raises:
            ValueError: word_ids are missing although the model has words, or the sequence is longer than its positions.
        """
        hidden = self.embeddings(input_ids, word_ids, inputs_embeds)
        if attention_mask is None:
            attention_mask = torch.ones_like(hidden[..., 0])
        mask = attention_mask.to(hidden.dtype).unsqueeze(-1)
        hidden = hidden * mask
        states: tuple[torch.Tensor, ...] = (hidden,)
        for layer in self.layers:
            hidden = layer(hidden, mask)
            states = (*states, hidden) if output_hidden_states else states
        return BaseModelOutput(last_hidden_state=hidden, hidden_states=states if output_hidden_states else None)
