"""Starts the `hf-spo` command; no part of the library.

A console script that names `hf_spo.cli` imports the package `hf_spo` first, which registers with transformers and so
imports torch: seconds before `--help` can answer. This module stands outside the package for that reason alone.
"""

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec


def main() -> None:
    """Run the command line, leaving `import hf_spo` to the commands that need it."""
    spec = find_spec("hf_spo")
    assert spec is not None
    # The bare module knows where its submodules lie, but its __init__ has not run. It goes away at once: the first
    # `import hf_spo` after it, or the first import of a module that is not loaded yet, runs __init__ as anywhere else.
    sys.modules["hf_spo"] = module_from_spec(spec)
    cli = import_module("hf_spo.cli")
    del sys.modules["hf_spo"]
    cli.app(prog_name="hf-spo")
