"""Configuration of the dilated gated convolutional encoder."""

from dataclasses import field

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig


@strict
class DgcnnConfig(PreTrainedConfig):
    """Configuration of [`DgcnnModel`]; the defaults are the published ones (kexue.fm/archives/6671).

    Args:
        vocab_size: number of characters that the tokenizer knows.
        hidden_size: H, width of the embeddings and of every layer.
        dilations: of the convolutions, one a layer; [1, 2, 5, 1, 2, 5] is the published light variant.
        kernel_size: width of a convolution in characters; odd.
        hidden_dropout_prob: dropout of the embeddings.
        gate_dropout_prob: dropout of the gates' logits.
        max_position_embeddings: longest sequence with learned positions; 0 switches positions off.
        word_vocab_size: rows of the frozen word table, row 0 for unknown words; 0 switches words off.
        word_embedding_size: columns of the word table.
        segmenter: name of the word segmenter, see [`register_segmenter`].
    """

    model_type = "dgcnn"

    vocab_size: int = 8000
    hidden_size: int = 128
    dilations: list[int] = field(default_factory=lambda: [1, 2, 5, 1, 2, 5, 1, 2, 5, 1, 1, 1])
    kernel_size: int = 3
    hidden_dropout_prob: float | int = 0.25
    gate_dropout_prob: float | int = 0.1
    max_position_embeddings: int = 512
    word_vocab_size: int = 0
    word_embedding_size: int = 128
    segmenter: str = "rjieba"
    initializer_range: float = 0.05
    pad_token_id: int | None = 0

    def validate_dgcnn(self) -> None:
        """Check the values that types alone do not."""
        for name in ("vocab_size", "hidden_size", "kernel_size", "word_embedding_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number of at least 1")
        if self.kernel_size % 2 == 0:
            raise ValueError(
                f"kernel_size={self.kernel_size}: expected an odd number, so that a layer keeps the length"
            )
        if not self.dilations or min(self.dilations) < 1:
            raise ValueError(f"dilations={self.dilations}: expected one or more dilations of at least 1")
        for name in ("max_position_embeddings", "word_vocab_size"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number; 0 is off")
        for name in ("hidden_dropout_prob", "gate_dropout_prob"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected at least 0 (off) and less than 1")

    @property
    def num_hidden_layers(self) -> int:
        """Number of convolutions."""
        return len(self.dilations)
