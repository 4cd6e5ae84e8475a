"""A diagnosis as one self-contained HTML page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..support.safe_text import render_page
from .diagnosis import Diagnosis

_TEMPLATE = "page.html.jinja"


def render(about: Mapping[str, Any], diagnosis: Diagnosis, overfit: Mapping[str, Any] | None = None) -> str:
    """Return the page.

    Args:
        about: names and values that describe data and model.
        diagnosis: of the data.
        overfit: result of the overfitting test as plain values, if it was run.
    """
    return render_page(
        Path(__file__).with_name(_TEMPLATE),
        about=about,
        diagnosis=diagnosis,
        figures=diagnosis.figures,
        overfit=overfit,
    )
