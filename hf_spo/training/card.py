"""The model card that a trainer writes: that of `hf-spo publish`, with what a trainer knows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # not named as exported

from ..hub.card import model_card
from ..hub.card_files import is_generated, mark_generated, read_text

CARD_FILE = "README.md"


def write_card(folder: str | Path, repo: str, tags: str | list[str] | None = None, **about: Any) -> None:
    """Write the card of a saved model, unless somebody has written or edited it.

    Args:
        folder: of the model.
        repo: name of the repository.
        tags: further tags of the Hub.
        about: arguments of [`model_card`].

    Raises:
        FileNotFoundError, ValueError: see [`model_card`].
    """
    path = Path(folder) / CARD_FILE
    if path.is_file() and not is_generated(read_text(path)):
        return
    card = model_card(folder, repo, **about)
    data: Any = card.data  # its class has any attribute
    known = data.tags or []
    data.tags = [*known, *(tag for tag in listed(tags) if tag not in known)]
    path.write_text(mark_generated(str(card)), encoding="utf-8", newline="\n")


def evaluation_report(name: str, texts: int, score: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report of a trainer's evaluation, as [`model_card`] takes it.

    Args:
        name: of the evaluation texts.
        texts: their number.
        score: strict counts and ratios.
    """
    return {"data": name, "texts": texts, "scores": {"strict": dict(score)}, "by": "SpoTrainer"}


def on_hub(name: str | None) -> str | None:
    """Return the name of a model if it can be one of the Hub, else None."""
    try:
        validate_repo_id(name)
    except HFValidationError:
        return None
    return None if not name or Path(name).exists() else name


def listed(values: str | list[str] | None) -> list[str]:
    """Return one value or several as a list."""
    return [values] if isinstance(values, str) else list(values or ())
