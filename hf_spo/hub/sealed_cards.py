"""Cards that this package wrote, told from those that somebody edited, and cards of the user's own."""

import re
from pathlib import Path

from huggingface_hub import ModelCard
from yaml import YAMLError

from ..support.files import digest

_SEAL = re.compile(r"<!-- written by hf-spo publish, ([0-9a-f]{16}); once edited, it is not overwritten -->\n?\Z")


def seal(card: str) -> str:
    """Append a comment by which [`is_sealed`] knows the card again as long as nobody changes it."""
    text = card.rstrip() + "\n\n"
    return f"{text}<!-- written by hf-spo publish, {_digest(text)}; once edited, it is not overwritten -->\n"


def is_sealed(card: str) -> bool:
    """Tell whether a card is as [`seal`] returned it."""
    found = _SEAL.search(card)
    return found is not None and found[1] == _digest(card[: found.start()])


def _digest(text: str) -> str:
    return digest(text.encode("utf-8", "surrogatepass"))


def read_card(path: Path) -> str:
    """Read a card of the user's own.

    Raises:
        ValueError: it is no text, or what stands between its first two lines of three dashes is no YAML.
    """
    text = read_text(path)
    try:
        ModelCard(text)
    except (YAMLError, ValueError) as error:
        raise ValueError(f"{path} is no model card: {error}") from None
    return text


def read_text(path: Path) -> str:
    """Read a file of text.

    Raises:
        ValueError: it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: no UTF-8 text ({error}); save it as UTF-8") from None
