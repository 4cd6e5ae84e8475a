"""hf-spo: extract triples, train a model, evaluate it. A file for each command.

What imports torch is imported inside the command that needs it, so that `--help` and mistyped options answer at once,
and commands that do without it run where it is not installed.
"""

# Each puts its command into the app.
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
