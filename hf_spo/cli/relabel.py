"""hf-spo relabel."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer
from rich.table import Table

from ..model.fields import json_line
from ..support.files import whole_file
from .console import new_table, print_report, printable, say, set_aside
from .models import ModelChoice
from .options import (
    FILES_PANEL,
    LABELLED,
    MODEL_PANEL,
    NEW_FILE,
    AsJson,
    BatchSize,
    DataFormat,
    Device,
    DType,
    Precision,
    SkipBadLines,
    command,
    option,
)
from .predictions import read_labelled

if TYPE_CHECKING:
    from ..training.voting import Voter

_MANY = 0.1
"""Share of removed labels above which a warning is due; annotators are wrong less often."""


class Votes(StrEnum):
    """Models that vote on a text."""

    ALL = "all"
    HELD_OUT = "held-out"


@dataclass(frozen=True, slots=True)
class VoteOptions:
    """When labels change."""

    PANEL: ClassVar = "When labels change"

    add: Annotated[
        float, option("Add a triple as a label if at least this share of the models finds it.", metavar="SHARE")
    ] = 1.0
    remove: Annotated[
        float | None,
        option("Remove a label if at most this share of the models finds it.", default="0.0", metavar="SHARE"),
    ] = None
    keep_labels: Annotated[bool, option("Only add labels, remove none.", "--keep-labels")] = False
    min_score: Annotated[float, option("Smallest mean score of an added triple.", metavar="P")] = 0.0
    soft: Annotated[
        bool,
        option(
            "Give every triple a score: the share of models that find it, where a label counts as one more model. "
            "Training learns the scores with --soft-labels.",
            "--soft",
        ),
    ] = False


@command()
def relabel(
    data: Annotated[Path, option("Labelled texts.", **LABELLED)],
    output: Annotated[
        Path,
        option(
            "File for the same texts with their new labels, such as clean.jsonl. The changes are written next to it, "
            "to clean.changes.jsonl and clean.summary.json.",
            "--output", "-o", panel=FILES_PANEL, **NEW_FILE,
        ),
    ],
    options: VoteOptions,
    model: Annotated[
        list[str] | None,
        option("A trained model. May be repeated.", "--model", "-m", panel=MODEL_PANEL, metavar="FOLDER|NAME"),
    ] = None,
    folds: Annotated[
        list[Path] | None,
        option(
            "All models of a kfold. May be repeated.", panel=MODEL_PANEL, metavar="FOLDER", exists=True, file_okay=False
        ),
    ] = None,
    votes: Annotated[
        Votes,
        option(
            "Models that vote on a text: all; held-out: of each kfold, the model that was not trained on the text.",
            panel=MODEL_PANEL,
        ),
    ] = Votes.ALL,
    form: DataFormat = None,
    as_json: AsJson = None,
    skip_bad_lines: SkipBadLines = False,
    batch_size: BatchSize = None,
    device: Device = None,
    dtype: Precision = None,
) -> None:  # fmt: skip
    """Clean labels by vote: add triples that all models find, remove labels that none finds.

    A model tends to find the labels of its training texts; held-out models judge independently. Weak models find
    little and would remove many right labels: check the changes first, or pass --keep-labels.

    Examples:
      hf-spo relabel --folds folds --data train.jsonl --output clean.jsonl
      hf-spo relabel --folds folds --votes held-out --keep-labels --data train.jsonl --output more.jsonl
    """
    from ..training.folds import fold_models
    from ..training.relabelling import Summary, VotePolicy, relabel
    from ..training.voting import vote

    if options.keep_labels and options.remove is not None:
        raise typer.BadParameter("--remove and --keep-labels contradict each other; give one of them")
    remove = None if options.keep_labels else options.remove or 0.0
    policy = VotePolicy(options.add, remove, options.min_score, options.soft)
    names = [*(model or []), *(str(path) for folder in folds or [] for path in fold_models(folder))]
    if not names:
        raise typer.BadParameter("no model given; pass --folds or --model")
    log, numbers = output.with_suffix(".changes.jsonl"), output.with_suffix(".summary.json")
    with ExitStack() as stack:
        bad_lines = stack.enter_context(set_aside(skip_bad_lines, output))
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
            f"are too weak to judge labels. Check {log}, and consider --keep-labels"
        )
    print_report(report, as_json, lambda: _table(report))


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


def _table(report: Mapping[str, Any]) -> Table:
    counts = ("labelled", "added", "removed")
    table = new_table("subject", "predicate", "object", numbers=counts)
    for row in [*report["relations"], {"predicate": "all", **report}]:
        names = (printable(row.get(name, "")) for name in ("subject_type", "predicate", "object_type"))
        table.add_row(*names, *(f"{row[name]:,}" for name in counts))
    return table
