"""Scores of extracted triples."""

from .triple_f1 import Match, TripleScore, TripleScorer

__all__ = ["Match", "TripleScore", "TripleScorer"]
