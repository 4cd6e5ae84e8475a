"""Measure speed and memory: one command, a table and JSON, each ratio from one run.

    python benchmarks/run.py [NAME …] [--texts FILE] [--data FILE] [--output FILE.json] [--quick]

Without names, all benchmarks run; without files, they use generated sentences. Other work on the machine disturbs the
figures: run nothing else.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from measuring import Settings, machine
from rich.console import Console

BENCHMARKS = (
    "start",
    "pipeline_ratio",
    "backends",
    "compiled",
    "sentence_by_sentence",
    "training_step",
    "cost_growth",
    "corpus",
    "service",
    "proxy",
)


def parse(arguments: list[str] | None = None) -> tuple[list[str], Settings, Path | None]:
    """Read the command line; return the benchmarks, the settings and the file for the figures."""
    defaults = Settings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: {', '.join(BENCHMARKS)}")
    parser.add_argument("--texts", type=Path, help="one text per line; default: generated sentences")
    parser.add_argument("--data", type=Path, help="labelled texts, for F1, int8 and training")
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME|DIR",
        help="for backends; default: the packaged models",
    )
    parser.add_argument("--output", type=Path, help="also write the figures to this JSON file")
    parser.add_argument("--quick", action="store_true", help="small counts, to check that everything runs")
    parser.add_argument("--count", type=int, default=defaults.count, help="number of texts of most benchmarks")
    parser.add_argument("--limit", type=int, default=defaults.limit, help="largest corpus of cost_growth and corpus")
    parser.add_argument("--rounds", type=int, default=defaults.rounds, help="rounds; figures are medians over them")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"unknown benchmark {', '.join(unknown)}; expected {', '.join(BENCHMARKS)}")
    models = tuple(given.model or defaults.models)
    settings = Settings(given.texts, given.data, models, given.count, given.limit, given.rounds)
    if given.quick:
        settings = replace(settings, count=32, limit=1000, rounds=1, quick=True)
    return given.names or list(BENCHMARKS), settings, given.output


def main() -> None:
    """Measure, print tables, write the figures."""
    names, settings, output = parse()
    os.environ.setdefault("TQDM_DISABLE", "1")  # the bars of loading models, in child processes as well
    console = Console(width=max(Console().width, 120), highlight=False)
    results = {"machine": machine(), "command": ["python", *sys.argv], "benchmarks": {}}
    console.print(", ".join(f"{name} {value}" for name, value in results["machine"].items()))
    for name in names:
        # Imported one by one: the first benchmarks measure a process that has imported little.
        benchmark = import_module(name)
        start = time.perf_counter()
        rows = benchmark.measure(settings)
        console.print(benchmark.table(rows), f"{time.perf_counter() - start:.0f} s\n")
        results["benchmarks"][name] = rows
        if output:
            output.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
