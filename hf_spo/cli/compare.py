"""hf-spo compare."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from ..metrics import Difference, Match, TripleScorer, judge, text_counts
from ..metrics import compare as compare_counts
from ..model.schema import Example
from .console import new_table, print_report, printable
from .options import LABELLED, AsJson, DataFormat, command, option
from .predictions import read_labelled, read_predictions


def _predictions(metavar: str, text: str) -> Any:
    return typer.Argument(metavar=metavar, exists=True, dir_okay=False, help=text)


@command()
def compare(
    first: Annotated[Path, _predictions("A.jsonl", "Predictions, as extract writes them.")],
    second: Annotated[Path, _predictions("B.jsonl", "Predictions of another model for the same texts.")],
    data: Annotated[Path, option("The same texts with their labels.", **LABELLED)],
    match: Annotated[Match, option("When a triple counts as correct: strict, span or full.")] = Match.STRICT,
    samples: Annotated[int, option("Number of samples of each test.", min=1, metavar="N")] = 10_000,
    seed: Annotated[int, option("Seed of the samples.", min=0, metavar="N")] = 0,
    form: DataFormat = None,
    as_json: AsJson = None,
) -> None:
    """Test whether the scores of two models differ by more than chance, on predictions for the same texts.

    The interval of the difference comes from a paired bootstrap over texts, the p-value from approximate randomisation.

    Examples:
      hf-spo compare base.jsonl lite.jsonl --data dev.jsonl
    """
    if match == Match.LENIENT:
        raise typer.BadParameter("--match lenient needs the tokenizer of a model, and compare reads predictions only")
    examples = read_labelled(data, form=form)
    found = compare_counts(_counts(first, examples, match), _counts(second, examples, match), samples, seed)
    report = {
        "first": str(first),
        "second": str(second),
        "data": str(data),
        "texts": len(examples),
        "match": match.value,
        "samples": samples,
        **{name: difference.to_dict() for name, difference in found.items()},
    }
    print_report(report, as_json, lambda: _table(found, first, second))


def _counts(path: Path, examples: Sequence[Example], match: Match) -> np.ndarray:
    scorer = TripleScorer(match)
    predictions = read_predictions(path, examples)
    return text_counts(judge(*pair, scorer) for pair in zip(examples, predictions, strict=True))


def _table(found: Mapping[str, Difference], first: Path, second: Path) -> Table:
    table = new_table("", numbers=("A", "B", "B − A", "95 % interval", "p", "B better"))
    table.caption = printable(f"A: {first}  B: {second}")
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
