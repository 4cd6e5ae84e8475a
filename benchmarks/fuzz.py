"""Difficult texts in large numbers, through every entry point: pipelines, export, command line, service.

    python benchmarks/fuzz.py --cases 100000 --seed 0
    python benchmarks/fuzz.py --case 4711 --seed 0 --entry "pipeline, unigram"

Models with random weights find triples in any text, which tests two properties: every mention is text[start:end], and
every text has exactly one result, in order. Prints counts by entry point and by kind of text, and each failure with the
number that reproduces it. Exits with 1 if there is a failure.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from rich.console import Console
from rich.table import Table

from hf_spo.onnx import export_onnx, load_onnx
from hf_spo.service.logs import JsonLog
from hf_spo.service.service import Service
from hf_spo.service.service_settings import ServiceSettings
from hf_spo.support.safe_text import encodable
from tests import builders
from tests.model.test_nasty_texts import ask, eager_pipeline, reading_pipeline
from tests.nasty_texts import check, drawn, eager, stirred

Entry = Callable[[Sequence[str]], list[tuple[str, Any]]]
"""Returns the texts, each with its triples in JSON form, or None if it was refused."""

_BATCH = 100
_OBJECTS = 0.975
"""Share of an object's borders below the threshold; the lower, the more triples."""


def entry_points(folder: Path) -> dict[str, tuple[int, Entry]]:
    """Return all entry points by name, with their percentages of the cases."""
    tokenizer = builders.wordpiece_tokenizer()
    model = stirred(builders.spo_model(builders.encoder_config("bert", len(tokenizer))))
    export_onnx(model, tokenizer, folder / "export")
    thresholds = eager(load_onnx(folder / "export").extractor(), objects=_OBJECTS)
    exported = load_onnx(folder / "export", **thresholds)
    words = [word for name, value in thresholds.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    command = [sys.executable, "-m", "hf_spo.cli", "extract", "--model", str(folder / "export"), *words]
    found: dict[str, tuple[int, Entry]] = {
        f"pipeline, {name}": (6, _called(eager_pipeline(name, _OBJECTS))) for name in builders.TOKENIZERS
    }
    return found | {
        "pipeline, words and known triples": (10, _called(reading_pipeline(_OBJECTS))),
        "export": (18, _called(exported)),
        "command, file": (10, lambda texts: _file(command, folder, texts)),
        "command, stdin": (10, lambda texts: _stdin(command, texts)),
        "service": (10, lambda texts: _service(exported, texts)),
    }


def _called(pipe: Any) -> Entry:
    def entry(texts: Sequence[str]) -> list[tuple[str, Any]]:
        return list(zip(texts, pipe(list(texts)), strict=True))

    return entry


def _file(command: list[str], folder: Path, texts: Sequence[str]) -> list[tuple[str, Any]]:
    (folder / "in.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="ascii")
    files = ["--input", str(folder / "in.jsonl"), "--output", str(folder / "out.jsonl")]
    subprocess.run([*command, *files], check=True, capture_output=True)
    with (folder / "out.jsonl").open(encoding="utf-8", newline="\n") as lines:
        rows = [json.loads(line) for line in lines]
    return _answered([json.loads(json.dumps(text)) for text in texts], rows)


def _stdin(command: list[str], texts: Sequence[str]) -> list[tuple[str, Any]]:
    given = [encodable(text).replace("\n", " ").rstrip("\r") for text in texts]
    lines = [text.encode() for text in given]
    done = subprocess.run([*command, "-"], input=b"\n".join(lines) + b"\n", check=True, capture_output=True)
    rows = [json.loads(line) for line in done.stdout.decode("utf-8").split("\n")[:-1]]
    return _answered(given, rows)


def _answered(given: Sequence[str], rows: Sequence[Any]) -> list[tuple[str, Any]]:
    if [row["text"] for row in rows] != list(given):
        raise AssertionError(f"{len(given)} texts, {len(rows)} results, or results of other texts")
    return [(row["text"], row["triples"]) for row in rows]


def _service(model: Any, texts: Sequence[str]) -> list[tuple[str, Any]]:
    service = Service(model, ServiceSettings(max_queue=_BATCH), JsonLog(lambda _: None))
    answers = asyncio.run(ask(service, [json.dumps({"texts": [text]}).encode() for text in texts]))
    given = [json.loads(json.dumps(text)) for text in texts]
    bad = [answer for status, answer in answers if status not in (200, 422)]
    if bad:
        raise AssertionError(f"answers {bad[:3]}")
    return [
        (text, answer["results"][0] if status == 200 else None)
        for text, (status, answer) in zip(given, answers, strict=True)
    ]


class Fuzzing:
    """Runs cases and counts."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.cases: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.mentions: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.failures: list[str] = []

    def text(self, number: int) -> tuple[str, str]:
        """Return the text of a case, and its kind."""
        return drawn(random.Random(f"{self.seed} {number}"))

    def run(self, name: str, entry: Entry, numbers: Sequence[int]) -> None:
        """Run cases through an entry point together; if that fails, in halves, to find the case."""
        texts = [self.text(number) for number in numbers]
        try:
            found = entry([text for text, _ in texts])
            counts = [0 if triples is None else check(text, triples) for text, triples in found]
        except Exception as error:
            if len(numbers) > 1:
                half = len(numbers) // 2
                self.run(name, entry, numbers[:half])
                self.run(name, entry, numbers[half:])
                return
            self.failures.append(f'--case {numbers[0]} --seed {self.seed} --entry "{name}": {error!r:.300}')
            counts, found = [0], [("", [])]
        self.cases[name] += len(numbers)
        self.mentions[name] += sum(counts)
        self.refused[name] += sum(triples is None for _, triples in found)
        for (_, kind), count in zip(texts, counts, strict=True):
            self.kinds[kind] += 1
            self.mentions[kind] += count


def main() -> None:
    """Read the arguments, run the cases, print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--case", type=int, help="run only this case, and print its text")
    parser.add_argument("--entry", help="use only this entry point")
    options = parser.parse_args()
    fuzzing, begin, console = Fuzzing(options.seed), time.perf_counter(), Console()
    with TemporaryDirectory() as folder:
        chosen = {name: entry for name, entry in entry_points(Path(folder)).items() if options.entry in (None, name)}
        if options.case is not None:
            print(ascii(fuzzing.text(options.case)))
        number, shares = 0, sum(share for share, _ in chosen.values())
        for name, (share, entry) in chosen.items():
            cases = range(number, number + -(-options.cases * share // shares))
            if options.case is not None:
                cases = range(options.case, options.case + 1)
            # A command takes seconds to start: it gets many cases at once.
            size = 5000 if name.startswith("command") else _BATCH
            for at in range(0, len(cases), size):
                fuzzing.run(name, entry, cases[at : at + size])
            number = cases.stop
            console.log(f"{name}: {fuzzing.cases[name]:,} cases, {len(fuzzing.failures)} failures so far")
    for title, counts in (("entry point", fuzzing.cases), ("kind of text", fuzzing.kinds)):
        table = Table(title, "cases", "refused", "mentions checked")
        for name, count in counts.items():
            table.add_row(name, f"{count:,}", f"{fuzzing.refused[name]:,}", f"{fuzzing.mentions[name]:,}")
        console.print(table)
    total = sum(fuzzing.mentions[name] for name in fuzzing.cases)
    seconds = time.perf_counter() - begin
    print(f"{fuzzing.cases.total():,} cases, {total:,} mentions, {len(fuzzing.failures)} failures, {seconds:,.0f} s")
    for failure in fuzzing.failures:
        print(failure)
    sys.exit(bool(fuzzing.failures))


if __name__ == "__main__":
    main()
