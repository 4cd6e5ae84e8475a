"""hf-spo ensemble."""

from pathlib import Path
from typing import Annotated

import typer

from ..model.decoding_settings import Combination
from ..model.fields import json_line
from .console import say
from .models import silence_libraries
from .options import command


@command()
def ensemble(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL…", help="Folders of trained models, or of averages made of them.")
    ],
    output: Annotated[Path, typer.Option(metavar="FOLDER", file_okay=False, help="Where the ensemble goes.")],
    combine: Annotated[
        Combination,
        typer.Option(
            help="average: probabilities, of models with one tokenizer; union: triples that any model finds; vote: "
            "triples that enough models find."
        ),
    ] = Combination.AVERAGE,
    min_votes: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Models that have to agree, for vote.", show_default="more than half"),
    ] = None,
) -> None:
    """Put trained models together; the ensemble's folder is used like a model's.

    Examples:
      hf-spo ensemble runs/plain/fold-* --output average
      hf-spo ensemble average other-average --combine union --output united
      hf-spo extract --model united 《战狼2》的导演是吴京。
    """
    from ..model.modeling_ensemble import SpoEnsemble

    if output.exists() and any(output.iterdir()):
        raise typer.BadParameter(f"{output} is not empty; give another folder")
    if min_votes is not None and combine != Combination.VOTE:
        raise typer.BadParameter(f"--min-votes is for --combine vote, not {combine}")
    silence_libraries()
    built = SpoEnsemble.from_models(models, combine.value, min_votes)
    built.save_pretrained(output)
    groups = [len(group) for group in built.groups]
    say(f"hf-spo: an ensemble of {sum(groups)} models is in {output}")
    typer.echo(json_line({"model": str(output), "combination": combine.value, "models": groups}))
