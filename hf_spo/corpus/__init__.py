"""Extraction from a corpus of any size into a folder of parts, which can be stopped at any time and goes on."""

from .engines import Engine, LocalEngine
from .job import CorpusJob, Progress

__all__ = ["CorpusJob", "Engine", "LocalEngine", "Progress"]
