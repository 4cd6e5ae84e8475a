"""Suppress warnings of exporters and quantisers."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# Loggers of the exporter and its translator; the quantiser uses the root logger.
_LOGGERS = ("torch.onnx", "onnx_ir", "onnxscript")


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress warnings of exporters and quantisers about their own steps and deprecations."""
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
