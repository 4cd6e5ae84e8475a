"""Package versions: which version runs, which version wrote a model, and what to advise when the two do not fit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from packaging.version import InvalidVersion, Version

INSTALLED = __package__ == "hf_spo.model"
"""Whether this code runs as part of the installed package; otherwise it is a copy that came with a model."""


def package_version() -> str:
    """Return the installed version of hf-spo; "unknown" for a copy of the code that runs without the package."""
    try:
        # A copy does not know its version: an installed package may be of another one.
        return version("hf-spo") if INSTALLED else "unknown"
    except PackageNotFoundError:
        return "unknown"


def is_newer(written_by: Any) -> bool:
    """Tell whether a version is newer than the one that runs; False if either is not a version number."""
    try:
        return Version(str(written_by)) > Version(package_version())
    except InvalidVersion:
        return False


class NewerVersionError(ValueError):
    """A model cannot be loaded, and a newer version of hf-spo wrote it."""


@contextmanager
def advise_upgrade(what: object, written_by: Callable[[], Any]) -> Iterator[None]:
    """Advise an upgrade if loading fails and a newer version wrote what is loaded.

    Args:
        what: the thing that is loaded, for the message.
        written_by: returns the version that wrote it; called only if loading fails.

    Raises:
        NewerVersionError: loading failed, and a newer version wrote it.
    """
    try:
        yield
    except NewerVersionError:
        raise
    except (ValueError, TypeError, RuntimeError, StrictDataclassError) as error:
        writer = written_by()
        if not is_newer(writer):
            raise
        raise NewerVersionError(
            f"{what} was written by version {writer} of hf_spo and cannot be loaded by {package_version()}: "
            f"pip install --upgrade hf-spo ({' '.join(str(error).split())})"
        ) from error
