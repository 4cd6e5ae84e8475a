"""Scores of extracted triples, and the evaluation report.

Writing a report needs matplotlib, so `write_report` has to be imported from `hf_spo.metrics.writing`.
"""

from pathlib import Path

from .duie_official import OfficialScore, read_aliases
from .judging import Judgement, judge
from .report import Report, evaluate_report, text_counts
from .significance import Difference, Interval, bootstrap, compare
from .triple_f1 import Match, TripleScore, TripleScorer

__all__ = [
    "Difference",
    "Interval",
    "Judgement",
    "Match",
    "OfficialScore",
    "Report",
    "TripleScore",
    "TripleScorer",
    "bootstrap",
    "compare",
    "evaluate_report",
    "judge",
    "read_aliases",
    "spo_f1_path",
    "text_counts",
]


def spo_f1_path() -> str:
    """Return the folder of the metric module for `evaluate.load`."""
    return str(Path(__file__).parent / "spo_f1")
