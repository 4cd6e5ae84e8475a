"""Optional packages, which the extras install."""

from importlib import import_module
from typing import Any


def require(package: str, extra: str, what: str) -> Any:
    """Import an optional package.

    Args:
        package: name of the package.
        extra: name of the extra that installs it.
        what: what needs the package, for the message.

    Raises:
        ImportError: the package is not installed; the message has the command that installs it.
    """
    try:
        return import_module(package)
    except ImportError:
        raise ImportError(f"{what} needs {package}: pip install 'hf-spo[{extra}]'") from None
