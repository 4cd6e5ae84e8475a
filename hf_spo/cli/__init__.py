"""The command line, hf-spo: one module per command.

Modules that import torch are imported inside the commands that need them, so that `--help` and errors in options appear
at once, and the other commands run where torch is not installed.
"""

# Each module adds its command to the application.
from . import (
    compare,
    convert,
    demo,
    doctor,
    ensemble,
    evaluate,
    export,
    extract,
    graph,
    kfold,
    publish,
    relabel,
    rules,
    serve,
    show,
    train,
    tune,
)
from .app import app

__all__ = [
    "app",
    "compare",
    "convert",
    "demo",
    "doctor",
    "ensemble",
    "evaluate",
    "export",
    "extract",
    "graph",
    "kfold",
    "publish",
    "relabel",
    "rules",
    "serve",
    "show",
    "train",
    "tune",
]
