"""Rows into JSON files."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...model.fields import json_line
from ...support.files import whole_file


def write_lines(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write one JSON object a line, whole or not at all."""
    with whole_file(path) as file:
        file.writelines(f"{json_line(row)}\n" for row in rows)


def write_list(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write one JSON list with an object a line, whole or not at all."""
    with whole_file(path) as file:
        file.write("[")
        for number, row in enumerate(rows):
            file.write(f"{',' if number else ''}\n{json_line(row)}")
        file.write("\n]\n")
