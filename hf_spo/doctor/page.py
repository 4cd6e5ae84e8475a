"""A diagnosis as one HTML page, which needs no network and no other file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from .diagnosis import Diagnosis

_TEMPLATE = "page.html.jinja"
# What has no place in HTML: control characters, and lone surrogates, which have no UTF-8.
_UNPRINTABLE = dict.fromkeys({*range(32), *range(0x7F, 0xA0), *range(0xD800, 0xE000)} - {*b"\t\n"}, "\ufffd")


def render(about: Mapping[str, Any], diagnosis: Diagnosis, overfit: Mapping[str, Any] | None = None) -> str:
    """Return the page.

    Args:
        about: names and values that say what was examined.
        diagnosis: of the data.
        overfit: what the overfitting test gave, as plain values, if it was made.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_printable
    )
    template = environment.from_string(Path(__file__).with_name(_TEMPLATE).read_text(encoding="utf-8"))
    return template.render(about=about, diagnosis=diagnosis, figures=diagnosis.figures, overfit=overfit)


def _printable(value: object) -> object:
    return value.translate(_UNPRINTABLE) if type(value) is str else value
