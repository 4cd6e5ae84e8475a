"""hf-spo compare."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..metrics import Difference, Match, TripleScorer, judge, text_counts
from ..metrics import compare as compare_counts
from ..model.fields import json_line
from ..model.schema import Example
from .console import is_terminal, printable
from .options import LABELLED, AsJson, DataFormat, command
from .predictions import read_labelled, read_predictions


@command()
def compare(
    first: Annotated[
        Path,
        typer.Argument(metavar="A.jsonl", exists=True, dir_okay=False, help="Predictions, as extract writes them."),
    ],
    second: Annotated[
        Path,
        typer.Argument(metavar="B.jsonl", exists=True, dir_okay=False, help="Other predictions of the same texts."),
    ],
    data: Annotated[Path, typer.Option(help="The same texts, labelled.", **LABELLED)],
    match: Annotated[Match, typer.Option(help="When a triple is right: strict, span or full.")] = Match.STRICT,
    samples: Annotated[int, typer.Option(min=1, metavar="N", help="Samples to draw for each test.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of the samples.")] = 0,
    form: DataFormat = None,
    as_json: AsJson = None,
) -> None:
    """Test whether two models differ by more than chance, from what each predicted for the same texts.

    The interval of the difference is from a paired bootstrap over texts, the p-value from approximate randomisation.

    Examples:
      hf-spo compare base.jsonl lite.jsonl --data dev.jsonl
    """
    if match == Match.LENIENT:
        raise typer.BadParameter("--match lenient takes a model's tokenizer, and files of predictions have no model")
    examples = read_labelled(data, form=form)
    found = compare_counts(_counts(first, examples, match), _counts(second, examples, match), samples, seed)
    if is_terminal(sys.stdout) if as_json is None else not as_json:
        Console().print(_table(found, first, second))
        return
    typer.echo(
        json_line(
            {
                "first": str(first),
                "second": str(second),
                "data": str(data),
                "texts": len(examples),
                "match": match.value,
                "samples": samples,
                **{name: difference.to_dict() for name, difference in found.items()},
            }
        )
    )


def _counts(path: Path, examples: Sequence[Example], match: Match) -> np.ndarray:
    scorer = TripleScorer(match)
    predictions = read_predictions(path, examples)
    return text_counts(judge(*pair, scorer) for pair in zip(examples, predictions, strict=True))


def _table(found: dict[str, Difference], first: Path, second: Path) -> Table:
    table = Table(header_style="bold cyan", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.caption = printable(f"A: {first}  B: {second}")
    headings: list[Any] = ["", "A", "B", "B − A", "95 % interval", "p", "B ahead"]
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left")
    for name, difference in found.items():
        table.add_row(
            "F1" if name == "f1" else name,
            f"{difference.first:.4f}",
            f"{difference.second:.4f}",
            f"{difference.difference:+.4f}",
            f"{difference.interval.low:+.4f} to {difference.interval.high:+.4f}",
            f"{difference.p_value:.4f}",
            f"{difference.better:.1%}",
        )
    return table
