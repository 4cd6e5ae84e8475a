"""Locks on folders that only one run may write to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

LOCK_FILE = ".lock"


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Lock a folder against other runs; create it if necessary.

    The system releases the lock when the process ends, in whatever way; the file that stays behind locks nothing.

    Raises:
        BlockingIOError: another run has locked the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK_FILE, timeout=0):
            yield
    except Timeout:
        raise BlockingIOError(f"another run writes to {folder}; wait until it ends, or name another folder") from None
