"""A recipe: one YAML file that says what is trained on what, and how."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import torch
import yaml
from accelerate import PartialState
from transformers import AutoTokenizer, HfArgumentParser, set_seed
from transformers.trainer_utils import IntervalStrategy

from ..configuration_spo import SpoConfig
from ..data.reading import OnBadLine, read_examples, read_texts
from ..modeling_spo import SpoForTripleExtraction
from ..schema import Example, Schema
from ..triple_store import TripleStore
from .arguments import SpoTrainingArguments
from .checkpoints import last_checkpoint
from .start import fresh_model, starting_model
from .trainer import SpoTrainer

logger = logging.getLogger(__name__)


class RecipeError(ValueError):
    """A recipe or an argument on the command line is wrong."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to train.

    Args:
        encoder: folder or Hub name of a pretrained encoder, or of a triple-extraction model to go on from; without it,
            `model` names the type of an encoder that starts at random: `encoder_config: {model_type: dgcnn}`.
        train, dev: labelled texts; without dev nothing is evaluated and the last weights are kept.
        schema: schema file; inferred from train and dev when absent.
        output: folder for checkpoints and the final model.
        words: table of word vectors, for a fresh encoder that takes words.
        texts: unlabelled texts; a fresh encoder's characters and words are also taken from them.
        prior: known triples, see [`TripleStore.from_file`], for models with `prior: true`; default: those of train.
        model: fields of [`SpoConfig`], for an encoder; `encoder_config` and `attn_implementation` reach the encoder.
        training: fields of [`SpoTrainingArguments`].
        stages: more of these fields, a mapping a stage: each stage but the first goes on from the best model of the one
            before, with a fresh optimizer. One stage with no more fields, by default.
    """

    encoder: str | None = None
    train: str | None = None
    dev: str | None = None
    schema: str | None = None
    output: str | None = None
    words: str | None = None
    texts: str | None = None
    prior: str | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    stages: Sequence[Mapping[str, Any]] = ({},)

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
        stages = values.get("stages", [{}])
        if not isinstance(stages, list) or not stages:
            raise RecipeError(f"{path}: stages: expected a list of mappings, one a stage, got {stages!r}")
        for number, stage in enumerate(stages, 1):
            _check_keys(stage, _TRAINING_KEYS, f"{path}: stage {number}")
        for name in values.keys() - {"model", "training", "stages"}:
            if not isinstance(values[name], str):
                raise RecipeError(f"{path}: {name}: expected a path, got {values[name]!r}")
        return cls(**values)

    def override(self, **values: str | None) -> "Recipe":
        """Return the recipe with the given values put in; None leaves a value as it is."""
        given: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
        return replace(self, **given)

    def stage(self, number: int) -> "Recipe":
        """Return one stage as a recipe of its own, which writes into a folder in the whole one's output."""
        assert self.output is not None
        training = {**self.training, **self.stages[number]}
        output = str(Path(self.output) / f"stage-{number + 1}") if len(self.stages) > 1 else self.output
        return replace(self, training=training, stages=({},), output=output)

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
    _check_sources(recipe)
    stages = [recipe.stage(number) for number in range(len(recipe.stages))]
    plans = [stage.arguments(extra) for stage in stages]
    for stage in stages:
        assert stage.output is not None
        checkpoint = last_checkpoint(stage.output)
        if checkpoint and not resume:
            raise RecipeError(
                f"{stage.output} holds {checkpoint.name} of an earlier run: pass --resume or a new --output"
            )
    data = _Data.read(recipe, on_bad_line)
    for arguments in plans:
        strategy = IntervalStrategy(arguments.eval_strategy)
        if data.dev is None and strategy != IntervalStrategy.NO:
            raise RecipeError(f"eval_strategy is {strategy.value}, but nothing says what dev is: pass --dev")
    previous: str | None = None
    metrics: dict[str, float] = {}
    for number, (stage, arguments) in enumerate(zip(stages, plans, strict=True), 1):
        assert stage.output is not None
        log = Path(stage.output) / LOG_FILE
        if resume and len(stages) > 1 and log.exists():
            logger.info("stage %d is done", number)
            metrics = json.loads(log.read_text(encoding="utf-8"))["final"]
        else:
            metrics = _train(stage, arguments, data, previous)
        previous = stage.output
    if len(stages) > 1 and PartialState().is_main_process:
        assert recipe.output is not None
        SpoForTripleExtraction.from_pretrained(previous, dtype=torch.float32).save_pretrained(recipe.output)
        AutoTokenizer.from_pretrained(previous).save_pretrained(recipe.output)
        logs = [json.loads((Path(stage.output or "") / LOG_FILE).read_text(encoding="utf-8")) for stage in stages]
        _write_log({"final": metrics, "stages": logs}, recipe.output)
    return metrics


LOG_FILE = "training_log.json"


def _check_sources(recipe: Recipe) -> None:
    """Check that a recipe says where its data and its encoder come from."""
    fresh = "model_type" in (recipe.model.get("encoder_config") or {})
    for name in ("train", "output") if fresh else ("encoder", "train", "output"):
        if getattr(recipe, name) is None:
            raise RecipeError(f"nothing says what {name} is: put `{name}:` into the recipe or pass --{name}")
    if fresh and recipe.encoder is not None:
        raise RecipeError(
            "the model's encoder_config has a model_type, so its encoder starts at random; give no encoder"
        )
    if not fresh and (recipe.words or recipe.texts):
        raise RecipeError(
            "words and texts are for an encoder that starts at random, given by a model_type in the recipe"
        )
    if recipe.prior and not recipe.model.get("prior"):
        raise RecipeError("the model reads no known triples, so prior is of no use; put `prior: true` under `model:`")


@dataclass(frozen=True, slots=True)
class _Data:
    """What a recipe's files hold."""

    train: list[Example]
    dev: list[Example] | None
    texts: list[str]
    schema: Schema
    prior: TripleStore | None

    @classmethod
    def read(cls, recipe: Recipe, on_bad_line: OnBadLine | None) -> "_Data":
        assert recipe.train is not None
        train = _examples(recipe.train, on_bad_line)
        dev = None if recipe.dev is None else _examples(recipe.dev, on_bad_line)
        texts = list(read_texts(recipe.texts, on_bad_line)) if recipe.texts else []
        schema = Schema.from_file(recipe.schema) if recipe.schema else Schema.infer([*train, *(dev or [])])
        logger.info("%r, %d texts to train on, %d to evaluate on", schema, len(train), len(dev or []))
        prior = None
        if recipe.model.get("prior"):
            # Of what is trained on alone: what dev states must not be known.
            known = recipe.prior
            prior = TripleStore.from_file(known, schema) if known else TripleStore.from_examples(train, schema)
            logger.info("the prior knows %d triples", len(prior))
        return cls(train, dev, texts, schema, prior)


def _train(recipe: Recipe, arguments: SpoTrainingArguments, data: _Data, previous: str | None) -> dict[str, float]:
    """Run one stage, from the model of the previous one if there is one; write model, tokenizer and log."""
    assert recipe.output is not None
    set_seed(arguments.seed)  # fresh weights are random
    tokenizer: Any
    if previous is not None:
        model, tokenizer = starting_model(previous, data.schema), AutoTokenizer.from_pretrained(previous)
    elif recipe.encoder is not None:
        model = starting_model(recipe.encoder, data.schema, **recipe.model)
        tokenizer = AutoTokenizer.from_pretrained(recipe.encoder)
    else:
        texts = [*(example.text for example in data.train), *data.texts]
        model, tokenizer = fresh_model(data.schema, texts, recipe.words, **recipe.model)
    model.features.prior = data.prior
    trainer = SpoTrainer(model, arguments, data.train, data.dev, processing_class=tokenizer)
    checkpoint = last_checkpoint(recipe.output)
    if checkpoint:
        logger.info("going on from %s", checkpoint)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    trainer.save_model(recipe.output)
    metrics = trainer.evaluate() if data.dev else {}
    if trainer.is_world_process_zero():
        _write_log({"final": metrics, "history": trainer.state.log_history}, recipe.output)
    return metrics


def _write_log(log: dict[str, Any], folder: str) -> None:
    text = json.dumps(log, ensure_ascii=False, indent=1)
    (Path(folder) / LOG_FILE).write_text(text + "\n", encoding="utf-8")


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
