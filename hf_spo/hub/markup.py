"""Strings of others in Markdown, in YAML and in source code: shown as they are, never obeyed."""

import json
import re

from ..support.safe_text import one_line


def markdown(value: object) -> str:
    """Return a string as Markdown that shows it as it is, in a table's cell too: no markup, no HTML, no line breaks."""
    text = one_line(str(value))
    for character, entity in {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}.items():
        text = text.replace(character, entity)
    return re.sub(r"([\\`*_\[\]~$])", r"\\\1", text)


def literal(text: str) -> str:
    """Return a string as source code of Python."""
    return json.dumps(one_line(text), ensure_ascii=False)
