"""Keeping libraries from telling the user of their own workings."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# The exporter and its translator; the quantiser speaks through the root logger itself.
_LOGGERS = ("torch.onnx", "onnx_ir", "onnxscript")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep back what exporters and quantisers warn of: steps left out, and code of theirs that will change."""
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    root = logging.getLogger()
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    root.addFilter(_is_error)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.removeFilter(_is_error)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR
