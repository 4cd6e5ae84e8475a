"""A record of a file that cannot be read, and why: one type for all readers."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    r"""A line, or another part of a source, that is not a record of the expected form.

    Args:
        source: name of the file or other source.
        number: of the line, from 1, or of another unit; 0: the source as a whole.
        reason: what came and what was expected.
        content: of the line; bytes that are not UTF-8 are written as \xff.
        unit: what `number` counts: line, row, task, document.
        field: path of the wrong field within the record, if one field is wrong.
        remedy: what to do, if there is better advice than to correct the record.
        id: name of the document that would stand here; default: source and number.
    """

    source: str
    number: int
    reason: str
    content: str = ""
    unit: str = "line"
    field: str = ""
    remedy: str = ""
    id: str | int = ""

    def __post_init__(self) -> None:
        if self.id == "":
            object.__setattr__(self, "id", f"{self.source}:{self.number}" if self.number else self.source)

    @property
    def problem(self) -> str:
        """Field, reason and remedy in one sentence."""
        problem = f"{self.field}: {self.reason}" if self.field else self.reason
        return f"{problem}; {self.remedy}" if self.remedy else problem

    @property
    def place(self) -> str:
        """Source and line, such as "data.jsonl:3" or "data.parquet: row 3"."""
        if not self.number:
            return self.source
        return f"{self.source}:{self.number}" if self.unit == "line" else f"{self.source}: {self.unit} {self.number}"

    @property
    def error(self) -> str:
        """The message for a reader that stops here: place, problem, and how to go on without the record."""
        return f"{self}; correct the {self.unit}, or pass --skip-bad-lines to skip {self.unit}s that cannot be read"

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


OnUnreadable = Callable[[UnreadableRecord], None]
"""Receives each record that cannot be read, which is then skipped."""
