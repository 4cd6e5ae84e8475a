"""What a few hundred labelled texts give: F1 on unseen texts after training on 100, 300 and 1,000 of them.

    python few_rows.py run OUTPUT --encoder ENCODER --data conll04 TRAIN TEST [--data NAME TRAIN TEST …]
        [--rows 100 300 1000] [--seeds 0 1 2] [--variant NAME JSON …]
    python few_rows.py hold-out TRAIN OUTPUT --predicates P P …

A run does what a user with so many labelled texts would do: a fifth of them is dev, by which the best weights and the
thresholds are chosen, and the rest is trained on. TEST is only scored, strictly. A variant is a recipe's `model` and
`training` fields as JSON, such as '{"training": {"learning_rate": 1e-4}}', put into the recipe of the defaults; without
--variant, the present defaults run beside `plain`, those before the training arguments looked at the number of texts.

Each finished run is a line of OUTPUT/runs.jsonl, and is not run again; an interrupted one goes on from its checkpoint.
The process is niced, so it may run in the background.

`hold-out` prepares a data set whose predicates the starting model has not seen: OUTPUT/held.jsonl has the texts that
state one of the predicates, with these triples alone; OUTPUT/rest.jsonl all other texts, to train the starting model.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from transformers import pipeline

from hf_spo.data import read_examples
from hf_spo.metrics import TripleScorer
from hf_spo.model.fields import json_line
from hf_spo.model.schema import Example, Mention, Span, Triple
from hf_spo.training.plan import run_recipe
from hf_spo.training.recipe import Recipe

Run = dict[str, Any]
"""A finished run, as it goes into runs.jsonl."""

_KEY = ("data", "rows", "seed", "variant")
_DEV_SHARE = 0.2
_COMMON: dict[str, Any] = {
    "bf16": True,
    "per_device_train_batch_size": 16,
    "per_device_eval_batch_size": 64,
    "evaluate_raw": False,
    "training_curves": False,
    "disable_tqdm": True,
}
_VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {
        "training": {
            "num_train_epochs": 12,
            "learning_rate": 5e-5,
            "eval_strategy": "epoch",
            "save_strategy": "epoch",
            "save_total_limit": 2,
            "load_best_model_at_end": True,
            "early_stopping_patience": 0,
            "tune_thresholds": False,
        }
    },
    "defaults": {},
}


def main() -> None:
    """Read the arguments; run what is not finished, and print the table, or prepare data."""
    options = _parser().parse_args()
    if options.command == "hold-out":
        hold_out(options.train, options.output, set(options.predicates))
        return
    os.nice(19)
    variants = {name: json.loads(content) for name, content in options.variant or []} or _VARIANTS
    options.output.mkdir(parents=True, exist_ok=True)
    log = options.output / "runs.jsonl"
    finished = read_runs(log)
    done = {tuple(run[name] for name in _KEY) for run in finished}
    for name, train, test in options.data:
        examples = [example for example in read(train) if example.triples]
        unseen = read(test)
        for rows in options.rows:
            for seed in options.seeds:
                for variant, fields in variants.items():
                    if (name, rows, seed, variant) in done or rows > len(examples):
                        continue
                    folder = options.output / f"{name}-{rows}-{seed}-{variant}"
                    result = train_and_score(folder, options.encoder, draw(examples, rows, seed), unseen, seed, fields)
                    run = {"data": name, "rows": rows, "seed": seed, "variant": variant, **result}
                    with log.open("a", encoding="utf-8") as file:
                        file.write(json_line(run) + "\n")
                    shutil.rmtree(folder)
    Console().print(table(read_runs(log)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="train and score")
    run.add_argument("output", type=Path)
    run.add_argument("--encoder", required=True, help="encoder, or triple-extraction model to go on from")
    run.add_argument("--data", nargs=3, action="append", required=True, metavar=("NAME", "TRAIN", "TEST"))
    run.add_argument("--rows", nargs="+", type=int, default=[100, 300, 1000])
    run.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    run.add_argument("--variant", nargs=2, action="append", metavar=("NAME", "JSON"))
    held = commands.add_parser("hold-out", help="split a data set by predicates")
    held.add_argument("train", type=Path)
    held.add_argument("output", type=Path)
    held.add_argument("--predicates", nargs="+", required=True)
    return parser


def hold_out(train: Path, output: Path, predicates: set[str]) -> None:
    """Write held.jsonl and rest.jsonl."""
    held, rest = [], []
    for example in read(train):
        kept = tuple(triple for triple in example.triples if triple.predicate in predicates)
        if kept:
            held.append(replace(example, triples=kept))
        else:
            rest.append(example)
    output.mkdir(parents=True, exist_ok=True)
    write(held, output / "held.jsonl")
    write(rest, output / "rest.jsonl")


def read(path: str | Path) -> list[Example]:
    """Read labelled texts in a format of the package, or CoNLL04's list of tokens, BILOU tags and relations."""
    if Path(path).suffix == ".json":
        with suppress(json.JSONDecodeError):  # one row a line
            rows = json.loads(Path(path).read_text(encoding="utf-8"))
            if "tags" in rows[0]:
                return list(map(tagged_example, rows))
    return list(read_examples(path))


def tagged_example(row: Run) -> Example:
    """Make an example of a row of CoNLL04, whose relations name entities by their number in the text."""
    text, spans = "", []
    for token in row["tokens"]:
        spans.append(Span(len(text), len(text) + len(token)))
        text += token + " "
    entities, start = [], 0
    for span, tag in zip(spans, row["tags"], strict=True):
        start = span.start if tag[0] in "BU" else start
        if tag[0] in "LU":
            entities.append(Mention(text[start : span.end], Span(start, span.end), tag[2:]))
    triples = (
        Triple(entities[relation["head"]], relation["type"], entities[relation["tail"]])
        for relation in row["relations"]
    )
    return Example(text.rstrip(), tuple(triples))


def write(examples: Iterable[Example], path: Path) -> None:
    """Write labelled texts as rows of the package's own format."""
    path.write_text("".join(json_line(example.to_dict()) + "\n" for example in examples), encoding="utf-8")


def draw(examples: Sequence[Example], rows: int, seed: int) -> list[Example]:
    """Draw rows; more rows of one seed include the fewer."""
    order = list(range(len(examples)))
    random.Random(seed).shuffle(order)
    return [examples[index] for index in order[:rows]]


def train_and_score(
    folder: Path, encoder: str, examples: Sequence[Example], unseen: Sequence[Example], seed: int, fields: Run
) -> Run:
    """Train on labelled texts, and score the model on unseen ones."""
    folder.mkdir(parents=True, exist_ok=True)
    cut = round(_DEV_SHARE * len(examples))
    write(examples[:cut], folder / "dev.jsonl")
    write(examples[cut:], folder / "train.jsonl")
    recipe = Recipe(
        encoder=encoder,
        train=str(folder / "train.jsonl"),
        dev=str(folder / "dev.jsonl"),
        output=str(folder / "model"),
        model=fields.get("model", {}),
        training={**_COMMON, "seed": seed, **fields.get("training", {})},
    )
    start = time.perf_counter()
    dev = run_recipe(recipe, resume=True)
    minutes = (time.perf_counter() - start) / 60
    state = json.loads((folder / "model" / "training_log.json").read_text(encoding="utf-8"))
    pipe = pipeline("triple-extraction", model=str(folder / "model"))
    scorer = TripleScorer()
    for example, found in zip(unseen, pipe.extractor()(example.text for example in unseen), strict=True):
        scorer.add(found, example.triples)
    return {
        **scorer.score().to_dict(),
        "dev_f1": dev["eval_f1"],
        "dev_cross_validated_f1": dev.get("eval_cross_validated_f1"),
        "steps": max(entry["step"] for entry in state["history"]),
        "minutes": minutes,
    }


def read_runs(log: Path) -> list[Run]:
    """Read the finished runs."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


def table(runs: Sequence[Mapping[str, Any]]) -> Table:
    """Lay out means and standard deviations over the seeds."""
    shown = Table("data", "rows", "variant", "seeds", "P", "R", "F1", "± F1", "steps", "minutes")
    for key, group in sorted(_by_setting(runs)):
        columns = {name: [run[name] for run in group] for name in ("precision", "recall", "f1", "steps", "minutes")}
        mean = {name: statistics.fmean(values) for name, values in columns.items()}
        spread = statistics.stdev(columns["f1"]) if len(group) > 1 else 0.0
        scores = [f"{value:.3f}" for value in (mean["precision"], mean["recall"], mean["f1"], spread)]
        shown.add_row(*map(str, key), str(len(group)), *scores, f"{mean['steps']:.0f}", f"{mean['minutes']:.1f}")
    return shown


def _by_setting(runs: Iterable[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, int, str], list[Mapping[str, Any]]]]:
    groups: dict[tuple[str, int, str], list[Mapping[str, Any]]] = {}
    for run in runs:
        groups.setdefault((run["data"], run["rows"], run["variant"]), []).append(run)
    yield from groups.items()


if __name__ == "__main__":
    main()
