"""A recipe: one YAML file that says what is trained on what, and how."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import yaml
from transformers import AutoTokenizer, HfArgumentParser, set_seed
from transformers.trainer_utils import IntervalStrategy

from ..configuration_spo import SpoConfig
from ..data.reading import OnBadLine, read_examples
from ..schema import Example, Schema
from .arguments import SpoTrainingArguments
from .checkpoints import last_checkpoint
from .start import starting_model
from .trainer import SpoTrainer

logger = logging.getLogger(__name__)


class RecipeError(ValueError):
    """A recipe or an argument on the command line is wrong."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to train.

    Args:
        encoder: folder or Hub name of a pretrained encoder, or of a triple-extraction model to go on from.
        train, dev: labelled texts; without dev nothing is evaluated and the last weights are kept.
        schema: schema file; inferred from train and dev when absent.
        output: folder for checkpoints and the final model.
        model: fields of [`SpoConfig`], for an encoder; `encoder_config` and `attn_implementation` reach the encoder.
        training: fields of [`SpoTrainingArguments`].
    """

    encoder: str | None = None
    train: str | None = None
    dev: str | None = None
    schema: str | None = None
    output: str | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_file(cls, path: str | Path) -> "Recipe":
        """Read a YAML recipe.

        Raises:
            RecipeError: no YAML mapping, a key that a recipe does not have, or a value of the wrong type.
        """
        try:
            content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise RecipeError(f"{path}: no YAML: {error}") from None
        if not isinstance(content, dict):
            raise RecipeError(f"{path}: expected a mapping with keys such as encoder, train, dev, output")
        _check_keys(content, [f.name for f in fields(cls)], f"{path}")
        values = {name: value for name, value in content.items() if value is not None}
        for name, known in (("model", _MODEL_KEYS), ("training", _TRAINING_KEYS)):
            _check_keys(values.get(name, {}), known, f"{path}: {name}")
        for name in values.keys() - {"model", "training"}:
            if not isinstance(values[name], str):
                raise RecipeError(f"{path}: {name}: expected a path, got {values[name]!r}")
        return cls(**values)

    def override(self, **values: str | None) -> "Recipe":
        """Return the recipe with the given values put in; None leaves a value as it is."""
        given: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
        return replace(self, **given)

    def arguments(self, extra: Sequence[str] = ()) -> SpoTrainingArguments:
        """Build the training arguments; `extra` are words of a command line, such as `--learning_rate 1e-4`.

        Raises:
            RecipeError: an argument is unknown or its value is of the wrong type.
        """
        parser = HfArgumentParser(SpoTrainingArguments, allow_abbrev=False)  # type: ignore[arg-type]  # no subclass in its stub

        def complain(message: str) -> NoReturn:
            raise RecipeError(f"training arguments: {message}")

        parser.error = complain  # type: ignore[method-assign]  # the only hook argparse leaves for this
        parser.set_defaults(**{"output_dir": self.output, **self.training})
        try:
            arguments, unknown = parser.parse_args_into_dataclasses(list(extra), return_remaining_strings=True)
        except (ValueError, TypeError, ImportError) as error:
            raise RecipeError(f"training arguments: {error}") from None
        if unknown:
            near = get_close_matches(unknown[0].lstrip("-").replace("-", "_"), _TRAINING_KEYS, n=1)
            hint = f"; did you mean --{near[0]}?" if near else ""
            raise RecipeError(f"unknown argument {unknown[0]}{hint}")
        assert isinstance(arguments, SpoTrainingArguments)
        if arguments.output_dir != self.output:
            raise RecipeError(f"--output_dir {arguments.output_dir}: the folder to write to is given by --output")
        return arguments


def run_recipe(
    recipe: Recipe, extra: Sequence[str] = (), *, resume: bool = False, on_bad_line: OnBadLine | None = None
) -> dict[str, float]:
    """Train as a recipe says; write model, tokenizer and `training_log.json` to its output folder.

    Args:
        recipe: what to train.
        extra: further training arguments, as words of a command line.
        resume: go on from the last checkpoint in the output folder, if there is one.
        on_bad_line: see [`read_examples`].

    Returns:
        The metrics of the final model on dev; empty without dev.

    Raises:
        RecipeError: the recipe lacks a value, or has a wrong one.
    """
    for name in ("encoder", "train", "output"):
        if getattr(recipe, name) is None:
            raise RecipeError(f"nothing says what {name} is: put `{name}:` into the recipe or pass --{name}")
    assert recipe.encoder is not None
    assert recipe.train is not None
    assert recipe.output is not None
    arguments = recipe.arguments(extra)
    checkpoint = last_checkpoint(recipe.output)
    if checkpoint and not resume:
        raise RecipeError(f"{recipe.output} holds {checkpoint.name} of an earlier run: pass --resume or a new --output")
    train = _examples(recipe.train, on_bad_line)
    dev = None if recipe.dev is None else _examples(recipe.dev, on_bad_line)
    strategy = IntervalStrategy(arguments.eval_strategy)
    if dev is None and strategy != IntervalStrategy.NO:
        raise RecipeError(f"eval_strategy is {strategy.value}, but nothing says what dev is: pass --dev")
    schema = Schema.from_file(recipe.schema) if recipe.schema else Schema.infer([*train, *(dev or [])])
    logger.info("%r, %d texts to train on, %d to evaluate on", schema, len(train), len(dev or []))
    set_seed(arguments.seed)  # fresh heads are random
    trainer = SpoTrainer(
        starting_model(recipe.encoder, schema, **recipe.model),
        arguments,
        train,
        dev,
        processing_class=AutoTokenizer.from_pretrained(recipe.encoder),
    )
    if checkpoint:
        logger.info("going on from %s", checkpoint)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    trainer.save_model(recipe.output)
    metrics = trainer.evaluate() if dev else {}
    if trainer.is_world_process_zero():
        log = {"final": metrics, "history": trainer.state.log_history}
        text = json.dumps(log, ensure_ascii=False, indent=1)
        (Path(recipe.output) / "training_log.json").write_text(text + "\n", encoding="utf-8")
    return metrics


def _examples(path: str, on_bad_line: OnBadLine | None) -> list[Example]:
    examples = list(read_examples(path, on_bad_line))
    if not examples:
        raise RecipeError(f"{path} holds no example")
    return examples


_MODEL_KEYS = [*(f.name for f in fields(SpoConfig)), "attn_implementation"]
_TRAINING_KEYS = [f.name for f in fields(SpoTrainingArguments) if f.name != "output_dir"]


def _check_keys(content: Any, known: Sequence[str], where: str) -> None:
    if not isinstance(content, Mapping):
        raise RecipeError(f"{where}: expected a mapping, got {type(content).__name__}")
    for key in content:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            raise RecipeError(
                f"{where}: unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else f"; known: {known}")
            )
