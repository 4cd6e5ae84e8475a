"""The log of a service: a line of JSON for each request, each error and each message of a library."""

import json
import logging
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Write = Callable[[str], None]


def to_stderr(line: str) -> None:
    """Write a line to stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


class JsonLog:
    """Writes events as lines of JSON in ASCII, so that no character in them can break a line or a terminal.

    Args:
        write: writes a line.
        with_texts: whether messages of exceptions are written, which may contain users' texts.
    """

    def __init__(self, write: Write = to_stderr, with_texts: bool = False) -> None:
        self._write = write
        self.with_texts = with_texts

    def event(self, event: str, **fields: Any) -> None:
        """Write an event."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._write(json.dumps({"time": time, "event": event, **fields}))

    def failure(self, request: str, error: BaseException) -> None:
        """Write an unexpected exception: its type, and where it was raised."""
        frames = traceback.extract_tb(error.__traceback__)
        where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        message = {"message": str(error)} if self.with_texts else {}
        self.event("error", id=request, error=type(error).__name__, where=where, **message)


class LogRecords(logging.Handler):
    """Writes the log records of libraries as events.

    Args:
        log: receives them.
    """

    def __init__(self, log: JsonLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        if record.exc_info and record.exc_info[1]:
            self._log.failure("", record.exc_info[1])
        else:
            self._log.event("log", level=record.levelname, logger=record.name, message=record.getMessage())
