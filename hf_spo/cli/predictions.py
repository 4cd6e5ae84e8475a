"""Labelled texts and predictions, read from files."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..data.formats.base import ConversionReport
from ..data.reading import read_records
from ..model.schema import Example, Triple
from .console import BadLines, say


def read_labelled(path: Path, bad_lines: BadLines | None = None, form: str | None = None) -> list[Example]:
    """Read labelled texts, and report on stderr what could not be read of them.

    Raises:
        ValueError: no text could be read.
    """
    examples = list(_examples(path, bad_lines, form))
    if not examples:
        raise ValueError(f"{path} holds no labelled text that could be read")
    return examples


def read_predictions(
    path: Path, examples: Sequence[Example], bad_lines: BadLines | None = None
) -> list[tuple[Triple, ...]]:
    """Read the predicted triples of each labelled text, in any order of the file.

    If a text occurs several times, its occurrences take the lines of this text in order, and then the last one. Lines
    of other texts are left out and counted on stderr.

    Raises:
        ValueError: a labelled text has no line.
    """
    lines: dict[str, list[tuple[Triple, ...]]] = {}
    for example in _examples(path, bad_lines):
        lines.setdefault(example.text, []).append(example.triples)
    found, taken = [], dict.fromkeys(lines, 0)
    for example in examples:
        if example.text not in lines:
            raise ValueError(
                f"{path} has no line for the text beginning {example.text[:20]!r}; expected one for every labelled "
                f"text, as `hf-spo extract --input` writes them"
            )
        own = lines[example.text]
        found.append(own[min(taken[example.text], len(own) - 1)])
        taken[example.text] += 1
    others = sum(max(0, len(own) - taken[text]) for text, own in lines.items())
    if others:
        say(f"hf-spo: {others} lines of {path} belong to no labelled text and were left out")
    return found


def _examples(path: Path, bad_lines: BadLines | None, form: str | None = None) -> Iterator[Example]:
    report = ConversionReport(bad_lines)
    for record in read_records(path, form, report):
        yield record.example
    if report.summary():
        say(f"hf-spo: {path}: {report.summary()}")
