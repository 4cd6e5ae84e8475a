"""Diagnosis of labelled data and models before training: checks with advice, overfitting test, HTML page."""

from typing import TYPE_CHECKING

from ..support.lazy import lazy_names

if TYPE_CHECKING:
    from .checks import diagnose
    from .diagnosis import Diagnosis, Finding, Severity, Suggestion
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "Diagnosis": "diagnosis",
            "Finding": "diagnosis",
            "Severity": "diagnosis",
            "Suggestion": "diagnosis",
            "diagnose": "checks",
        },
    )

__all__ = ["Diagnosis", "Finding", "Severity", "Suggestion", "diagnose"]
