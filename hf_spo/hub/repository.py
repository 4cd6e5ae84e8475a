"""The complete repository of a model, made in a folder."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.schema import Example
from ..model.versions import package_version
from . import model_card
from .contents import Contents
from .sealed_cards import seal

if TYPE_CHECKING:
    from ..model.pipeline import TripleExtractionPipeline

CARD_FILE = "README.md"
ONNX_FOLDER = "onnx"

_HANDLER = '''"""Inference Endpoints start this; requirements.txt brings hf_spo, which does the work."""

from hf_spo.service.endpoint import EndpointHandler

__all__ = ["EndpointHandler"]
'''


@dataclass(frozen=True, slots=True)
class RepositoryOptions:
    """What a repository is to have beside the model.

    Args:
        card: text of the README; default: one is written.
        about: arguments of [`model_card`] for it: report, data, licence, base_model, language, recipe.
        texts: for the card, and for the Hub's page.
        onnx: an ONNX export in a subfolder.
        standalone: the code that runs the model without hf_spo.
    """

    card: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    texts: Sequence[str] = ()
    onnx: bool = False
    standalone: bool = False


def build_repository(
    model: Path,
    folder: Path,
    repo: str,
    options: RepositoryOptions | None = None,
    *,
    on_step: Callable[[str], object] = lambda step: None,
) -> Contents:
    """Write all files of a model's repository into a folder; the weights are copied as they are.

    The model is loaded from there before anything is added, so that what cannot be loaded is not published.

    Args:
        model: folder of a trained model or ensemble.
        folder: an empty one.
        repo: name of the repository, for the card.
        options: what else is to be in it.
        on_step: is told what is being done.

    Returns:
        What of the model's folder was taken, and what was not.

    Raises:
        ImportError: the ONNX export takes packages that are not installed.
        OSError: a file is missing or cannot be read.
        ValueError: the folder is no model, or a damaged one; or something asked for cannot be made of it.
    """
    options = options or RepositoryOptions()
    contents = Contents.of(model)
    on_step("copying the model")
    for name in contents.files:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(model / name, target)
    on_step("loading it")
    pipe = _load(folder)
    examples = [Example(text, tuple(found)) for text, found in zip(options.texts, _extract(pipe, options), strict=True)]
    if options.onnx:
        from ..onnx.export import export_onnx

        model_itself: Any = pipe.model  # an ensemble is refused there
        export_onnx(model_itself, pipe.tokenizer, folder / ONNX_FOLDER, on_step=on_step)
    # A config that names code is of no use without it.
    standalone = options.standalone or "auto_map" in contents.facts.config
    if standalone:
        from .standalone import add_standalone_code

        on_step("adding the code that runs it without hf_spo")
        add_standalone_code(folder)
    on_step("writing the card")
    card = options.card
    if card is None:
        made = model_card(folder, repo, **options.about, examples=examples, onnx=options.onnx, standalone=standalone)
        card = seal(str(made))
    texts = {
        CARD_FILE: card,
        "handler.py": _HANDLER,
        "requirements.txt": f"{contents.facts.requirement()}>={package_version()}\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return contents


def _load(folder: Path) -> "TripleExtractionPipeline":
    import torch
    import transformers

    from ..model.pipeline import TripleExtractionPipeline

    build: Any = transformers.pipeline  # its overloads list the tasks of transformers only
    pipe = build("triple-extraction", model=str(folder), dtype=torch.float32, device="cpu")
    assert isinstance(pipe, TripleExtractionPipeline)
    return pipe


def _extract(pipe: "TripleExtractionPipeline", options: RepositoryOptions) -> Any:
    return pipe.extractor()(options.texts)
