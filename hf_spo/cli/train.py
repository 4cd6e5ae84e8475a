"""hf-spo train."""

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from ..model.fields import json_line
from .console import BadLines, say
from .options import DataFormat, SkipBadLines, command
from .sources import Encoder, Prior, SchemaFile, Texts, Train, Words


@command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train(
    context: typer.Context,
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE.yaml", exists=True, dir_okay=False, help="What to train, and how.")
    ],
    encoder: Encoder = None,
    train: Train = None,
    dev: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Labelled texts to choose the best weights by.", show_default="the recipe's"),
    ] = None,
    form: DataFormat = None,
    schema: SchemaFile = None,
    output: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="Where the model goes, and checkpoints.", show_default="the recipe's"),
    ] = None,
    words: Words = None,
    texts: Texts = None,
    prior: Prior = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint in the output folder.")
    ] = False,
    skip_bad_lines: SkipBadLines = False,
) -> None:
    """Fine-tune a model on labelled texts, as a recipe says.

    Any training argument of transformers may follow, and overrides the recipe: --learning-rate 1e-4 --seed 7

    Examples:
      hf-spo train recipe.yaml --train train.jsonl --dev dev.jsonl --output my-model
      hf-spo train recipe.yaml --encoder google-bert/bert-base-chinese --num-train-epochs 5
    """
    from ..training.plan import run_recipe
    from ..training.recipe import Recipe, RecipeError

    logging.getLogger("hf_spo").setLevel(logging.INFO)
    try:
        plan = Recipe.from_file(recipe).override(
            encoder=encoder,
            train=train,
            dev=dev,
            format=form,
            schema=schema,
            output=output,
            words=words,
            texts=texts,
            prior=prior,
        )
        bad_lines = BadLines(Path(plan.output or "").parent)
        try:
            metrics = run_recipe(plan, context.args, resume=resume, on_bad_line=bad_lines if skip_bad_lines else None)
        finally:
            if is_first_process():
                bad_lines.write()
    except RecipeError as error:
        raise typer.BadParameter(str(error)) from None
    if is_first_process():
        say(f"hf-spo: the model is in {plan.output}")
        typer.echo(json_line({"model": plan.output, **metrics}))


def is_first_process() -> bool:
    """Tell whether this process is the one of several that writes and prints."""
    return os.environ.get("RANK", "0") == "0"  # set by torchrun
