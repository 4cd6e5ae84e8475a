"""The evaluation report as one HTML page, which needs no network and no other file."""

from pathlib import Path

from jinja2 import Environment, StrictUndefined

from .errors import Cause
from .plots import plots
from .report import Report
from .sentences import sentences

_TEMPLATE = "page.html.jinja"
_SENTENCES = 400
# Of relations there is a table.
_TITLES = {"length": "F1 by length", "reliability": "Reliability", "threshold": "Threshold"}
# What has no place in HTML: control characters, and lone surrogates, which have no UTF-8.
_UNPRINTABLE = dict.fromkeys({*range(32), *range(0x7F, 0xA0), *range(0xD800, 0xE000)} - {*b"\t\n"}, "\ufffd")


def render(report: Report, limit: int = _SENTENCES) -> str:
    """Return the page, with at most `limit` sentences."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_printable
    )
    template = environment.from_string(Path(__file__).with_name(_TEMPLATE).read_text(encoding="utf-8"))
    return template.render(
        report=report,
        strict=report.measures["strict"],
        plots={_TITLES[plot.name]: plot.for_page() for plot in plots(report) if plot.name in _TITLES},
        causes=report.causes(),
        meaning=_MEANING,
        sentences=sentences(report.texts, report.schema, limit),
    )


def _printable(value: object) -> object:
    return value.translate(_UNPRINTABLE) if type(value) is str else value


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
