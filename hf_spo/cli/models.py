"""Loading a model for a command."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..console import say
from .options import DType

if TYPE_CHECKING:
    from ..pipeline import TripleExtractionPipeline


def load_pipeline(model: str | None, device: str | None, dtype: DType | None) -> "TripleExtractionPipeline":
    """Load a model, from the package if none is named."""
    import transformers

    from ..pipeline import TripleExtractionPipeline

    hush()
    folder = find_model(model)
    chosen = {"device": device, "dtype": dtype and dtype.value}
    build: Any = transformers.pipeline  # its overloads list the tasks of transformers only
    pipe = build(
        "triple-extraction", model=folder, **{name: value for name, value in chosen.items() if value is not None}
    )
    assert isinstance(pipe, TripleExtractionPipeline)
    return pipe


def find_model(model: str | None) -> str:
    """Return the folder of a model, of the package's if none is named, or a name to ask the Hub for.

    Raises:
        FileNotFoundError: what can only be a folder is none.
    """
    from ..packaged import PACKAGED, packaged

    name = "base" if model is None else model
    # A folder of the user's goes before a name of ours.
    ours = name in PACKAGED and not Path(name).is_dir()
    folder = str(packaged(name)) if ours else name
    if not Path(folder).is_dir():
        if ours:
            raise FileNotFoundError(
                f"there is no model in {folder}; this installation is not whole: install hf-spo again"
            )
        if folder.startswith((".", "/", "~")) or folder.count("/") > 1:
            raise FileNotFoundError(f"{folder} is no folder; --model takes a trained model's folder or its Hub name")
        say(f"hf-spo: no folder {folder} here; asking the Hub for a model of that name")
    return folder


def hush() -> None:
    """Switch off what libraries tell on the way to loading or saving a model."""
    import transformers

    untyped: Any = transformers.utils.logging
    untyped.disable_progress_bar()
    # It tells of every retry, and the error at the end too.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
