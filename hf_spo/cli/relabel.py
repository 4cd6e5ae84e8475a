"""hf-spo relabel."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer
from rich.table import Table

from ..model.fields import json_line
from ..support.files import whole_file
from .console import new_table, print_report, printable, say, set_aside
from .options import (
    FILES_PANEL,
    LABELLED,
    NEW_FILE,
    AsJson,
    BatchSize,
    DataFormat,
    Device,
    Precision,
    SkipBadLines,
    command,
    option,
)
from .predictions import read_labelled
from .voters import FoldFolders, Models, Votes, VotesOption, load_voters, model_names

_MANY = 0.1
"""Share of removed labels above which a warning is due; annotators are wrong less often."""


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
    model: Models = None,
    folds: FoldFolders = None,
    votes: VotesOption = Votes.ALL,
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
    from ..training.relabelling import Summary, VotePolicy, relabel
    from ..training.voting import vote

    if options.keep_labels and options.remove is not None:
        raise typer.BadParameter("--remove and --keep-labels contradict each other; give one of them")
    remove = None if options.keep_labels else options.remove or 0.0
    policy = VotePolicy(options.add, remove, options.min_score)
    names = model_names(model, folds)
    log, numbers = output.with_suffix(".changes.jsonl"), output.with_suffix(".summary.json")
    with ExitStack() as stack:
        bad_lines = stack.enter_context(set_aside(skip_bad_lines, output))
        files = [stack.enter_context(whole_file(path)) for path in (output, log, numbers)]
        examples = read_labelled(data, bad_lines, form)
        voters = load_voters(names, device, dtype)
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
    print_report(report, as_json, lambda: changes_table(report))


def changes_table(report: Mapping[str, Any]) -> Table:
    """Lay out the counts of [`Summary.to_dict`]."""
    counts = ("labelled", "added", "removed")
    table = new_table("subject", "predicate", "object", numbers=counts)
    for row in [*report["relations"], {"predicate": "all", **report}]:
        names = (printable(row.get(name, "")) for name in ("subject_type", "predicate", "object_type"))
        table.add_row(*names, *(f"{row[name]:,}" for name in counts))
    return table
