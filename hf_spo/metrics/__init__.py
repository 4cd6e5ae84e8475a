"""Scores of extracted triples, significance tests and the evaluation report.

Import `write_report` from `hf_spo.metrics.writing`; it needs matplotlib.
"""

from pathlib import Path

from .duie_official import OfficialScore, read_aliases
from .report import Report, evaluate_report, text_counts
from .significance import Difference, Interval, bootstrap, compare
from .triple_f1 import Judgement, Match, TripleScore, TripleScorer, judge

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
    """Return the folder to pass to `evaluate.load`."""
    return str(Path(__file__).parent / "spo_f1")
