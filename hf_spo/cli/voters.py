"""The models that vote, of relabel and distill."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import say
from .models import ModelChoice
from .options import MODEL_PANEL, DType, option

if TYPE_CHECKING:
    from ..training.voting import Voter


class Votes(StrEnum):
    """Models that vote on a text."""

    ALL = "all"
    HELD_OUT = "held-out"


Models = Annotated[
    list[str] | None,
    option("A trained model. May be repeated.", "--model", "-m", panel=MODEL_PANEL, metavar="FOLDER|NAME"),
]
FoldFolders = Annotated[
    list[Path] | None,
    option(
        "All models of a kfold. May be repeated.", panel=MODEL_PANEL, metavar="FOLDER", exists=True, file_okay=False
    ),
]
VotesOption = Annotated[
    Votes,
    option(
        "Models that vote on a text: all; held-out: of each kfold, the model that was not trained on the text.",
        panel=MODEL_PANEL,
    ),
]


def model_names(models: Sequence[str] | None, folds: Sequence[Path] | None) -> list[str]:
    """Return the names of all models.

    Raises:
        typer.BadParameter: there is none.
        ValueError: a fold is not finished.
    """
    from ..training.folds import fold_models

    names = [*(models or []), *(str(path) for folder in folds or [] for path in fold_models(folder))]
    if not names:
        raise typer.BadParameter("no model given; pass --folds or --model")
    return names


def load_voters(names: Sequence[str], device: str | None, dtype: DType | None) -> Iterator["Voter"]:
    """Load one model after the other."""
    from ..model.modeling_spo import SpoForTripleExtraction
    from ..training.folds import training_texts
    from ..training.voting import Voter

    for number, name in enumerate(names, 1):
        pipe = ModelChoice(name, device, dtype).load_torch()
        if not isinstance(pipe.model, SpoForTripleExtraction):
            raise ValueError(f"{name} is an ensemble; expected a trained model: pass its members instead")
        say(f"hf-spo: model {number} of {len(names)} votes: {name}")
        yield Voter(name, pipe.model, pipe.tokenizer, training_texts(Path(name)))
