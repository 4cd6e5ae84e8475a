"""hf-spo relabel."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..model.fields import json_line
from ..support.files import whole_file
from .console import BadLines, is_terminal, printable, say
from .models import ModelChoice
from .options import (
    FILES_PANEL,
    LABELLED,
    MODEL_PANEL,
    AsJson,
    BatchSize,
    DataFormat,
    Device,
    DType,
    Precision,
    SkipBadLines,
    command,
)
from .predictions import read_labelled

if TYPE_CHECKING:
    from ..training.voting import Voter

RULES_PANEL = "When labels change"


class Votes(StrEnum):
    """Which models are asked of a text."""

    ALL = "all"
    HELD_OUT = "held-out"


@command()
def relabel(
    data: Annotated[Path, typer.Option(help="Labelled texts.", **LABELLED)],
    output: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Where the same texts go with their new labels: clean.jsonl. What changed stands beside it, in "
            "clean.changes.jsonl and clean.summary.json.",
            rich_help_panel=FILES_PANEL,
        ),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="FOLDER|NAME", help="A trained model. May be repeated.", rich_help_panel=MODEL_PANEL),
    ] = None,
    folds: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            exists=True,
            file_okay=False,
            help="All models of a kfold. May be repeated.",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = None,
    votes: Annotated[
        Votes,
        typer.Option(
            help="Which models are asked of a text: all; or, of kfolds, those alone that were not trained on it.",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = Votes.ALL,
    add: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="A triple that this share of the models finds becomes a label.",
            rich_help_panel=RULES_PANEL,
        ),
    ] = 1.0,
    remove: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="A label that no more than this share finds is removed.",
            show_default="0.0",
            rich_help_panel=RULES_PANEL,
        ),
    ] = None,
    keep_labels: Annotated[
        bool, typer.Option("--keep-labels", help="Remove no label, only add.", rich_help_panel=RULES_PANEL)
    ] = False,
    min_score: Annotated[
        float,
        typer.Option(metavar="P", help="Mean score that an added triple needs.", rich_help_panel=RULES_PANEL),
    ] = 0.0,
    soft: Annotated[
        bool,
        typer.Option(
            "--soft",
            help="Give every triple a score, the share that agrees; the label itself counts as one more model. "
            "Training learns it with --soft-labels.",
            rich_help_panel=RULES_PANEL,
        ),
    ] = False,
    form: DataFormat = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
    batch_size: BatchSize = None,
    device: Device = None,
    dtype: Precision = None,
) -> None:
    """Clean labels by vote: add triples that all models find, remove labels that none finds.

    A model that was trained on a text has seen its label: ask the held-out ones for an opinion of their own. Weak
    models find little, and would remove much: see what changes first, or --keep-labels.

    Examples:
      hf-spo relabel --folds folds --data train.jsonl --output clean.jsonl
      hf-spo relabel --folds folds --votes held-out --keep-labels --data train.jsonl --output more.jsonl
    """
    from ..training.folds import fold_models
    from ..training.relabelling import Summary, VotePolicy, relabel
    from ..training.voting import vote

    if keep_labels and remove is not None:
        raise typer.BadParameter("--remove and --keep-labels contradict each other; give one of them")
    policy = VotePolicy(add, None if keep_labels else remove or 0.0, min_score, soft)
    names = [*(model or []), *(str(path) for folder in folds or [] for path in fold_models(folder))]
    if not names:
        raise typer.BadParameter("no model to ask; pass --folds or --model")
    bad_lines = BadLines(output.parent) if skip_bad_lines else None
    log, numbers = output.with_suffix(".changes.jsonl"), output.with_suffix(".summary.json")
    with ExitStack() as stack:
        if bad_lines is not None:
            stack.callback(bad_lines.write)
        files = [stack.enter_context(whole_file(path)) for path in (output, log, numbers)]
        examples = read_labelled(data, bad_lines, form)
        voters = _voters(names, device, dtype)
        poll = vote(examples, voters, held_out=votes == Votes.HELD_OUT, batch_size=batch_size)
        summary = Summary(poll.schema)
        for text in relabel(examples, poll, policy):
            summary.add(text)
            files[0].write(json_line(text.after.to_dict()) + "\n")
            files[1].writelines(json_line(change.to_dict(text.before.text)) + "\n" for change in text.changes)
        report = {"data": str(data), "output": str(output), "models": names, **summary.to_dict()}
        files[2].write(json_line(report) + "\n")
    if report["removed"] > _MANY * report["labelled"]:
        say(
            f"hf-spo: {report['removed']:,} of {report['labelled']:,} labels were removed; models that find so little "
            f"are hardly fit to judge. Look at {log}, and consider --keep-labels"
        )
    if is_terminal(sys.stdout) if as_json is None else not as_json:
        Console().print(_table(report))
    else:
        typer.echo(json_line(report))


_MANY = 0.1
"""Share of the labels; no annotators are wrong as often."""


def _voters(names: Sequence[str], device: str | None, dtype: DType | None) -> Iterator["Voter"]:
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


def _table(report: dict[str, Any]) -> Table:
    table = Table("subject", "predicate", "object", header_style="bold cyan", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("labelled", "added", "removed"):
        table.add_column(name, justify="right")
    for row in [*report["relations"], {"predicate": "all", **report}]:
        names = (printable(row.get(name, "")) for name in ("subject_type", "predicate", "object_type"))
        table.add_row(*names, *(f"{row[name]:,}" for name in ("labelled", "added", "removed")))
    return table
