"""Strange characters made safe to show and to write: in terminals, HTML, XML, SVG, JSON, UTF-8.

Control characters could rewrite a terminal's screen and have no place in XML or HTML; lone surrogates have no UTF-8.
Each becomes U+FFFD, one for one, so that offsets into the text stay right.
"""

import json
import re
from pathlib import Path
from typing import Any

SURROGATE = re.compile("[\ud800-\udfff]")
"""A surrogate; in a `str`, all of them are lone ones."""

_CONTROL = {*range(32), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF}
_BIDI = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_TEXT = dict.fromkeys(_CONTROL - {*b"\t\n"}, "\ufffd") | {ord("\r"): "\n"}
_LINE = dict.fromkeys(_CONTROL | _BIDI, "\ufffd") | dict.fromkeys(map(ord, "\t\n\r\u2028\u2029"), " ")
# The HTML parser looks for the end of a script element before JSON is read.
_SCRIPT = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def encodable(text: str) -> str:
    """Replace lone surrogates, so that the text can be written as UTF-8."""
    return text if text.isascii() else SURROGATE.sub("\ufffd", text)


def printable(text: str) -> str:
    """Replace all characters that HTML, XML or a terminal cannot hold, but for tabs and line feeds.

    A carriage return becomes a line feed, as XML readers make it one.
    """
    return text.translate(_TEXT)


def printable_line(text: str) -> str:
    """Replace as [`printable`] does, and tabs and line ends by spaces, for a text that is shown on one line.

    Controls of the writing direction are replaced, too: they would turn around what stands after the text.
    """
    return text.translate(_LINE)


def one_line(text: str) -> str:
    """Return a printable text in which each run of white space is one space, without any around it."""
    return printable(" ".join(text.split()))


def script_json(value: Any) -> str:
    """Return a value as JSON that may stand in a script element of an HTML page."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_SCRIPT)


def render_page(template: Path, **values: Any) -> str:
    """Render the Jinja template of an HTML page; each string put into it is escaped and printable."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Markup is a subclass of str, and is left as it is.
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    return environment.from_string(template.read_text(encoding="utf-8")).render(**values)
