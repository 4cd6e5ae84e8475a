"""Scores of extracted triples."""

from pathlib import Path

from .triple_f1 import Match, TripleScore, TripleScorer

__all__ = ["Match", "TripleScore", "TripleScorer", "spo_f1_path"]


def spo_f1_path() -> str:
    """Return the folder of the metric module for `evaluate.load`."""
    return str(Path(__file__).parent / "spo_f1")
