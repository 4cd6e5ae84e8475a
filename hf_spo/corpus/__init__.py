"""Resumable extraction from a corpus of any size into a folder of part files."""

from .engines import Engine, LocalEngine
from .job import CorpusJob, Progress

__all__ = ["CorpusJob", "Engine", "LocalEngine", "Progress"]
