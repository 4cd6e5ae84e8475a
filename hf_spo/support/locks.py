"""Folders that one run at a time writes to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

LOCK_FILE = ".lock"


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Keep other runs from a folder, which is made if it is not there.

    The system lets go of the lock when the process ends, however it ends; the file stays, and means nothing.

    Raises:
        BlockingIOError: another run writes to the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK_FILE, timeout=0):
            yield
    except Timeout:
        raise BlockingIOError(f"another run writes to {folder}; wait for it, or name another folder") from None
