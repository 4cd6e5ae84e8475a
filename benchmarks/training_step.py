"""A training step compared with forward and backward of the encoder alone, and memory over many steps.

The first part trains the packaged base model and, after each step, runs a copy of its encoder on the same token batch.
`ratio` leaves out the update of the weights on both sides: a step is data loading, collation, both passes, both losses,
the backward pass, and the work of the Trainer around them. `ratio_with_update` includes clipping, AdamW and the zeroing
of gradients on both sides, and the moving average on the side of the step.

The second part trains a smaller encoder with random weights on texts of all lengths up to 256 tokens, in a separate
process, and records the memory at intervals.
"""

import copy
import time
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch
from measuring import Row, Settings, draw, in_child, memory_mib, own_examples, packaged_schema
from rich.console import Group
from transformers import AutoTokenizer, BertConfig, PrinterCallback, TrainerCallback, TrainerState, TrainingArguments

import hf_spo
from hf_spo import SpoConfig, SpoForTripleExtraction
from hf_spo.data import read_examples
from hf_spo.model.schema import Example
from hf_spo.training import SpoTrainer, SpoTrainingArguments

TARGET = 0.85
_BATCH = 16


def measure(settings: Settings) -> list[Row]:
    """Measure the ratio in both number formats, then memory in both."""
    steps = 6 if settings.quick else 60
    ratios = [_ratio(settings.data, dtype, steps) for dtype in ("float32", "bfloat16")]
    steps, every = (40, 10) if settings.quick else (1000, 50)
    curves = [in_child(memory, settings.data, dtype, steps, every) for dtype in ("float32", "bfloat16")]
    return ratios + curves


def examples(file: Path | None, count: int, parts: tuple[int, ...] = (1, 1, 2, 2, 3, 4)) -> list[Example]:
    """Return labelled texts of a file, repeated if there are too few, or generated ones."""
    if file is None:
        return list(own_examples(count, parts=parts))
    return list(islice(cycle(read_examples(file)), count))


def _trainer(model: SpoForTripleExtraction, data: list[Example], dtype: str, steps: int, folder: str) -> "_Trainer":
    arguments = SpoTrainingArguments(
        folder,
        max_steps=steps,
        per_device_train_batch_size=_BATCH,
        learning_rate=1e-5,
        bf16=dtype == "bfloat16",
        use_cpu=True,
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    trainer = _Trainer(model, arguments, data, processing_class=AutoTokenizer.from_pretrained(hf_spo.packaged()))
    trainer.remove_callback(PrinterCallback)
    return trainer


class _Trainer(SpoTrainer):
    """Records when a step has its gradients, for which there is no callback."""

    graded_at = 0.0

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        loss = super().training_step(*args, **kwargs)
        self.graded_at = time.perf_counter()
        return loss


def _ratio(file: Path | None, dtype: str, steps: int) -> Row:
    # Eager attention: on CPUs, the backward pass of scaled_dot_product_attention is slower.
    model = SpoForTripleExtraction.from_pretrained(hf_spo.packaged(), dtype="float32", attn_implementation="eager")
    # Three epochs: all lengths occur in the first one, and a kernel's first use takes longer.
    data = examples(file, steps // 3 * _BATCH)
    with TemporaryDirectory() as folder:
        trainer = _trainer(model, data, dtype, steps, folder)
        race = _Race(trainer, dtype)
        trainer.add_callback(race)  # last, so that it measures the whole step
        trainer.train()
    turns = race.turns[steps // 3 :]
    return {
        "part": "ratio",
        "dtype": dtype,
        **{f"{name}_ms": 1e3 * median(turn[name] for turn in turns) for name in turns[0]},
        "ratio": median(turn["encoder"] / turn["step"] for turn in turns),
        "ratio_with_update": median(
            (turn["encoder"] + turn["encoder_update"]) / (turn["step"] + turn["update"]) for turn in turns
        ),
    }


class _Race(TrainerCallback):
    """Runs a copy of the encoder on the same tokens after each step."""

    def __init__(self, trainer: _Trainer, dtype: str) -> None:
        self.turns: list[dict[str, float]] = []
        self._trainer = trainer
        self._dtype = dtype
        self._encoder = copy.deepcopy(trainer.model.encoder).train()
        self._optimizer = torch.optim.AdamW(self._encoder.parameters(), lr=1e-5, fused=True)
        self._inputs: dict[str, torch.Tensor] = {}
        self._begun = self._loaded = 0.0
        trainer.model.encoder.register_forward_pre_hook(self._remember, with_kwargs=True)

    def _remember(self, _: torch.nn.Module, __: tuple[Any, ...], inputs: dict[str, torch.Tensor]) -> None:
        self._inputs = inputs

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """Start the clock of the first step."""
        self._begun = time.perf_counter()

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Record when the batch is loaded."""
        self._loaded = time.perf_counter()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Run the encoder alone, then start the clock of the next step."""
        end = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=self._dtype == "bfloat16"):
            loss = self._encoder(**self._inputs).last_hidden_state.sum()
        loss.backward()
        graded = time.perf_counter()
        torch.nn.utils.clip_grad_norm_(self._encoder.parameters(), self._trainer.args.max_grad_norm)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.turns.append(
            {
                "step": self._trainer.graded_at - self._begun,
                "loading": self._loaded - self._begun,
                "update": end - self._trainer.graded_at,
                "encoder": graded - end,
                "encoder_update": time.perf_counter() - graded,
            }
        )
        self._begun = time.perf_counter()


def memory(file: Path | None, dtype: str, steps: int, every: int) -> Row:
    """Train an encoder of four layers from random weights, and record the memory every `every` steps."""
    tokenizer = AutoTokenizer.from_pretrained(hf_spo.packaged())
    encoder = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=384,
        num_hidden_layers=4,
        num_attention_heads=12,
        intermediate_size=1536,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    config = SpoConfig(encoder_config=encoder, relations=packaged_schema().to_list(), attn_implementation="eager")
    # Up to eight parts per text, for all lengths.
    data = examples(file, steps * _BATCH, parts=tuple(range(1, 9)))
    watch = _Memory(every)
    with TemporaryDirectory() as folder:
        trainer = _trainer(SpoForTripleExtraction(config), data, dtype, steps, folder)
        trainer.model.encoder.register_forward_pre_hook(watch.remember, with_kwargs=True)
        trainer.add_callback(watch)
        trainer.train()
    half = watch.curve[len(watch.curve) // 2 :]
    return {
        "part": "memory",
        "dtype": dtype,
        "steps": steps,
        "shapes": len(watch.shapes),
        "tokens": [min(length for _, length in watch.shapes), max(length for _, length in watch.shapes)],
        "growth_in_second_half_mib": half[-1][1] - half[0][1],
        "memory_mib": watch.curve,
    }


class _Memory(TrainerCallback):
    """Records memory and the shapes of batches."""

    def __init__(self, every: int) -> None:
        self.curve: list[tuple[int, int]] = []
        self.shapes: set[tuple[int, ...]] = set()
        self._every = every

    def remember(self, _: torch.nn.Module, __: tuple[Any, ...], inputs: dict[str, torch.Tensor]) -> None:
        """Record the shape of a batch."""
        self.shapes.add(tuple(inputs["input_ids"].shape))

    def on_step_end(self, _: TrainingArguments, state: TrainerState, *__: Any, **___: Any) -> None:
        """Record the memory."""
        if state.global_step % self._every == 0:
            self.curve.append((state.global_step, memory_mib()))


def table(rows: list[Row]) -> Group:
    """Return the tables of both parts."""
    ratios = [row for row in rows if row["part"] == "ratio"]
    curves = [row for row in rows if row["part"] == "memory"]
    columns = {
        "dtype": ("dtype", "s"),
        "step_ms": ("step, ms", ".0f"),
        "loading_ms": ("loading, ms", ".1f"),
        "encoder_ms": ("encoder, ms", ".0f"),
        "ratio": ("ratio", ".2f"),
        "update_ms": ("update, ms", ".0f"),
        "encoder_update_ms": ("encoder's update, ms", ".0f"),
        "ratio_with_update": ("ratio with updates", ".2f"),
    }
    title = "Memory while training on texts of all lengths: " + "; ".join(
        f"{row['dtype']}, {row['shapes']} shapes of {row['tokens'][0]} to {row['tokens'][1]} tokens, the second half "
        f"of the steps adds {row['growth_in_second_half_mib']} MiB"
        for row in curves
    )
    steps = [step for step, _ in curves[0]["memory_mib"]]
    memory = [
        {"step": step, **{row["dtype"]: row["memory_mib"][number][1] for row in curves}}
        for number, step in enumerate(steps)
    ]
    return Group(
        draw(f"Training step compared with forward and backward of the encoder (target {TARGET})", ratios, columns),
        title,
        draw("", memory, {"step": ("step", "d"), **{row["dtype"]: (f"{row['dtype']}, MiB", "d") for row in curves}}),
    )
