"""The last complete checkpoint of a run that may have been killed."""

import errno
import json
import logging
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

logger = logging.getLogger(__name__)

_NAME = re.compile(rf"{PREFIX_CHECKPOINT_DIR}-(\d+)")


def last_checkpoint(folder: str | Path) -> Path | None:
    """Return the newest complete checkpoint in a run's folder; None if there is none."""
    by_step = {int(name[1]): path for path in Path(folder).glob("*/") if (name := _NAME.fullmatch(path.name))}
    for _, path in sorted(by_step.items(), reverse=True):
        if _is_whole(path):
            return path
        logger.warning("%s is incomplete and skipped: its run stopped while writing it", path)
    return None


def _is_whole(checkpoint: Path) -> bool:
    """Tell whether a checkpoint has the file that a trainer writes last, and this file is complete."""
    try:
        json.loads((checkpoint / TRAINER_STATE_NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return True


@contextmanager
def explain_full_disk(folder: str | Path, size: int) -> Iterator[None]:
    """Write a checkpoint, and say so if the disk is full: torch then only reports an unexpected position in a file.

    Args:
        folder: of the run.
        size: bytes of a checkpoint, about.

    Raises:
        OSError: the disk is full.
    """
    try:
        yield
    except Exception as error:
        free = shutil.disk_usage(folder).free
        is_full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)
        if is_full or (isinstance(error, RuntimeError) and free < size):
            raise OSError(
                f"the disk is full: a checkpoint of about {size / 1e6:,.0f} MB did not fit into {folder}, which has "
                f"{free / 1e6:,.0f} MB left; free some space, then resume the run from its last whole checkpoint"
            ) from error
        raise
