"""Models that ship inside the package."""

from pathlib import Path

_FOLDERS = {"base": "default_model"}


def packaged(name: str = "base") -> Path:
    """Return the folder of a model that ships inside the package, for `from_pretrained` or `pipeline`.

    Raises:
        ValueError: there is no packaged model of this name.
    """
    if name not in _FOLDERS:
        raise ValueError(f"no packaged model {name!r}; there are: {', '.join(_FOLDERS)}")
    return Path(__file__).parent / _FOLDERS[name]
