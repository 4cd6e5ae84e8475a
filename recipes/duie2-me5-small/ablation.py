"""What each part is worth: the recipe with one thing changed at a time, on a fixed small budget.

    python ablation.py --encoder DIR --train FILE --dev FILE --schema FILE --output DIR [--layers 6] [--texts 4000]

Every run sees the same texts once, in the same order, with the same seed, and is scored on the same dev texts with
averaged and with raw weights. Differences of one or two points are within the noise of one seed. Writes
DIR/ablation.json; a run that is there already is not repeated.
"""

import argparse
import json
import logging
import random
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from transformers import AutoTokenizer

from hf_spo import Schema, SpoForTripleExtraction
from hf_spo.data import read_examples
from hf_spo.training import SpoTrainer
from hf_spo.training.recipe import Recipe

VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
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


def main() -> None:
    """Read the arguments, run every variant, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("encoder", "train", "dev", "schema", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--layers", type=int, default=6, help="layers of the encoder that are used")
    parser.add_argument("--texts", type=int, default=4000, help="texts to train on")
    parser.add_argument("--dev-texts", type=int, default=500)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)

    recipe = Recipe.from_file(Path(__file__).parent / "train.yaml")
    train, dev = list(read_examples(options.train)), list(read_examples(options.dev))[: options.dev_texts]
    random.Random(0).shuffle(train)
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / "ablation.json"
    results: dict[str, dict[str, float]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for name, change in VARIANTS.items():
        if name not in results:
            results[name] = run(recipe, change, options, train[: options.texts], dev)
            file.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    show(results)


def run(
    recipe: Recipe, change: dict[str, dict[str, Any]], options: argparse.Namespace, train: Any, dev: Any
) -> dict[str, float]:
    """Train one variant and score it."""
    encoder = {**recipe.model.get("encoder_config", {}), "num_hidden_layers": options.layers}
    model_fields = {**recipe.model, **change.get("model", {}), "encoder_config": encoder}
    training = {
        **recipe.training,
        **change.get("training", {}),
        "num_train_epochs": 1,
        "save_strategy": "no",
        "eval_strategy": "epoch",
        "load_best_model_at_end": False,
        "evaluate_raw": True,
        # A mean over a hundred steps: the recipe's, over five hundred, is longer than such a run.
        "ema_decay": 0.99,
        "disable_tqdm": True,
        "logging_steps": 100000,
    }
    arguments = Recipe(output=str(options.output / "run"), training=training).arguments()
    model = SpoForTripleExtraction.from_encoder(options.encoder, Schema.from_file(options.schema), **model_fields)
    tokenizer = AutoTokenizer.from_pretrained(options.encoder)
    trainer = SpoTrainer(model, arguments, train, dev, processing_class=tokenizer)
    start = time.perf_counter()
    trainer.train()
    scores = next(entry for entry in reversed(trainer.state.log_history) if "eval_f1" in entry)
    return {
        **{name: scores[f"eval_{name}"] for name in ("precision", "recall", "f1", "raw_f1")},
        "seconds": time.perf_counter() - start,
    }


def show(results: dict[str, dict[str, float]]) -> None:
    """Print the table."""
    table = Table("variant", "P", "R", "F1", "F1, EMA off", "seconds")
    for name, row in results.items():
        ratios = [f"{100 * row[key]:.1f}" for key in ("precision", "recall", "f1", "raw_f1")]
        table.add_row(name, *ratios, f"{row['seconds']:.0f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
