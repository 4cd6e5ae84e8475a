"""Files and folders that get their names only when they are complete."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(path: Path) -> Iterator[IO[str]]:
    """Open a text file for writing; it gets its name only if no exception is raised.

    Raises:
        FileNotFoundError: its folder does not exist.
    """
    path = path.resolve()  # a link keeps pointing to the file
    if path.exists() and not path.is_file() and not path.is_dir():
        # Devices such as /dev/stdout are written to, never replaced.
        with path.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        return
    with whole_path(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        yield file


@contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """Yield the name of a temporary file, which is renamed to `path`, or deleted if an exception is raised.

    Raises:
        FileNotFoundError: its folder does not exist.
        IsADirectoryError: `path` is a folder.
    """
    path = path.resolve()
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent}; create it, or write {path.name} elsewhere")
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
    """Yield a temporary folder, which is renamed to `path`, or deleted if an exception is raised.

    Args:
        path: final name of the folder.
        replace: replace an existing folder of this name; otherwise it must be empty.

    Raises:
        FileNotFoundError: its parent folder does not exist.
        FileExistsError: `path` is a file, or a folder that is not empty and `replace` is false.
    """
    path = path.resolve()
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent}; create it, or write {path.name} elsewhere")
    if path.exists() and not (path.is_dir() and (replace or not any(path.iterdir()))):
        raise FileExistsError(f"{path} exists; name a new folder, or an empty one")
    part, old = (path.with_name(f".{path.name}.{os.getpid()}.{suffix}") for suffix in ("part", "old"))
    part.mkdir()
    try:
        yield part
        if path.exists():  # not every system can rename to an existing folder
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
    """Return a hash of contents as 16 hexadecimal digits."""
    state = blake2b(digest_size=8)
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.hexdigest()
