"""Code that travels with a model, for users who load it with `trust_remote_code=True` and without the package."""

import shutil
from os import PathLike
from pathlib import Path
from typing import Any

TASK = "triple-extraction"
ENTRY = "pipeline"
"""The module that config.json refers to. It imports all others, so each class is loaded exactly once."""

CODE_KEYS = ("auto_map", "custom_pipelines")
"""Keys of a config.json that refer to code."""


def code_references(config_class: str, model_class: str) -> dict[str, Any]:
    """Return what config.json says where code travels with a model: which classes are used for what."""
    pipeline = {"impl": f"{ENTRY}.TripleExtractionPipeline", "pt": ["AutoModel"], "type": "text"}
    return {
        "auto_map": {"AutoConfig": f"{ENTRY}.{config_class}", "AutoModel": f"{ENTRY}.{model_class}"},
        "custom_pipelines": {TASK: pipeline},
    }


def copy_code(folder: str | PathLike[str]) -> None:
    """Copy the code that came with a model into another model's folder."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for path in Path(__file__).parent.glob("*.py"):
        if path.name != "__init__.py":
            shutil.copyfile(path, Path(folder) / path.name)
