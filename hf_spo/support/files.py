"""Files and folders that appear under their names whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(path: Path) -> Iterator[IO[str]]:
    """Open a text file for writing that appears under its name only if all goes well.

    Raises:
        FileNotFoundError: its folder does not exist.
    """
    path = path.resolve()  # a link goes on pointing at the file that is written
    if path.exists() and not path.is_file() and not path.is_dir():
        # /dev/stdout and its like are written to, never replaced.
        with path.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        return
    with whole_path(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        yield file


@contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """Give the name of a file to write, which is renamed to `path` if all goes well and deleted if not.

    Raises:
        FileNotFoundError: its folder does not exist.
        IsADirectoryError: there is a folder of that name.
    """
    path = path.resolve()
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is no folder; create it, or write {path.name} elsewhere")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file to write")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


@contextmanager
def whole_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a folder to write into, which is renamed to `path` if all goes well and deleted if not.

    Args:
        path: of the folder.
        replace: a folder that has the name already is gone then; otherwise it has to be empty.

    Raises:
        FileNotFoundError: the folder that it is to be in does not exist.
        FileExistsError: there is a file of that name, or a folder that is not empty and not to be replaced.
    """
    path = path.resolve()
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is no folder; create it, or write {path.name} elsewhere")
    if path.exists() and not (path.is_dir() and (replace or not any(path.iterdir()))):
        raise FileExistsError(f"{path} is there already; name a new folder, or an empty one")
    part, old = (path.with_name(f".{path.name}.{os.getpid()}.{suffix}") for suffix in ("part", "old"))
    part.mkdir()
    try:
        yield part
        if path.exists():  # not every system renames to a folder that is there
            path.rename(old)
        try:
            part.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
    finally:
        for rest in (part, old):
            shutil.rmtree(rest, ignore_errors=True)


def digest(*parts: bytes) -> str:
    """Return 16 hexadecimal digits that tell contents apart."""
    state = blake2b(digest_size=8)
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.hexdigest()
