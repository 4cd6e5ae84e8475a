"""The command line, hf-spo: one module per command.

Modules that import torch are imported inside the commands that need them, so that `--help` and errors in options appear
at once, and the other commands run where torch is not installed.
"""

from importlib import import_module

from .app import COMMANDS, app

for _name in COMMANDS:
    import_module(f".{_name}", __name__)  # adds the command to the application

__all__ = ["app"]
