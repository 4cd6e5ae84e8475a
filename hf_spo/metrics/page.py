"""The evaluation report as one HTML page, which needs no network and no other file."""

from pathlib import Path

from ..support.safe_text import render_page
from .errors import Cause
from .plots import plots
from .report import Report
from .sentences import sentences

_TEMPLATE = "page.html.jinja"
_SENTENCES = 400
# Of relations there is a table.
_TITLES = {"length": "F1 by length", "reliability": "Reliability", "threshold": "Threshold"}


def render(report: Report, limit: int = _SENTENCES) -> str:
    """Return the page, with at most `limit` sentences."""
    return render_page(
        Path(__file__).with_name(_TEMPLATE),
        report=report,
        strict=report.measures["strict"],
        plots={_TITLES[plot.name]: plot.for_page() for plot in plots(report) if plot.name in _TITLES},
        causes=report.causes(),
        meaning=_MEANING,
        sentences=sentences(report.texts, report.schema, limit),
    )


_MEANING = {
    "wrong": {
        Cause.DIRECTION: "A gold triple has the same predicate, subject and object swapped.",
        Cause.BOUNDARY: "A gold triple has the same predicate, and both mentions overlap; their borders differ.",
        Cause.RELATION: "A gold triple has the same subject and object under another predicate.",
        Cause.PAIRING: "Gold triples of this predicate have this subject, others this object, none has both.",
        Cause.SPURIOUS: "None of the above.",
    },
    "missed": {
        Cause.DIRECTION: "Predicted with subject and object swapped.",
        Cause.BOUNDARY: "Predicted with the same predicate and overlapping mentions; their borders differ.",
        Cause.RELATION: "Predicted under another predicate.",
        Cause.PAIRING: "Subject and object were predicted with this predicate, but not together.",
        Cause.SUBJECT_MISSED: "No predicted triple of the text has this subject.",
        Cause.OBJECT_MISSED: "Predicted triples have this subject, but not with this predicate and object.",
    },
}
