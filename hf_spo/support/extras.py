"""Packages that not everyone needs."""

from importlib import import_module
from typing import Any


def require(package: str, extra: str, what: str) -> Any:
    """Import a package that comes with one of our extras.

    Args:
        package: its name.
        extra: of ours that brings it.
        what: takes it.

    Raises:
        ImportError: it is not installed; the message says how to.
    """
    try:
        return import_module(package)
    except ImportError:
        raise ImportError(f"{what} needs {package}: pip install 'hf-spo[{extra}]'") from None
