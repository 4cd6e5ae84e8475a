"""hf-spo."""

import logging
import sys
from pathlib import Path

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train(
    ctx: typer.Context,
    recipe: Path,
    encoder: str = None,
    train: str = None,
    dev: str = None,
    schema: str = None,
    output: str = None,
    resume: bool = False,
):
    from .training.recipe import Recipe, run_recipe

    logging.basicConfig(level=logging.INFO)
    print(
        run_recipe(
            Recipe.from_file(recipe).override(encoder=encoder, train=train, dev=dev, schema=schema, output=output),
            ctx.args,
            resume=resume,
        )
    )


@app.command()
def nothing():
    pass


def main():
    app()


if __name__ == "__main__":
    main()
