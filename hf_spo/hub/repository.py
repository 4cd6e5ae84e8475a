"""Build the complete repository of a model in a folder."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from ..loading.loader import load
from ..model.schema import Example
from ..model.versions import package_version
from .card import model_card
from .card_files import mark_generated
from .saved_model import SavedModel

CARD_FILE = "README.md"
ONNX_FOLDER = "onnx"

_HANDLER = '''"""Handler for Inference Endpoints; requirements.txt installs hf_spo, which has it."""

from hf_spo.service.endpoint import EndpointHandler

__all__ = ["EndpointHandler"]
'''


@dataclass(frozen=True, slots=True)
class RepositoryOptions:
    """Optional parts of a repository.

    Args:
        card: text of the README; default: a generated one.
        about: arguments of [`model_card`] for a generated one: report, data, licence, base_model, language, recipe.
        texts: examples for a generated one.
        onnx: whether to add an ONNX export in a subfolder.
        standalone: whether to add the code that runs the model without hf_spo.
        address: of a wheel or repository to install hf_spo from; default: the package index.

    Raises:
        ValueError: pip does not accept the address.
    """

    card: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    texts: Sequence[str] = ()
    onnx: bool = False
    standalone: bool = False
    address: str | None = None

    def __post_init__(self) -> None:
        if self.address is None:
            return
        try:
            Requirement(f"hf-spo @ {self.address}")
        except InvalidRequirement as error:
            raise ValueError(f"{self.address!r} is not an address for pip ({error})") from None
        if "://" not in self.address:
            raise ValueError(
                f"{self.address!r} is not an address for pip: expected https://… of a wheel, or git+https://… of a "
                f"repository"
            )


def is_from_index() -> bool:
    """Tell whether hf-spo was installed from a package index, rather than from a file, folder or repository."""
    try:
        return distribution("hf-spo").read_text("direct_url.json") is None
    except PackageNotFoundError:
        return False


def build_repository(
    model: Path,
    folder: Path,
    repo: str,
    options: RepositoryOptions | None = None,
    *,
    on_step: Callable[[str], object] = lambda step: None,
) -> SavedModel:
    """Write all files of a model's repository into a folder; the weights are copied unchanged.

    The copy is loaded before anything is added to it, so that a model that cannot be loaded is not published.

    Args:
        model: folder of a trained model or ensemble.
        folder: an empty folder.
        repo: name of the repository, for the card.
        options: optional parts.
        on_step: called with a description of each step.

    Returns:
        The model in the given folder.

    Raises:
        ImportError: packages for the ONNX export are not installed.
        OSError: a file is missing or cannot be read.
        ValueError: the model is damaged or of another kind, or an optional part cannot be made of it.
    """
    options = options or RepositoryOptions()
    saved = SavedModel.read(model)
    on_step("copying the model")
    for name in saved.files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(model / name, target)
    on_step("loading it")
    pipe = load(folder, device="cpu", dtype="float32", backend="torch")
    examples = [Example(text, tuple(found)) for text, found in pipe.extractor().pairs(options.texts)]
    if options.onnx:
        from ..onnx.export import export_onnx

        model_itself: Any = pipe.model  # an ensemble is refused there
        export_onnx(model_itself, pipe.tokenizer, folder / ONNX_FOLDER, on_step=on_step)
    # A config that refers to code needs that code.
    standalone = options.standalone or "auto_map" in saved.config
    if standalone:
        from .standalone import add_standalone_code

        on_step("adding the code that runs it without hf_spo")
        add_standalone_code(folder)
    on_step("writing the card")
    card = options.card
    if card is None:
        made = model_card(
            folder,
            repo,
            **options.about,
            examples=examples,
            onnx=options.onnx,
            standalone=standalone,
            address=options.address,
        )
        card = mark_generated(str(made))
    texts = {
        CARD_FILE: card,
        "handler.py": _HANDLER,
        "requirements.txt": saved.requirement(address=options.address)
        + (f">={package_version()}\n" if options.address is None else "\n"),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return saved
