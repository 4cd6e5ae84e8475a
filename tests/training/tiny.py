"""Runs on eight sentences, for tests in this process and in others.

python tiny.py train OUTPUT KILL_AT    train, or go on, and die at an optimizer step
torchrun … tiny.py evaluate OUTPUT     write the figures of every process's evaluation
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
from transformers import TrainerCallback

from hf_spo import Example
from hf_spo.training import SpoTrainer, SpoTrainingArguments
from tests import builders

TEXTS = [*builders.EXAMPLES, Example("今天天气很好"), Example("《雪国》")]


def model(**encoder: Any) -> Any:
    """Return a tiny model with dropout, so that the state of random generators matters."""
    config = builders.encoder_config(vocab_size=len(builders.wordpiece_tokenizer()), size=32)
    config.update({"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, **encoder})
    return builders.spo_model(config)


def trainer(output: Any, start: Any = None, train: Any = TEXTS, dev: Any = None, **settings: Any) -> SpoTrainer:
    """Return a trainer; `settings` are training arguments or, of these names, arguments of the trainer."""
    own = {name: settings.pop(name) for name in ("callbacks", "compute_metrics") if name in settings}
    defaults = {
        "use_cpu": True,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-3,
        "save_strategy": "no",
        "disable_tqdm": True,
        "logging_steps": 100,
        "pad_to_multiple_of": 8,
        "training_curves": False,  # which take a second
        "context_packing": 0.0,
        "tune_thresholds": False,  # so that an evaluation after training gives what those in training gave
    }
    arguments = SpoTrainingArguments(str(output), **{**defaults, **settings})
    return SpoTrainer(start or model(), arguments, train, dev, processing_class=builders.wordpiece_tokenizer(), **own)


class KillAt(TrainerCallback):
    """Dies as a machine does, in the middle of an epoch, without a chance to clean up."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


RESUMABLE = {
    "num_train_epochs": 3,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 2,
    "subjects_per_example": 2,
    "ema_decay": 0.9,
    "save_strategy": "steps",
    "save_steps": 3,
    "eval_strategy": "steps",
    "eval_steps": 2,
}
"""Five optimizer steps an epoch, checkpoints at 3, 6, 9, 12 and 15: inside epochs, and at the last one's end."""


def train(output: str, resume: bool, kill_at: int | None = None) -> SpoTrainer:
    """Train, or go on; every process starts from other random numbers than the last."""
    callbacks = [] if kill_at is None else [KillAt(kill_at)]
    run = trainer(output, dev=TEXTS[:3], callbacks=callbacks, **RESUMABLE)
    run.train(resume_from_checkpoint=resume)
    return run


def evaluate(output: str) -> None:
    """Evaluate on 10 texts, which two processes cannot share evenly with batches of 4, and on 3."""
    from hf_spo import SpoForTripleExtraction

    start = SpoForTripleExtraction.from_pretrained(os.environ["TRAINED"])
    run = trainer(output, start=start, dev={"all": TEXTS, "few": TEXTS[:3]}, per_device_eval_batch_size=1)
    metrics = run.evaluate()
    predictions = run.predict(TEXTS).predictions
    kept = {name: value for name, value in metrics.items() if name.endswith(("precision", "recall", "f1"))}
    counts = [len(triples) for triples in predictions]
    rank = os.environ.get("RANK", "0")
    Path(output, f"figures-{rank}.json").write_text(json.dumps({"metrics": kept, "counts": counts}))


if __name__ == "__main__":
    if sys.argv[1] == "train":
        train(sys.argv[2], resume=any(Path(sys.argv[2]).glob("checkpoint-*")), kill_at=int(sys.argv[3]))
    else:
        evaluate(sys.argv[2])
