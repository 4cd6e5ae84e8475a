"""The evaluation report as one self-contained HTML page."""

from pathlib import Path

from ..support.safe_text import render_page
from .errors import Cause
from .plots import plots
from .report import Report
from .sentences import sentences

_TEMPLATE = "page.html.jinja"
_SENTENCES = 400
# The page has a table of relations instead of their plot.
_TITLES = {"length": "F1 by length", "reliability": "Reliability", "threshold": "Threshold"}


def render(report: Report, limit: int = _SENTENCES) -> str:
    """Return the page with at most `limit` sentences."""
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
        Cause.DIRECTION: "A gold triple has the same predicate, with subject and object exchanged.",
        Cause.BOUNDARY: "A gold triple has the same predicate and overlapping mentions; their borders differ.",
        Cause.RELATION: "A gold triple has the same subject and object under another predicate.",
        Cause.PAIRING: "Gold triples of this predicate have this subject and others this object, but none has both.",
        Cause.SPURIOUS: "None of the above.",
    },
    "missed": {
        Cause.DIRECTION: "Predicted with subject and object exchanged.",
        Cause.BOUNDARY: "Predicted with the same predicate and overlapping mentions; their borders differ.",
        Cause.RELATION: "Predicted under another predicate.",
        Cause.PAIRING: "Subject and object were predicted with this predicate, but not together.",
        Cause.SUBJECT_MISSED: "No predicted triple of the text has this subject.",
        Cause.OBJECT_MISSED: "Predicted triples have this subject, but not with this predicate and object.",
    },
}
