"""hf-spo rules."""

import json
import shutil
from pathlib import Path
from typing import Annotated

import typer

from ..loading.locations import model_folder
from ..model.fields import json_line
from ..model.schema import Schema
from .console import say
from .models import find_model
from .options import FILE, FILES_PANEL, NEW_FOLDER, Model, command, option

_CONFIG = "config.json"


@command()
def rules(
    schema: Annotated[Path, option("The model's relations with their new rules.", panel=FILES_PANEL, **FILE)],
    output: Annotated[
        Path,
        option(
            "Folder for the model with these rules in its config; may be the model's own folder.",
            "--output", "-o", panel=FILES_PANEL, **NEW_FOLDER,
        ),
    ],
    model: Model = None,
) -> None:  # fmt: skip
    """Replace the rules of a trained model by those of a schema file, without training.

    `hf-spo evaluate --report FOLDER` shows the effect of each rule on the scores.

    Examples:
      hf-spo rules --model my-model --schema rules.jsonl --output my-model
    """
    declared = Schema.from_file(schema)
    folder = model_folder(find_model(model))
    path = folder / _CONFIG
    if not path.is_file():
        raise FileNotFoundError(f"{folder} has no {_CONFIG}; expected the folder of a trained model")
    own = output.resolve() == folder.resolve()
    if not own and output.exists() and any(output.iterdir()):
        raise typer.BadParameter(f"{output} is not empty; give another folder, or the model's own")
    config = json.loads(path.read_text(encoding="utf-8"))
    if not config.get("relations"):
        raise ValueError(f"{path} has no relations; expected a triple-extraction model")
    try:
        ruled = Schema.from_list(config["relations"]).with_rules_of(declared)
    except ValueError as error:
        raise ValueError(f"{schema} is not about the relations of {folder}: {error}") from None
    config["relations"] = json.loads(json.dumps(ruled.to_list(), sort_keys=True))  # as `save_pretrained` does
    if not own:
        # Links into a cache become files.
        shutil.copytree(folder, output, ignore=shutil.ignore_patterns("checkpoint-*"), dirs_exist_ok=True)
    text = json_line(config, indent=2) + "\n"
    (output / _CONFIG).write_text(text, encoding="utf-8", newline="\n")
    say(f"hf-spo: the rules are in {output / _CONFIG}")
    typer.echo(json_line({"model": str(output), "relations_with_rules": sum(bool(one.rules) for one in ruled)}))
