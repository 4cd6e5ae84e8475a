"""Ablation of the model's parts: the recipe with one change at a time, on a small fixed budget.

    python ablation.py --encoder DIR --train FILE --dev FILE --schema FILE --output DIR [--layers 6] [--texts 4000]

All runs of a seed use the same texts in the same order, and are scored on the same dev texts with averaged and with raw
weights. The difference from the first variant has a 95 % interval by paired bootstrap over the dev texts, with all
seeds together; it does not cover the variation between seeds. Each run writes its scores to DIR/ablation.json and its
triples to DIR/predictions. Finished runs are not repeated, so the script may be stopped at any time.
"""

import argparse
import json
import logging
import random
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from transformers import AutoTokenizer, set_seed

from hf_spo import Example, Schema, SpoForTripleExtraction, TripleStore
from hf_spo.data import read_examples
from hf_spo.metrics import TripleScorer, compare, judge, text_counts
from hf_spo.training import SpoTrainer
from hf_spo.training.recipe import Recipe

Variant = dict[str, Any]
"""Changes to the recipe: fields under "model" and "training", and another "encoder"."""

VARIANTS: dict[str, Variant] = {
    "as in the recipe": {},
    "p^1 instead of p^2 and p^4": {"model": {"subject_power": 1, "object_power": 1}},
    "conditional LayerNorm before the last normalisation": {"model": {"conditioning_position": "before"}},
    "added vectors instead of conditional LayerNorm": {"model": {"conditioning": "addition"}},
    "true subjects only": {"training": {"subject_sampling": "true"}},
    "one subject a text and step instead of two": {"training": {"subjects_per_example": 1}},
    "heads start at sigmoid(0)": {
        "model": {"initial_subject_probability": 0.5**2, "initial_object_probability": 0.5**4},
    },
    "nearest occurrences instead of first": {"training": {"occurrence_policy": "nearest"}},
    "all occurrences instead of first": {"training": {"occurrence_policy": "all"}},
}
BUDGET: dict[str, Any] = {
    "save_strategy": "no",
    "eval_strategy": "epoch",
    "load_best_model_at_end": False,
    "evaluate_raw": True,
    # An average over a hundred steps: the recipe's covers five hundred, more than such a run has.
    "ema_decay": 0.99,
    "tune_thresholds": False,
    "disable_tqdm": True,
    "logging_steps": 100000,
}
FIGURES = ("precision", "recall", "f1", "subject_f1", "object_f1", "raw_f1")


def main() -> None:
    """Read the arguments and run every variant."""
    ablate(VARIANTS, argument_parser(__doc__).parse_args())


def argument_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of the arguments that all ablations of this recipe share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("encoder", "train", "dev", "schema", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--layers", type=int, default=6, help="number of layers of the encoder to use")
    parser.add_argument("--texts", type=int, default=4000, help="number of training texts")
    parser.add_argument("--epochs", type=int, default=1, help="number of epochs")
    parser.add_argument("--dev-texts", type=int, default=500)
    parser.add_argument("--max-characters", type=int, default=None, help="leave out texts that are longer")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42])
    return parser


def ablate(variants: dict[str, Variant], options: argparse.Namespace) -> None:
    """Run the missing runs of all variants and seeds, and print a table."""
    logging.basicConfig(level=logging.WARNING)

    def read(path: Path) -> list[Example]:
        limit = options.max_characters
        return [example for example in read_examples(path) if limit is None or len(example.text) <= limit]

    train, dev = read(options.train), read(options.dev)[: options.dev_texts]
    random.Random(0).shuffle(train)
    (options.output / "predictions").mkdir(parents=True, exist_ok=True)
    file = options.output / "ablation.json"
    results: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for seed in options.seeds:
        for name, variant in variants.items():
            runs = results.setdefault(name, {"seeds": {}})["seeds"]
            if str(seed) in runs:
                continue
            scores, predictions = run(variant, seed, options, train[: options.texts], dev)
            write_predictions(predictions_file(options.output, name, seed), dev, predictions)
            runs[str(seed)] = scores
            for other, result in results.items():
                result["difference"] = difference(options.output, next(iter(variants)), other, results, dev)
            file.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            print(f"{name}, seed {seed}: F1 {scores['f1']:.4f}", flush=True)
    show(results)


def run(
    variant: Variant, seed: int, options: argparse.Namespace, train: Sequence[Example], dev: Sequence[Example]
) -> tuple[dict[str, float], list[Any]]:
    """Train one variant with one seed. Returns its scores and the triples of each dev text."""
    recipe = Recipe.from_file(Path(__file__).parent / "train.yaml")
    changes = variant.get("model", {})
    encoder = {
        **recipe.model.get("encoder_config", {}),
        **changes.get("encoder_config", {}),
        "num_hidden_layers": options.layers,
    }
    # Evaluate once, at the end.
    epochs = {"num_train_epochs": options.epochs, "eval_delay": options.epochs}
    training = {**recipe.training, **BUDGET, **epochs, "seed": seed}
    arguments = Recipe(
        output=str(options.output / "run"), training={**training, **variant.get("training", {})}
    ).arguments()
    path = variant.get("encoder", options.encoder)
    set_seed(seed)  # fresh heads are random
    model = SpoForTripleExtraction.from_encoder(
        path, Schema.from_file(options.schema), **{**recipe.model, **changes, "encoder_config": encoder}
    )
    if model.config.prior:
        model.features.prior = TripleStore.from_examples(train, model.config.schema)
    extracted: list[Any] = []

    def keep(evaluation: Any) -> dict[str, float]:
        extracted[:] = evaluation.predictions
        return {}

    tokenizer = AutoTokenizer.from_pretrained(path)
    trainer = SpoTrainer(model, arguments, train, dev, processing_class=tokenizer, compute_metrics=keep)
    start = time.perf_counter()
    trainer.train()
    scores = next(entry for entry in reversed(trainer.state.log_history) if "eval_f1" in entry)
    figures = {name: scores[f"eval_{name}"] for name in FIGURES}
    return {**figures, "seconds": time.perf_counter() - start}, extracted


def predictions_file(output: Path, name: str, seed: int | str) -> Path:
    """Return the path of the predictions of a run."""
    return output / "predictions" / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}-{seed}.jsonl"


def write_predictions(path: Path, dev: Sequence[Example], predictions: Sequence[Any]) -> None:
    """Write the triples of each text as rows of labelled texts."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for example, triples in zip(dev, predictions, strict=True):
            row = Example(example.text, tuple(triples)).to_dict()
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def difference(
    output: Path, base: str, name: str, results: dict[str, dict[str, Any]], dev: Sequence[Example]
) -> dict[str, Any] | None:
    """Compare the F1 of a variant with that of the base, over the seeds that both have."""
    seeds = [seed for seed in results[name]["seeds"] if seed in results[base]["seeds"]]
    if name == base or not seeds:
        return None
    first, second = (
        sum(counts(predictions_file(output, variant, seed), dev) for seed in seeds) for variant in (base, name)
    )
    assert isinstance(first, np.ndarray)
    assert isinstance(second, np.ndarray)
    return compare(first, second)["f1"].to_dict()


def counts(path: Path, dev: Sequence[Example]) -> np.ndarray:
    """Return the counts of each text for [`compare`]. *Shape:* (T, 4)."""
    scorer, predictions = TripleScorer(), read_examples(path)
    return text_counts(judge(gold, found.triples, scorer) for gold, found in zip(dev, predictions, strict=True))


def show(results: dict[str, dict[str, Any]]) -> None:
    """Print the table: means over seeds, and the difference in F1 from the first variant."""
    table = Table("variant", "seeds", "P", "R", "F1", "subjects", "objects", "F1, EMA off", "difference", "seconds")
    for name, result in results.items():
        runs = list(result["seeds"].values())
        mean = {key: sum(run[key] for run in runs) / len(runs) for key in (*FIGURES, "seconds")}
        figures = [f"{100 * mean[key]:.1f}" for key in FIGURES]
        ahead = result["difference"]
        change = (
            ""
            if ahead is None
            else "{:+.1f} [{:+.1f}, {:+.1f}]".format(
                *(100 * value for value in (ahead["difference"], *ahead["interval"]))
            )
        )
        table.add_row(name, f"{len(runs)}", *figures, change, f"{mean['seconds']:.0f}")
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
