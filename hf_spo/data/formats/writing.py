"""Rows into JSON files, and folders that appear whole or not at all."""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...files import json_line, whole_file


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


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a folder to write into, which is renamed to `path` if all goes well and deleted if not.

    Raises:
        FileNotFoundError: the folder that it is to be in does not exist.
        FileExistsError: there is a file of that name, or a folder that is not empty.
    """
    path = path.resolve()
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is no folder; create it, or write {path.name} elsewhere")
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise FileExistsError(f"{path} is there already; name a new folder, or an empty one")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.mkdir()
    try:
        yield part
        if path.is_dir():
            path.rmdir()  # not every system renames to a folder that is there
        part.replace(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)
