"""Training by a recipe: its data, its stages one after the other, its output files."""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from transformers import AutoTokenizer, set_seed
from transformers.trainer_utils import IntervalStrategy

from ..data.reading import read_examples, read_texts
from ..data.splitting import Split
from ..loading.locations import find_model
from ..model.fields import json_line
from ..model.modeling_spo import SpoForTripleExtraction
from ..model.schema import Example, Schema
from ..model.triple_store import TripleStore
from ..support.files import whole_file
from ..support.locks import only_writer
from ..support.unreadable import OnUnreadable
from .arguments import SpoTrainingArguments
from .checkpoints import last_checkpoint
from .recipe import Recipe, RecipeError
from .start import fresh_model, starting_model
from .trainer import SpoTrainer

logger = logging.getLogger(__name__)


def run_recipe(
    recipe: Recipe, extra: Sequence[str] = (), *, resume: bool = False, on_bad_line: OnUnreadable | None = None
) -> dict[str, float]:
    """Train by a recipe; write model, tokenizer and `training_log.json` to its output folder.

    Args:
        recipe: the recipe.
        extra: further training arguments, as words of a command line.
        resume: resume from the last checkpoint in the output folder, if there is one.
        on_bad_line: see [`read_examples`].

    Returns:
        The metrics of the final model on dev; empty without dev.

    Raises:
        BlockingIOError: another run writes to the output folder.
        RecipeError: the recipe lacks a value, or has a wrong one.
    """
    plan = Plan.make(recipe, extra, resume=resume)
    plan.check_dev(recipe.has_dev)
    if not recipe.has_dev:
        logger.warning(
            "no dev set: nothing is evaluated, the last weights are kept, thresholds stay as they are. --dev-share 0.2 "
            "holds out a fifth of the training texts; `hf-spo kfold` scores every text by a model that did not see it"
        )
    with writing_to(Path(str(recipe.output))):
        plan.check_earlier_run()
        return plan.train(TrainingData.read(recipe, on_bad_line))


def writing_to(folder: Path) -> AbstractContextManager[None]:
    """Lock a folder against other runs; the first process does it for all processes of this run."""
    return only_writer(folder) if os.environ.get("RANK", "0") == "0" else nullcontext()  # set by torchrun


LOG_FILE = "training_log.json"
"""The last file of a run: where it exists, the model is trained."""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The data of a recipe's files, or a part of them.

    Args:
        train, dev: labelled texts.
        texts: texts whose characters and words a fresh encoder knows: those of train, and others.
        schema: the relations to extract.
        known: triples for a prior; default: those of train.
    """

    train: Sequence[Example]
    dev: Sequence[Example] | None
    texts: Sequence[str]
    schema: Schema
    known: TripleStore | None

    @classmethod
    def read(cls, recipe: Recipe, on_bad_line: OnUnreadable | None = None) -> "TrainingData":
        """Read a recipe's files.

        Raises:
            RecipeError: a file has no example, or `dev_share` leaves no text for training or for dev.
        """
        train = [
            _annotated(example, recipe.annotated_predicates.get(path))
            for path in recipe.train_files
            for example in _examples(path, recipe.format, on_bad_line)
        ]
        dev = None if recipe.dev is None else _examples(recipe.dev, recipe.format, on_bad_line)
        if recipe.dev_share is not None:
            train, dev = _held_out(train, recipe.dev_share)
        more = read_texts(recipe.texts, on_bad_line) if recipe.texts else ()
        schema = Schema.from_file(recipe.schema) if recipe.schema else Schema.infer([*train, *(dev or [])])
        known = TripleStore.from_file(recipe.prior, schema) if recipe.prior else None
        return cls(train, dev, [*(example.text for example in train), *more], schema, known)

    def prior(self) -> TripleStore:
        """Return the known triples of a model with a prior: the given ones, or those of the training texts."""
        store = TripleStore.from_examples(self.train, self.schema) if self.known is None else self.known
        logger.info("the prior knows %d triples", len(store))
        return store


@dataclass(frozen=True, slots=True)
class Plan:
    """A recipe's stages with their training arguments, checked before data are read."""

    recipe: Recipe
    stages: Sequence[tuple[Recipe, SpoTrainingArguments]]
    resume: bool

    @classmethod
    def make(cls, recipe: Recipe, extra: Sequence[str] = (), *, resume: bool = False) -> "Plan":
        """Check a recipe, see [`run_recipe`].

        Raises:
            RecipeError: a value is missing or wrong.
        """
        recipe.check_sources()
        stages = [recipe.stage(number) for number in range(len(recipe.stages))]
        plan = cls(recipe, [(stage, stage.arguments(extra)) for stage in stages], resume)
        for _, arguments in plan.stages[:-1]:
            arguments.tune_thresholds = False  # the next stage changes the probabilities
        return plan

    def check_earlier_run(self) -> None:
        """Check that the output folder has no checkpoint, unless the run resumes.

        Raises:
            RecipeError: it has one.
        """
        for stage, _ in self.stages:
            checkpoint = last_checkpoint(str(stage.output))
            if checkpoint and not self.resume:
                raise RecipeError(
                    f"{stage.output} has {checkpoint.name} of an earlier run: pass --resume or a new --output"
                )

    def check_dev(self, has_dev: bool) -> None:
        """Check that there are evaluation texts if a stage evaluates.

        Raises:
            RecipeError: there are none.
        """
        if not has_dev and self.evaluation != IntervalStrategy.NO:
            raise RecipeError(
                f"eval_strategy is {self.evaluation.value}, but the recipe has no dev: pass --dev, or --dev-share 0.2"
            )

    @property
    def evaluation(self) -> IntervalStrategy:
        """The evaluation strategy of the first stage that evaluates; NO if none does."""
        strategies = [IntervalStrategy(arguments.eval_strategy) for _, arguments in self.stages]
        return next((strategy for strategy in strategies if strategy != IntervalStrategy.NO), IntervalStrategy.NO)

    def train(self, data: TrainingData) -> dict[str, float]:
        """Train stage after stage, see [`run_recipe`].

        Raises:
            RecipeError: a stage evaluates, and there is no dev.
        """
        self.check_dev(data.dev is not None)
        logger.info("%r, %d texts to train on, %d to evaluate on", data.schema, len(data.train), len(data.dev or []))
        previous: str | None = None
        metrics: dict[str, float] = {}
        for number, (stage, arguments) in enumerate(self.stages, 1):
            log = Path(str(stage.output)) / LOG_FILE
            if self.resume and len(self.stages) > 1 and log.exists():
                logger.info("stage %d is done", number)
                metrics = json.loads(log.read_text(encoding="utf-8"))["final"]
            else:
                metrics = _train(stage, arguments, data, previous)
            previous = stage.output
        if len(self.stages) > 1 and PartialState().is_main_process:
            output = Path(str(self.recipe.output))
            SpoForTripleExtraction.from_pretrained(previous, dtype=torch.float32).save_pretrained(output)
            AutoTokenizer.from_pretrained(previous).save_pretrained(output)
            logs = [
                json.loads((Path(str(stage.output)) / LOG_FILE).read_text(encoding="utf-8")) for stage, _ in self.stages
            ]
            write_json({"final": metrics, "stages": logs}, output / LOG_FILE)
            self._draw_curves([log["history"] for log in logs], output)
        return metrics

    def _draw_curves(self, histories: list[list[dict[str, Any]]], output: Path) -> None:
        """Draw the curves of all stages as one; each stage has drawn its own."""
        _, arguments = self.stages[-1]
        if arguments.training_curves:
            with suppress(ImportError):  # which the trainer has logged
                from .curves import write_curves

                metric, greater = arguments.metric_for_best_model or "f1", arguments.greater_is_better is not False
                write_curves(histories, output, metric, greater)


def _train(
    recipe: Recipe, arguments: SpoTrainingArguments, data: TrainingData, previous: str | None
) -> dict[str, float]:
    """Train one stage, from the model of the previous stage if there is one; write model, tokenizer and log."""
    assert recipe.output is not None
    set_seed(arguments.seed)  # fresh weights are random
    tokenizer: Any
    if previous is not None:
        model, tokenizer = starting_model(previous, data.schema), AutoTokenizer.from_pretrained(previous)
    elif recipe.encoder is not None:
        start = find_model(recipe.encoder)
        model = starting_model(start, data.schema, **recipe.model)
        tokenizer = AutoTokenizer.from_pretrained(start)
    else:
        model, tokenizer = fresh_model(data.schema, data.texts, recipe.words, **recipe.model)
    model.features.prior = data.prior() if recipe.model.get("prior") else None
    trainer = SpoTrainer(model, arguments, data.train, data.dev, processing_class=tokenizer)
    checkpoint = last_checkpoint(recipe.output)
    if checkpoint:
        logger.info("resuming from %s", checkpoint)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    trainer.save_model(recipe.output)
    trainer.accelerator.wait_for_everyone()  # the next stage starts from it in every process
    metrics = trainer.evaluate() if data.dev else {}
    if trainer.is_world_process_zero():
        tuning = {"tuning": trainer.tuning.to_dict()} if trainer.tuning else {}
        log = {"final": metrics, **tuning, "history": trainer.state.log_history}
        write_json(log, Path(recipe.output) / LOG_FILE)
    return metrics


def _held_out(examples: Sequence[Example], share: float) -> tuple[list[Example], list[Example]]:
    """Divide labelled texts into training and dev, see [`Split`]."""
    split = Split((1 - share, share))
    parts: dict[str, list[Example]] = {part: [] for part in split.parts}
    for example in examples:
        parts[split.part(example.text)].append(example)
    train, dev = parts.values()
    if not (train and dev):
        raise RecipeError(
            f"dev_share={share} of {len(examples)} texts leaves {len(train)} to train on and {len(dev)} for dev"
        )
    return train, dev


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write a JSON file, completely or not at all."""
    with whole_file(path) as file:
        file.write(json_line(content, indent=1) + "\n")


def _annotated(example: Example, predicates: Sequence[str] | None) -> Example:
    """Set the annotated predicates that a recipe gives for a file; a row's own ones take precedence."""
    if predicates is None or example.annotated_predicates is not None:
        return example
    return replace(example, annotated_predicates=tuple(predicates))


def _examples(path: str, form: str | None, on_bad_line: OnUnreadable | None) -> list[Example]:
    examples = list(read_examples(path, on_bad_line, form))
    if not examples:
        raise RecipeError(f"{path} has no example")
    return examples
