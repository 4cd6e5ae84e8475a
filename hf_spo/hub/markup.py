"""Strings of others in Markdown, in YAML and in source code: shown as they are, never obeyed."""

import json
import re


def markdown(value: object) -> str:
    """Return a string as Markdown that shows it as it is, in a table's cell too: no markup, no HTML, no line breaks."""
    text = one_line(str(value))
    for character, entity in {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}.items():
        text = text.replace(character, entity)
    return re.sub(r"([\\`*_\[\]~$])", r"\\\1", text)


def clean(text: str) -> str:
    """Replace what has no place in a text file: control characters, lone surrogates."""
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", "\ufffd", text)


def one_line(text: str) -> str:
    """Return a text without line breaks, and without what [`clean`] replaces."""
    return " ".join(clean(text).split())


def literal(text: str) -> str:
    """Return a string as source code of Python."""
    return json.dumps(one_line(text), ensure_ascii=False)
