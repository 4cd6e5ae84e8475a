"""Options that say what a recipe is trained on; those of `train` and `kfold`."""

from typing import Annotated

import typer

Encoder = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER|NAME",
        help="Pretrained encoder to start from; base or lite goes on from a model of the package.",
        show_default="the recipe's",
    ),
]
Train = Annotated[
    str | None, typer.Option(metavar="FILE", help="Labelled texts to train on.", show_default="the recipe's")
]
SchemaFile = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Relations to extract.", show_default="the recipe's, else those of the data"),
]
Words = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Table of word vectors in word2vec's format, for an encoder that starts at random.",
        show_default="the recipe's",
    ),
]
Texts = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Unlabelled texts, from which such an encoder also takes characters and words.",
        show_default="the recipe's",
    ),
]
Prior = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Known triples, .tsv or .jsonl, for a model that reads them.",
        show_default="the recipe's, else those of the texts trained on",
    ),
]
