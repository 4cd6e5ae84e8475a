"""hf-spo distill."""

from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from ..data.reading import read_texts
from ..model.fields import json_line
from ..support.files import whole_file
from .console import print_report, say, set_aside
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
from .relabel import changes_table
from .voters import FoldFolders, Models, Votes, VotesOption, load_voters, model_names

if TYPE_CHECKING:
    from ..training.voting import VotingResult


class Empty(StrEnum):
    """What becomes of a text without labels in which no model finds a triple."""

    KEEP = "keep"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class SoftLabelOptions:
    """Which triples are added, and their scores."""

    PANEL: ClassVar = "Soft labels"

    combine: Annotated[
        Literal["average", "union"],
        option(
            "Score of a triple. average: mean over all models, where a model that does not find it counts as 0; union: "
            "that of the surest model."
        ),
    ] = "average"
    min_score: Annotated[float, option("Smallest score of an added triple.", metavar="P")] = 0.1
    threshold: Annotated[
        float | None,
        option(
            "Border threshold of the models; a lower one gives more triples with low scores.",
            default="those of the models", min=0.0, max=1.0, metavar="P",
        ),
    ] = None  # fmt: skip
    empty: Annotated[
        Empty, option("Texts of --texts in which no model finds a triple: keep them as negatives, or drop them.")
    ] = Empty.KEEP


@command()
def distill(
    output: Annotated[
        Path,
        option("File for all texts with their labels, such as distilled.jsonl.", "--output", "-o", panel=FILES_PANEL,
               **NEW_FILE),
    ],
    options: SoftLabelOptions,
    data: Annotated[
        list[Path] | None, option("Labelled texts; their labels stay. May be repeated.", **LABELLED)
    ] = None,
    texts: Annotated[
        list[Path] | None,
        option("Texts without labels, one a line or in JSON lines. May be repeated.", panel=FILES_PANEL,
               metavar="FILE", exists=True, dir_okay=False),
    ] = None,
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
    """Let several models label texts, as training data for one model.

    Labels stay, and count as certain; triples that the models find are added with a score. Rows with partial labels
    (annotated_predicates) become complete. hf-spo train learns the scores with --soft-labels. Scores should be
    calibrated: run hf-spo tune on each model first.

    Examples:
      hf-spo distill -m large -m other --data train.jsonl --texts more.txt --output distilled.jsonl
      hf-spo distill --folds folds --votes held-out --data train.jsonl --texts more.txt --output distilled.jsonl
      hf-spo train recipe.yaml --train distilled.jsonl --soft-labels true --output student
    """
    from ..model.schema import Example
    from ..training.relabelling import DistillationPolicy, Summary, distil
    from ..training.voting import vote

    if not data and not texts:
        raise typer.BadParameter("no text given; pass --data or --texts")
    policy = DistillationPolicy(options.combine, options.min_score)
    names = model_names(model, folds)
    with ExitStack() as stack:
        bad_lines = stack.enter_context(set_aside(skip_bad_lines, output))
        file = stack.enter_context(whole_file(output))
        examples = [example for path in data or [] for example in read_labelled(path, bad_lines, form)]
        labelled = len(examples)
        known = {example.text for example in examples}
        more = (text for path in texts or [] for text in read_texts(path, bad_lines) if text.strip())
        examples += [Example(text) for text in dict.fromkeys(more) if text not in known]
        poll: VotingResult = vote(
            examples,
            load_voters(names, device, dtype),
            held_out=votes == Votes.HELD_OUT,
            batch_size=batch_size,
            threshold=options.threshold,
        )
        summary, dropped = Summary(poll.schema), 0
        for number, text in enumerate(distil(examples, poll, policy)):
            if number >= labelled and not text.after.triples and options.empty == Empty.DROP:
                dropped += 1
                continue
            summary.add(text)
            file.write(json_line(text.after.to_dict()) + "\n")
    report = {"output": str(output), "models": names, "dropped": dropped, **summary.to_dict()}
    say(f"hf-spo: {summary.texts:,} texts are in {output}; train with --soft-labels true")
    print_report(report, as_json, lambda: changes_table(report))
