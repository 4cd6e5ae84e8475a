"""hf-spo: extract triples, train a model, evaluate it. A file for each command.

What imports torch is imported inside the command that needs it, so that `--help` and mistyped options answer at once.
"""

from . import evaluate, extract, train  # each puts its command into the app
from .app import app

__all__ = ["app", "evaluate", "extract", "train"]
