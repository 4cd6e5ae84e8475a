"""Add to a model's repository the code that runs it with `trust_remote_code=True` where hf_spo is not installed."""

import json
import shutil
from pathlib import Path

from transformers.dynamic_module_utils import get_relative_import_files

from ..model.configuration_decoding import DecodingConfig
from ..model.configuration_ensemble import EnsembleConfig
from ..model.configuration_spo import SpoConfig
from ..model.fields import json_line
from ..model.travelling import ENTRY
from ..model.versions import package_version
from ..support.files import whole_file

_CONFIGS: dict[str, type[DecodingConfig]] = {config.model_type: config for config in (SpoConfig, EnsembleConfig)}


def travelling_files() -> list[Path]:
    """Return the files of this package that are copied: the pipeline's, and all that it imports."""
    entry = Path(__file__).parents[1] / "model" / f"{ENTRY}.py"
    return sorted({entry, *map(Path, get_relative_import_files(entry))})


def add_standalone_code(folder: Path) -> list[str]:
    """Add to a saved model's folder the code that runs it where hf_spo is not installed.

    There, `pipeline("triple-extraction", model=…, trust_remote_code=True)` and the Auto classes work. Where hf_spo is
    installed, its own code is used, without `trust_remote_code`.

    Args:
        folder: of a model with its tokenizer, as `save_pretrained` writes it; its config.json is rewritten. On the Hub
            it has to be a whole repository, since transformers looks for code only at the top level.

    Returns:
        Names of the files added.

    Raises:
        ValueError: the model is not one of this package.
        FileNotFoundError: there is no config.json.
    """
    path = Path(folder) / "config.json"
    saved = json.loads(path.read_text(encoding="utf-8"))
    config = _CONFIGS.get(str(saved.get("model_type"))) if isinstance(saved, dict) else None
    if config is None:
        raise ValueError(
            f"{path} is not the config of a triple-extraction model: expected model_type {' or '.join(_CONFIGS)}; save "
            f"a model there by model.save_pretrained"
        )
    files = travelling_files()
    for file in files:
        shutil.copyfile(file, path.parent / file.name)
    # Last, so that it never refers to missing files.
    saved |= config.code_references() | {"hf_spo_version": package_version()}
    with whole_file(path) as out:
        out.write(json_line(saved, indent=2) + "\n")
    return [file.name for file in files]
