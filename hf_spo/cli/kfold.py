"""hf-spo kfold."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..model.fields import json_line
from .console import BadLines, say
from .options import SkipBadLines, command, option
from .train import RecipeFile, RecipeOptions, is_first_process, train_by_recipe

if TYPE_CHECKING:
    from ..training.recipe import Recipe


def _fold_numbers(value: str) -> list[int]:
    try:
        return [int(number) for number in value.split(",")]
    except ValueError:
        raise typer.BadParameter(f"--only {value}: expected numbers of folds, such as 0,3") from None


@command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def kfold(
    context: typer.Context,
    recipe: RecipeFile,
    overrides: RecipeOptions,
    folds: Annotated[int, option("Number of folds.", min=2, metavar="K")] = 8,
    seed: Annotated[
        int | None, option("Seed of the folds and of training.", default="42; training: the recipe's", metavar="N")
    ] = None,
    only: Annotated[
        str | None, option("Train only these folds now; the first is 0.", default="all", metavar="N,N,…")
    ] = None,
    resume: Annotated[bool, option("Continue where an earlier run stopped, also within a fold.", "--resume")] = False,
    skip_bad_lines: SkipBadLines = False,
) -> None:
    """Train K models by cross-validation: each leaves out one fold of the texts, and extracts from it.

    Recipes and training arguments are those of train. FOLDER/out_of_fold.jsonl has the triples of every text, found by
    the model that was not trained on it; FOLDER/kfold.json has the scores. Without --dev, a fold chooses its best
    weights on its held-out texts, which makes these scores a little too high.

    Examples:
      hf-spo kfold recipe.yaml --folds 8 --train train.jsonl --schema schema.jsonl --output folds
      hf-spo relabel --folds folds --data train.jsonl --output clean.jsonl
      hf-spo ensemble folds/fold-* --output average
    """
    from ..training.folds import run_folds

    def work(plan: "Recipe", bad_lines: BadLines | None) -> dict[str, Any]:
        return run_folds(
            plan,
            folds,
            [*context.args, *([] if seed is None else ["--seed", str(seed)])],
            seed=42 if seed is None else seed,
            only=None if only is None else _fold_numbers(only),
            resume=resume,
            on_bad_line=bad_lines,
        )

    plan, report = train_by_recipe(recipe, overrides, skip_bad_lines, work)
    if is_first_process():
        say(f"hf-spo: {len(report['finished'])} of {folds} folds are finished; their models are in {plan.output}")
        typer.echo(json_line({"output": plan.output, **report}))
