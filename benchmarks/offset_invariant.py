"""Check on a corpus that every mention is a slice of its text, at its offsets.

    python benchmarks/offset_invariant.py TEXTS [--model DIR]

Prints the number of texts, triples and mentions; exits with 1 at the first mention that is not `text[start:end]`.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import pipeline

import hf_spo
from hf_spo.data import read_texts


def mentions(triple: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield subject, object and qualifiers."""
    yield triple["subject"]
    yield triple["object"]
    yield from triple["qualifiers"].values()


def main() -> None:
    """Read the arguments, extract, check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--model", default=str(hf_spo.packaged()))
    parser.add_argument("--batch-size", type=int, default=64)
    options = parser.parse_args()
    pipe = pipeline("triple-extraction", model=options.model, dtype=torch.bfloat16, batch_size=options.batch_size)
    texts = list(read_texts(options.texts))
    triples = checked = 0
    for text, found in zip(texts, pipe(iter(texts)), strict=True):
        triples += len(found)
        for triple in found:
            for mention in mentions(triple):
                checked += 1
                if text[mention["start"] : mention["end"]] != mention["text"]:
                    raise SystemExit(f"{mention} is not text[start:end] of {text!r}")
    print(f"{len(texts)} texts, {triples} triples, {checked} mentions: every one is text[start:end]")


if __name__ == "__main__":
    main()
