"""hf-spo ensemble."""

from pathlib import Path
from typing import Annotated

import typer

from ..model.decoding_settings import Combination
from ..model.fields import json_line
from .console import say
from .models import silence_libraries
from .options import NEW_FOLDER, command, option


@command()
def ensemble(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL…", help="Folders of trained models, or of ensembles that average.")
    ],
    output: Annotated[Path, option("Folder of the ensemble.", "--output", "-o", **NEW_FOLDER)],
    combine: Annotated[
        Combination,
        option(
            "average: mean of the probabilities, for models with the same tokenizer; union: triples that any model "
            "finds; vote: triples that enough models find."
        ),
    ] = Combination.AVERAGE,
    min_votes: Annotated[
        int | None,
        option("vote: number of models that must agree.", default="more than half", min=1, metavar="N"),
    ] = None,
) -> None:
    """Combine trained models; the folder of the ensemble is used like that of a model.

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
