"""Tokenizer of single characters, for encoders without a vocabulary of their own."""

from collections import Counter
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Split
from transformers import PreTrainedTokenizerFast


def character_tokenizer(
    texts: Iterable[str], min_count: int = 2, lowercase: bool = True, max_length: int = 512
) -> PreTrainedTokenizerFast:
    """Build a fast tokenizer with one token for each character of the texts.

    Args:
        texts: to collect characters from.
        min_count: characters that occur less often become [UNK], so that the model learns a vector for [UNK].
        lowercase: whether A and a are the same token.
        max_length: `model_max_length` of the tokenizer.

    Raises:
        ValueError: no character occurs `min_count` times.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text.lower() if lowercase else text)
    kept = sorted((c for c, count in counts.items() if count >= min_count), key=lambda c: (-counts[c], c))
    if not kept:
        raise ValueError(f"no character occurs {min_count} times in these texts; pass more of them, or min_count=1")
    vocabulary = {token: number for number, token in enumerate(["[PAD]", "[UNK]", *kept])}
    backend = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    if lowercase:
        backend.normalizer = Lowercase()
    backend.pre_tokenizer = Split(Regex(r"[\s\S]"), "isolated")
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]", model_max_length=max_length
    )
