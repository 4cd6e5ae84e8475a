"""hf-spo train."""

import logging
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ..model.fields import json_line
from .console import BadLines, say
from .options import DataFormat, SkipBadLines, command, option

if TYPE_CHECKING:
    from ..training.recipe import Recipe

RecipeFile = Annotated[
    Path, typer.Argument(metavar="RECIPE.yaml", exists=True, dir_okay=False, help="What to train, and how.")
]


def _source(text: str, default: str = "the recipe's", metavar: str = "FILE", *names: str) -> Any:
    return option(text, *names, default=default, metavar=metavar)


@dataclass(frozen=True, slots=True)
class RecipeOptions:
    """Entries of a recipe that the command line overrides."""

    PANEL: ClassVar = "Recipe"

    encoder: Annotated[
        str | None,
        _source("Pretrained encoder to start from; base or lite continues from that model.", metavar="FOLDER|NAME"),
    ] = None
    train: Annotated[str | None, _source("Labelled texts to train on.")] = None
    dev: Annotated[
        str | None, _source("Labelled texts that choose the best weights.", "the recipe's; kfold: the held-out texts")
    ] = None
    dev_share: Annotated[
        float | None,
        _source("Without --dev, the share of the training texts to hold out as dev, such as 0.2.", metavar="SHARE"),
    ] = None
    format: DataFormat = None
    schema: Annotated[
        str | None, _source("Relations to extract.", "the recipe's, else all relations of the training texts")
    ] = None
    output: Annotated[
        str | None,
        _source(
            "Folder for the model and its checkpoints; kfold writes fold-0, fold-1, … into it.",
            "the recipe's", "FOLDER", "--output", "-o",
        ),
    ] = None  # fmt: skip
    words: Annotated[
        str | None, _source("Word vectors in word2vec's text format, for an encoder with random weights.")
    ] = None
    texts: Annotated[
        str | None, _source("Unlabelled texts; an encoder with random weights takes its vocabulary from them, too.")
    ] = None
    prior: Annotated[
        str | None,
        _source(
            "Known triples (.tsv or .jsonl), for a model with a prior.",
            "the recipe's, else from the training texts",
        ),
    ] = None


@command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train(
    context: typer.Context,
    recipe: RecipeFile,
    overrides: RecipeOptions,
    resume: Annotated[bool, option("Continue from the last checkpoint in the output folder.", "--resume")] = False,
    skip_bad_lines: SkipBadLines = False,
) -> None:
    """Fine-tune a model on labelled texts, as a recipe says.

    Any training argument of transformers may follow, and overrides the recipe: --learning-rate 1e-4 --seed 7

    Examples:
      hf-spo train recipe.yaml --train train.jsonl --dev dev.jsonl --output my-model
      hf-spo train recipe.yaml --encoder google-bert/bert-base-chinese --num-train-epochs 5
    """
    from ..training.plan import run_recipe

    def work(plan: "Recipe", bad_lines: BadLines | None) -> dict[str, Any]:
        return run_recipe(plan, context.args, resume=resume, on_bad_line=bad_lines)

    plan, metrics = train_by_recipe(recipe, overrides, skip_bad_lines, work)
    if is_first_process():
        say(f"hf-spo: the model is in {plan.output}")
        typer.echo(json_line({"model": plan.output, **metrics}))


def train_by_recipe(
    path: Path,
    overrides: RecipeOptions,
    skip_bad_lines: bool,
    work: Callable[["Recipe", BadLines | None], dict[str, Any]],
) -> tuple["Recipe", dict[str, Any]]:
    """Read a recipe and train by it; return the recipe as it was overridden, and what `work` returns.

    Libraries print progress to stdout; it goes to stderr, so that stdout holds JSON alone.

    Raises:
        typer.BadParameter: the recipe or a training argument is wrong.
    """
    from ..training.recipe import Recipe, RecipeError

    logging.getLogger("hf_spo").setLevel(logging.INFO)
    try:
        plan = Recipe.from_file(path).override(**asdict(overrides))
        bad_lines = BadLines(Path(plan.output or "").parent)
        try:
            with redirect_stdout(sys.stderr):
                report = work(plan, bad_lines if skip_bad_lines else None)
        finally:
            if is_first_process():
                bad_lines.write()
    except RecipeError as error:
        raise typer.BadParameter(str(error)) from None
    return plan, report


def is_first_process() -> bool:
    """Tell whether this process is the one of several that writes and prints."""
    return os.environ.get("RANK", "0") == "0"  # set by torchrun
