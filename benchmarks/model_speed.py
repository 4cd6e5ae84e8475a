"""Sentences per second of several models on the same texts, in one run, and the memory that each takes.

    python benchmarks/model_speed.py [--model NAME|DIR …] [--texts FILE] [--count N] [--rounds N] [--output FILE.json]

Models and number formats take turns, round after round in one process, so that what else the machine does hits all
alike; the figure is the median over the rounds. Memory is the peak of a fresh process that extracts from the same
texts.
"""

import argparse
import json
import platform
import subprocess
import sys
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from extraction_speed import own_texts, timed
from rich.console import Console
from rich.table import Table
from transformers import pipeline

import hf_spo
from hf_spo.data import read_texts
from hf_spo.packaged import PACKAGED

DTYPES = ("float32", "bfloat16")
_MEMORY = """
import resource, sys, torch
from transformers import pipeline
import hf_spo
model, dtype, size = sys.argv[1:4]
pipe = pipeline("triple-extraction", model=model, dtype=getattr(torch, dtype))
pipe(sys.stdin.read().split("\\n"), batch_size=int(size))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_memory(model: str, dtype: str, texts: list[str], batch_size: int) -> int:
    """Return the peak memory in MiB of a process of its own."""
    process = subprocess.run(
        [sys.executable, "-c", _MEMORY, model, dtype, str(batch_size)],
        input="\n".join(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    return int(process.stdout)


def main() -> None:
    """Read the arguments, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help="a packaged model's name or a folder; default: all packaged")
    parser.add_argument("--texts", type=Path, help="one text a line; default: sentences made here")
    parser.add_argument("--count", type=int, default=1024, help="texts that are used")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, help="write the figures as JSON, too")
    options = parser.parse_args()
    texts = list(read_texts(options.texts))[: options.count] if options.texts else own_texts(options.count)
    texts = [text.replace("\n", " ") for text in texts]
    names = options.model or list(PACKAGED)
    folders = {name: str(hf_spo.packaged(name)) if name in PACKAGED else name for name in names}
    # First, while this process is small: a child begins its life with its parent's peak.
    memory = {
        (name, dtype): peak_memory(folder, dtype, texts, options.batch_size)
        for name, folder in folders.items()
        for dtype in DTYPES
    }
    pipes: dict[tuple[str, str], Any] = {
        (name, dtype): pipeline("triple-extraction", model=folder, dtype=getattr(torch, dtype))
        for name, folder in folders.items()
        for dtype in DTYPES
    }
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in pipes}
    found = {key: sum(map(len, pipe(texts, batch_size=options.batch_size))) for key, pipe in pipes.items()}  # warms up
    for _ in range(options.rounds):
        for key, pipe in pipes.items():
            seconds[key].append(timed(partial(pipe, texts, batch_size=options.batch_size)))

    console = Console(width=120)
    console.print(
        f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}; "
        f"{len(texts)} texts, {sum(map(len, texts)) / len(texts):.0f} characters on average, "
        f"batches of {options.batch_size}, median of {options.rounds} rounds"
    )
    table = Table("model", "dtype", "sentences/s", "beside the first", "triples", "peak memory, MiB")
    rows = []
    for (name, dtype), times in seconds.items():
        rate = len(texts) / median(times)
        row = {
            "model": name,
            "dtype": dtype,
            "sentences_per_second": rate,
            "ratio": median(a / b for a, b in zip(next(iter(seconds.values())), times, strict=True)),
            "triples": found[name, dtype],
            "peak_memory_mib": memory[name, dtype],
        }
        rows.append(row)
        table.add_row(
            Path(name).name,
            dtype,
            f"{rate:.0f}",
            f"{row['ratio']:.1f} x",
            str(row["triples"]),
            str(row["peak_memory_mib"]),
        )
    console.print(table)
    if options.output:
        options.output.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
