"""Loss from reading sentences in long texts by windows, compared with reading each sentence alone.

    python benchmarks/long_texts.py --data dev.jsonl [--model NAME|DIR] [--window N …] [--stride N …]

Labelled sentences are joined to texts of `--sentences` sentences, in the order of the file. A triple of a sentence is
out of reach if no window holds all its mentions within that sentence. F1 is strict, over the triples of a text, for
both ways of reading; work is the number of tokens read in windows divided by that of single sentences.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from transformers import pipeline

import hf_spo
from hf_spo.data import read_examples
from hf_spo.loading.locations import PACKAGED
from hf_spo.metrics import TripleScorer
from hf_spo.model.schema import Example, Triple
from hf_spo.model.windows import Window


def parts_in_texts(examples: Sequence[Example], count: int) -> list[list[Example]]:
    """Group neighbouring sentences."""
    return [list(examples[at : at + count]) for at in range(0, len(examples), count)]


def out_of_reach(parts: Sequence[Example], windows: Sequence[Window], gap: int) -> int:
    """Count triples that no window holds."""
    missed, begin = 0, 0
    for part in parts:
        end = begin + len(part.text)
        seen = []
        for window in windows:
            last = window.start + len(window.encoding.text)
            low, high = max(begin, window.start), min(end, last)
            if low < high:
                seen.append(part.text[low - begin : high - begin])
        for triple in part.triples:
            strings = [triple.subject.text, *(mention.text for _, mention in triple.slots())]
            missed += not any(all(string in stretch for string in strings) for stretch in seen)
        begin = end + gap
    return missed


def score(texts: Sequence[Sequence[Example]], found: Sequence[list[Triple]]) -> dict[str, float]:
    """Score the triples of texts."""
    scorer = TripleScorer()
    for parts, triples in zip(texts, found, strict=True):
        scorer.add(triples, [triple for part in parts for triple in part.triples])
    result = scorer.score()
    return {"precision": result.precision, "recall": result.recall, "f1": result.f1}


def main() -> None:
    """Read the arguments, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="base")
    parser.add_argument("--count", type=int, default=2000, help="number of sentences")
    parser.add_argument("--sentences", type=int, default=20, help="sentences per text")
    parser.add_argument("--between", default="。", help="separator of sentences")
    parser.add_argument("--window", type=int, action="append")
    parser.add_argument("--stride", type=int, action="append")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--output", type=Path, help="also write the figures to this JSON file")
    options = parser.parse_args()
    examples = list(read_examples(options.data))[: options.count]
    texts = parts_in_texts(examples, options.sentences)
    whole = [options.between.join(part.text for part in parts) for parts in texts]
    folder = str(hf_spo.packaged(options.model)) if options.model in PACKAGED else options.model
    pipe = pipeline("triple-extraction", model=folder, dtype=getattr(torch, options.dtype))

    alone = pipe.extractor()
    found = list(alone([example.text for example in examples]))
    tokens = sum(len(window.encoding) for window in alone.windows(example.text for example in examples))
    at = iter(found)
    together = [[triple for _ in parts for triple in next(at)] for parts in texts]
    gold = sum(len(example.triples) for example in examples)
    rows: list[dict[str, Any]] = [{"window": None, "stride": None, "out_of_reach": 0.0, "work": 1.0}]
    rows[0] |= score(texts, together)
    for size in options.window or [None]:
        for stride in options.stride or [None]:
            extractor = pipe.extractor(window=size, stride=stride)
            windows: list[list[Window]] = [[] for _ in whole]
            for window in extractor.windows(whole):
                windows[window.text_index].append(window)
            missed = sum(
                out_of_reach(parts, group, len(options.between)) for parts, group in zip(texts, windows, strict=True)
            )
            read = sum(len(window.encoding) for group in windows for window in group)
            row = {"window": extractor.window, "stride": extractor.stride, "out_of_reach": missed / gold}
            rows.append({**row, "work": read / tokens, **score(texts, list(extractor(whole)))})

    console = Console(width=120)
    console.print(
        f"{len(whole)} texts of {options.sentences} sentences, {sum(map(len, whole)) / len(whole):.0f} characters on "
        f"average, {gold} triples; {options.model}, {options.dtype}"
    )
    table = Table("window", "stride", "out of reach", "work", "precision", "recall", "F1")
    for row in rows:
        table.add_row(
            str(row["window"] or "each sentence alone"),
            "" if row["stride"] is None else str(row["stride"]),
            f"{row['out_of_reach']:.2%}",
            f"{row['work']:.2f}",
            *(f"{row[name]:.4f}" for name in ("precision", "recall", "f1")),
        )
    console.print(table)
    if options.output:
        options.output.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
