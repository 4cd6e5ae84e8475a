"""Ablation of the system's parts: the recipe with one change at a time, on a small fixed budget.

    python ablation.py --train FILE --dev FILE --schema FILE --texts FILE --words FILE --output DIR [--encoder DIR]

All runs use the same short texts in the same order and the same seed, with a learning rate that falls to zero, and are
scored on the same dev texts with averaged and with raw weights. Differences of one or two points are within the noise
of one seed. With --encoder, the prior and the entity swaps are also tried on a pretrained encoder, on fewer texts (see
--bert-texts). Writes DIR/ablation.json; finished runs are not repeated.
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
from transformers import AutoTokenizer, set_seed

from hf_spo import Example, Schema, SpoForTripleExtraction, TripleStore
from hf_spo.data import read_examples, read_texts
from hf_spo.training import SpoTrainer
from hf_spo.training.recipe import Recipe
from hf_spo.training.start import fresh_model

SIX_LAYERS = {"dilations": [1, 2, 5, 1, 2, 5]}
VARIANTS: dict[str, dict[str, Any]] = {
    "full, as in the recipe": {},
    "without words": {"words": False},
    "without positions in the encoder": {"encoder": {"max_position_embeddings": 0}},
    "without attention": {"model": {"head_attention_heads": 0}},
    "without gates": {"model": {"global_gates": False}},
    "without entity swaps": {"training": {"entity_swap_probability": 0.0}},
    "LSTM instead of GRU": {"model": {"recurrent_cell": "lstm"}},
    "border states side by side instead of the GRU": {"model": {"conditioning": "concatenation"}},
    "conditional LayerNorm instead of the GRU": {"model": {"conditioning": "layer_norm"}},
    "with the prior": {"model": {"prior": True}},
    "six layers": {"encoder": SIX_LAYERS},
    "six layers, border states, no words": {
        "encoder": SIX_LAYERS,
        "model": {"conditioning": "concatenation"},
        "words": False,
    },
    "lite: these, width 64, no attention": {
        "encoder": {**SIX_LAYERS, "hidden_size": 64, "hidden_dropout_prob": 0.1, "gate_dropout_prob": 0.0},
        "model": {"conditioning": "concatenation", "head_attention_heads": 0},
        "words": False,
    },
}
BERT_VARIANTS: dict[str, dict[str, Any]] = {
    "BERT, as in its recipe": {},
    "BERT with the prior": {"model": {"prior": True}},
    "BERT with entity swaps": {"training": {"entity_swap_probability": 0.5}},
    "BERT with the recurrent subject encoder": {"model": {"conditioning": "recurrent"}},
}
BUDGET: dict[str, Any] = {
    "save_strategy": "no",
    "eval_strategy": "no",
    "load_best_model_at_end": False,
    # An average over a hundred steps: the recipes' averages cover a thousand, more than such a run has.
    "ema_decay": 0.99,
    "tune_thresholds": False,
    "lr_scheduler_type": "linear",
    "warmup_steps": 0.1,
    "evaluate_raw": True,
    "disable_tqdm": True,
    "logging_steps": 100000,
}


def main() -> None:
    """Read the arguments, run every variant, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("train", "dev", "schema", "texts", "words", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, help="a pretrained encoder, for the variants of BERT")
    parser.add_argument("--only", action="append", metavar="NAME", help="run this variant; may be repeated")
    parser.add_argument("--train-texts", type=int, default=8000, help="number of training texts")
    parser.add_argument("--bert-texts", type=int, default=4000, help="number of training texts of the BERT variants")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--dev-texts", type=int, default=500)
    parser.add_argument("--max-characters", type=int, default=64, help="leave out texts that are longer")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)

    def read(path: Path) -> list[Example]:
        return [example for example in read_examples(path) if len(example.text) <= options.max_characters]

    train, dev = read(options.train), read(options.dev)[: options.dev_texts]
    random.Random(0).shuffle(train)
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / "ablation.json"
    results: dict[str, dict[str, float]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    variants = {**VARIANTS, **(BERT_VARIANTS if options.encoder else {})}
    if unknown := set(options.only or ()) - variants.keys():
        parser.error(f"unknown variant {min(unknown)!r}; known: {', '.join(variants)}")
    for name in options.only or variants:
        if name not in results:
            run = run_bert if name in BERT_VARIANTS else run_dgcnn
            results[name] = run(variants[name], options, train, dev)
            file.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            print(name, results[name], flush=True)
    show(results)


def run_dgcnn(
    change: dict[str, Any], options: argparse.Namespace, train: list[Example], dev: list[Example]
) -> dict[str, float]:
    """Train one variant of the DGCNN system and score it."""
    recipe = Recipe.from_file(Path(__file__).parent / "train.yaml")
    train = train[: options.train_texts]
    encoder = {**recipe.model["encoder_config"], **change.get("encoder", {})}
    fields = {**recipe.model, **change.get("model", {}), "encoder_config": encoder}
    set_seed(42)
    schema = Schema.from_file(options.schema)
    texts = [*(example.text for example in train), *read_texts(options.texts)]
    words = options.words if change.get("words", True) else None
    model, tokenizer = fresh_model(schema, texts, words, **fields)
    training = {
        **recipe.training,
        **BUDGET,
        "num_train_epochs": options.epochs,
        "per_device_train_batch_size": 32,
        **change.get("training", {}),
    }
    return train_and_score(model, tokenizer, training, options, train, dev)


def run_bert(
    change: dict[str, Any], options: argparse.Namespace, train: list[Example], dev: list[Example]
) -> dict[str, float]:
    """Train one variant of the BERT system, on six layers of the encoder, and score it."""
    recipe = Recipe.from_file(Path(__file__).parents[1] / "duie2-me5-small" / "train.yaml")
    encoder = {**recipe.model["encoder_config"], "num_hidden_layers": 6}
    fields = {**recipe.model, **change.get("model", {}), "encoder_config": encoder}
    set_seed(42)
    model = SpoForTripleExtraction.from_encoder(options.encoder, Schema.from_file(options.schema), **fields)
    training = {**recipe.training, **BUDGET, "num_train_epochs": 1, **change.get("training", {})}
    tokenizer = AutoTokenizer.from_pretrained(options.encoder)
    return train_and_score(model, tokenizer, training, options, train[: options.bert_texts], dev)


def train_and_score(
    model: SpoForTripleExtraction,
    tokenizer: Any,
    training: dict[str, Any],
    options: argparse.Namespace,
    train: list[Example],
    dev: list[Example],
) -> dict[str, float]:
    """Train a model and score it on dev, with averaged weights and with raw ones."""
    if model.config.prior:
        model.features.prior = TripleStore.from_examples(train, model.config.schema)
    arguments = Recipe(output=str(options.output / "run"), training=training).arguments(["--eval_strategy", "epoch"])
    trainer = SpoTrainer(model, arguments, train, dev, processing_class=tokenizer)
    start = time.perf_counter()
    trainer.train()
    scores = next(entry for entry in reversed(trainer.state.log_history) if "eval_f1" in entry)
    return {
        **{name: scores[f"eval_{name}"] for name in ("precision", "recall", "f1", "raw_f1")},
        "parameters": sum(weight.numel() for weight in model.parameters() if weight.requires_grad),
        "seconds": time.perf_counter() - start,
    }


def show(results: dict[str, dict[str, float]]) -> None:
    """Print the table."""
    table = Table("variant", "P", "R", "F1", "F1, EMA off", "trained parameters", "seconds")
    for name, row in results.items():
        ratios = [f"{100 * row[key]:.1f}" for key in ("precision", "recall", "f1", "raw_f1")]
        table.add_row(name, *ratios, f"{row['parameters'] / 1e6:.2f} M", f"{row['seconds']:.0f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
