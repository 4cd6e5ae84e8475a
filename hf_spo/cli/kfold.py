"""hf-spo kfold."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from ..model.fields import json_line
from .console import BadLines, say
from .options import DataFormat, SkipBadLines, command
from .sources import Encoder, Prior, SchemaFile, Texts, Train, Words
from .train import is_first_process


@command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def kfold(
    context: typer.Context,
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE.yaml", exists=True, dir_okay=False, help="What to train, and how.")
    ],
    folds: Annotated[int, typer.Option(min=2, metavar="K", help="Parts that the texts are dealt to.")] = 8,
    encoder: Encoder = None,
    train: Train = None,
    dev: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Labelled texts to choose the best weights by.",
            show_default="the recipe's, else what a fold holds out",
        ),
    ] = None,
    form: DataFormat = None,
    schema: SchemaFile = None,
    output: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="Where the folds' models go: FOLDER/fold-0, …", show_default="the recipe's"
        ),
    ] = None,
    words: Words = None,
    texts: Texts = None,
    prior: Prior = None,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Seed of the folds, and of training.", show_default="42, and the recipe's for training"
        ),
    ] = None,
    only: Annotated[
        str | None, typer.Option(metavar="N,N,…", help="Train these folds now, from 0.", show_default="all")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an earlier run stopped, inside a fold as well.")
    ] = False,
    skip_bad_lines: SkipBadLines = False,
) -> None:
    """Train K models, each on all texts but a K-th, and extract from that.

    The same recipes and training arguments as for train. FOLDER/out_of_fold.jsonl has for every text what the model
    that has not seen it finds, FOLDER/kfold.json the scores. Without --dev a fold chooses its best weights by what it
    holds out, which flatters these scores a little.

    Examples:
      hf-spo kfold recipe.yaml --folds 8 --train train.jsonl --schema schema.jsonl --output folds
      hf-spo relabel --folds folds --data train.jsonl --output clean.jsonl
      hf-spo ensemble folds/fold-* --output average
    """
    from ..training.folds import run_folds
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
            report = run_folds(
                plan,
                folds,
                [*context.args, *([] if seed is None else ["--seed", str(seed)])],
                seed=42 if seed is None else seed,
                only=None if only is None else _numbers(only),
                resume=resume,
                on_bad_line=bad_lines if skip_bad_lines else None,
            )
        finally:
            if is_first_process():
                bad_lines.write()
    except RecipeError as error:
        raise typer.BadParameter(str(error)) from None
    if is_first_process():
        say(f"hf-spo: {len(report['finished'])} of {folds} folds are finished; their models are in {plan.output}")
        typer.echo(json_line({"output": plan.output, **report}))


def _numbers(only: str) -> list[int]:
    try:
        return [int(number) for number in only.split(",")]
    except ValueError:
        raise typer.BadParameter(f"--only {only}: expected numbers of folds, such as 0,3") from None
