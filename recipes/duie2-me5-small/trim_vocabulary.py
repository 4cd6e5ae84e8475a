"""Reduce an encoder's WordPiece vocabulary to the tokens that a corpus needs, for a smaller model.

    python trim_vocabulary.py ENCODER OUT --rows 17800 TEXTS...

Tokens are kept in this order, up to the number `--rows`: special tokens and single characters, pieces that occur in the
texts, then other pieces in the order of the vocabulary, which is by frequency. The tokenisation of the texts does not
change; other words are split into smaller pieces. TEXTS are .jsonl files with a "text" field or plain files with one
text a line.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from hf_spo.data import read_texts


def chosen_tokens(vocabulary: list[str], special: set[str], used: Counter[str], rows: int) -> list[str]:
    """Return the tokens to keep, in the order of the vocabulary."""

    def rank(token: str) -> int:
        if token in special or len(token.removeprefix("##")) == 1:
            return 0
        return 1 if used[token] else 2

    order = sorted(range(len(vocabulary)), key=lambda i: (rank(vocabulary[i]), i))
    needed = sum(rank(token) < 2 for token in vocabulary)
    if rows < needed:
        raise SystemExit(f"--rows {rows}: the texts and the single characters need {needed}")
    return [vocabulary[i] for i in sorted(order[:rows])]


def main() -> None:
    """Read the arguments, write the smaller encoder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--rows", type=int, required=True)
    options = parser.parse_args()

    tokenizer = AutoTokenizer.from_pretrained(options.encoder)
    model = AutoModel.from_pretrained(options.encoder, dtype=torch.float32, add_pooling_layer=False)
    vocabulary = [token for token, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])]
    used: Counter[str] = Counter()
    for path in options.texts:
        for text in read_texts(path):
            used.update(tokenizer.tokenize(text))
    kept = chosen_tokens(vocabulary, set(tokenizer.all_special_tokens), used, options.rows)

    old = tokenizer.get_vocab()
    rows = torch.tensor([old[token] for token in kept])
    weight = model.get_input_embeddings().weight.detach()[rows].clone()
    model.resize_token_embeddings(len(kept), mean_resizing=False)
    model.get_input_embeddings().weight.data.copy_(weight)
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    new = {token: index for index, token in enumerate(kept)}
    state["model"]["vocab"] = new
    for added in state["added_tokens"]:
        added["id"] = new[added["content"]]
    for processor in state["post_processor"].get("special_tokens", {}).values():
        processor["ids"] = [new[token] for token in processor["tokens"]]
    names = ("unk_token", "cls_token", "sep_token", "pad_token", "mask_token")
    smaller = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(state)),
        model_max_length=tokenizer.model_max_length,
        **{name: getattr(tokenizer, name) for name in names},
    )
    model.config.pad_token_id = smaller.pad_token_id
    model.save_pretrained(options.out)
    smaller.save_pretrained(options.out)
    print(f"{options.out}: {len(kept)} of {len(vocabulary)} tokens")


if __name__ == "__main__":
    main()
