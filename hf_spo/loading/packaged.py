"""Models that ship inside the package."""

from pathlib import Path

PACKAGED = {"base": "default_model", "lite": "lite_model"}
"""Names of the models, and their folders: the BERT system, and a light DGCNN."""


def packaged(name: str = "base") -> Path:
    """Return the folder of a model that ships inside the package, for `from_pretrained` or `pipeline`.

    Raises:
        ValueError: there is no packaged model of this name.
    """
    if name not in PACKAGED:
        raise ValueError(f"no packaged model {name!r}; there are: {', '.join(PACKAGED)}")
    return Path(__file__).parents[1] / PACKAGED[name]


def resolve(name: str) -> str:
    """Return the folder of a packaged model for its name; all else, such as a folder of that name, as it is."""
    return str(packaged(name)) if name in PACKAGED and not Path(name).is_dir() else name
