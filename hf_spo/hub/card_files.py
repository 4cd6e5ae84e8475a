"""Mark cards that this package wrote, to recognise those that somebody edited, and read cards of users."""

import re
from pathlib import Path

from huggingface_hub import ModelCard
from yaml import YAMLError

from ..support.files import digest

_MARK = re.compile(r"<!-- written by hf-spo publish, ([0-9a-f]{16}); once edited, it is not overwritten -->\n?\Z")


def mark_generated(card: str) -> str:
    """Append a comment with the card's digest, by which [`is_generated`] recognises the card until it is edited."""
    text = card.rstrip() + "\n\n"
    return f"{text}<!-- written by hf-spo publish, {_digest(text)}; once edited, it is not overwritten -->\n"


def is_generated(card: str) -> bool:
    """Tell whether a card is as [`mark_generated`] returned it."""
    found = _MARK.search(card)
    return found is not None and found[1] == _digest(card[: found.start()])


def _digest(text: str) -> str:
    return digest(text.encode("utf-8", "surrogatepass"))


def read_card(path: Path) -> str:
    """Read a card that a user wrote.

    Raises:
        ValueError: the file is not UTF-8, or its metadata between the first two lines of three dashes is not YAML.
    """
    text = read_text(path)
    try:
        ModelCard(text)
    except (YAMLError, ValueError) as error:
        raise ValueError(f"{path} is not a model card: {error}") from None
    return text


def read_text(path: Path) -> str:
    """Read a text file.

    Raises:
        ValueError: the file is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 ({error}); save it as UTF-8") from None
