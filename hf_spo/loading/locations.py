"""Where models are: inside the package, in a folder, or on the Hub."""

from difflib import get_close_matches
from os import PathLike
from pathlib import Path

PACKAGED = {"base": "default_model", "lite": "lite_model"}
"""The models inside the package and their folders: the BERT system, and a small, fast DGCNN."""


def packaged(name: str = "base") -> Path:
    """Return the folder of a model that ships inside the package, for `from_pretrained` or `pipeline`.

    Raises:
        ValueError: there is no packaged model of this name.
    """
    if name not in PACKAGED:
        raise ValueError(f"no packaged model {name!r}; there are: {', '.join(PACKAGED)}")
    return Path(__file__).parents[1] / PACKAGED[name]


def find_model(path_or_name: str | PathLike[str]) -> str:
    """Return the folder of a model, or its name on the Hub.

    A folder goes before a packaged model of the same name.

    Raises:
        FileNotFoundError: the name can only be that of a folder, and there is none; or it is nearly that of a packaged
            model.
        TypeError: it is no path or name.
    """
    if not isinstance(path_or_name, str | PathLike):
        raise TypeError(
            f"expected a model's folder or name, got {type(path_or_name).__name__}; a loaded model is passed as "
            f"hf_spo.pipeline(model=…, tokenizer=…)"
        )
    name = str(path_or_name)
    if name and Path(name).is_dir():
        return name
    if name in PACKAGED:
        folder = packaged(name)
        if not folder.is_dir():
            raise FileNotFoundError(
                f"there is no folder {folder}; the installation is incomplete: install hf-spo again"
            )
        return str(folder)
    near = get_close_matches(name.lower(), PACKAGED, n=1, cutoff=0.75)
    if near:
        raise FileNotFoundError(f"there is no model {name!r}; did you mean {near[0]}?")
    if not name or name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name:
        raise FileNotFoundError(
            f"there is no folder {name or repr(name)}; expected a model's folder, its name on the Hub, or "
            f"{' or '.join(PACKAGED)}"
        )
    return name


def model_file(path_or_name: str | PathLike[str], name: str = "config.json") -> Path:
    """Return a file of a model, downloaded if the model is on the Hub.

    Raises:
        FileNotFoundError: there is no such model, or it has no such file.
        OSError: the Hub has no such model, or does not answer.
    """
    model = find_model(path_or_name)
    if not Path(model).is_dir():
        from huggingface_hub import hf_hub_download

        return Path(hf_hub_download(model, name))
    path = Path(model) / name
    if not path.is_file():
        raise FileNotFoundError(f"{model} has no {name}; expected the folder of a trained model")
    return path


def model_folder(path_or_name: str | PathLike[str]) -> Path:
    """Return the folder of a model, downloaded if the model is on the Hub.

    Raises:
        FileNotFoundError: there is no such model.
        OSError: the Hub has no such model, or does not answer.
    """
    model = find_model(path_or_name)
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(model))
