"""Data files, line by line: every line becomes an example or is reported; nothing is dropped in silence."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..schema import Example
from .duie import FieldError, example_from_duie


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no example, and why."""

    path: Path
    number: int
    line: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}:{self.number}: {self.problem}"


class DataFormatError(ValueError):
    """A data file has a line that cannot be read."""


OnBadLine = Callable[[BadLine], None]


def read_examples(path: str | Path, on_bad_line: OnBadLine | None = None) -> Iterator[Example]:
    """Read labelled texts, one JSON object a line: DuIE 1.0 or 2.0 (`spo_list`), or our own (`triples`, with offsets).

    Args:
        path: a UTF-8 file.
        on_bad_line: receives each line that is no example, which is then skipped; None raises instead.

    Raises:
        DataFormatError: a line is no example; the message names file, line, field and remedy.
        FileNotFoundError: there is no such file.
    """
    path = Path(path)
    for number, line in _lines(path):
        try:
            example = _example(line)
        except (ValueError, TypeError, KeyError) as error:
            _report(BadLine(path, number, line, _describe(error)), on_bad_line)
        else:
            yield example


def read_texts(path: str | Path, on_bad_line: OnBadLine | None = None) -> Iterator[str]:
    """Read texts: a .jsonl file's "text" fields, or the lines of any other file.

    Raises:
        DataFormatError: a line of a .jsonl file has no "text"; the message names file, line, field and remedy.
    """
    path = Path(path)
    if path.suffix not in (".jsonl", ".json"):
        with path.open(encoding="utf-8-sig") as lines:
            yield from (line.rstrip("\n") for line in lines)
        return
    for number, line in _lines(path):
        try:
            text = _object(line).get("text")
            if not isinstance(text, str):
                raise FieldError("text", f"expected a string, got {type(text).__name__}")
        except ValueError as error:
            _report(BadLine(path, number, line, _describe(error)), on_bad_line)
        else:
            yield text


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, line


def _report(bad: BadLine, on_bad_line: OnBadLine | None) -> None:
    if on_bad_line is None:
        raise DataFormatError(f"{bad}; mend the line, or pass --skip-bad-lines to set such lines aside")
    on_bad_line(bad)


def _object(line: str) -> Mapping[str, Any]:
    row = json.loads(line)
    if not isinstance(row, dict):
        raise FieldError("line", f"expected a JSON object, got {type(row).__name__}")
    return row


def _example(line: str) -> Example:
    row = _object(line)
    if "triples" in row:
        example = Example.from_dict(row)
        for index, triple in enumerate(example.triples):
            for mention in (triple.subject, *(mention for _, mention in triple.slots())):
                if mention.span is None:
                    continue
                found = example.text[mention.span.start : mention.span.end]
                if found != mention.text:
                    raise FieldError(
                        f"triples[{index}]",
                        f"text[{mention.span.start}:{mention.span.end}] is {found!r}, not {mention.text!r}",
                    )
        return example
    if "spo_list" not in row:
        raise FieldError("spo_list", f'no "spo_list" (DuIE) and no "triples"; the line has {sorted(row)}')
    return example_from_duie(row)


def _describe(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON ({error}); expected one object a line"
    if isinstance(error, KeyError):
        return f"field {error} is missing"
    return str(error)
