"""A diagnosis as one HTML page, which needs no network and no other file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..support.safe_text import render_page
from .diagnosis import Diagnosis

_TEMPLATE = "page.html.jinja"


def render(about: Mapping[str, Any], diagnosis: Diagnosis, overfit: Mapping[str, Any] | None = None) -> str:
    """Return the page.

    Args:
        about: names and values that say what was examined.
        diagnosis: of the data.
        overfit: what the overfitting test gave, as plain values, if it was made.
    """
    return render_page(
        Path(__file__).with_name(_TEMPLATE),
        about=about,
        diagnosis=diagnosis,
        figures=diagnosis.figures,
        overfit=overfit,
    )
