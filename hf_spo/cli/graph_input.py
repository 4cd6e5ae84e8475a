"""What hf-spo graph works on: triples, and the schema that they are compared with."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..loading.locations import model_file
from ..model.schema import Schema
from .console import BadLines
from .models import find_model

if TYPE_CHECKING:
    from ..graph import KnowledgeGraph

_CONFIG = "config.json"


def declared_schema(schema: Path | None, model: str | None) -> Schema | None:
    """Read a schema file, or the schema in a model's config, which is all that is read of the model.

    Raises:
        ValueError: what was read is no schema.
        FileNotFoundError: the model is none.
    """
    if schema is not None and model is not None:
        raise typer.BadParameter("got both --schema and --model; give one of them")
    if schema is not None:
        return Schema.from_file(schema)
    if model is None:
        return None
    path = model_file(find_model(model))
    config = json.loads(path.read_text(encoding="utf-8"))
    if not config.get("relations"):
        raise ValueError(f"{path} has no relations; expected a triple-extraction model, or give --schema")
    return Schema.from_list(config["relations"])


def build(
    triples: str,
    output: Path | None,
    skip_bad_lines: bool,
    min_score: float | None,
    min_count: int,
    provenance: bool,
    texts: bool,
) -> "KnowledgeGraph":
    """Read triples into a graph; bad rows are set aside in a file beside the output, or stop it."""
    from ..graph import KnowledgeGraph, read_rows

    bad_lines = BadLines(output.parent if output else Path())
    rows = read_rows(triples, bad_lines if skip_bad_lines else None)
    built = KnowledgeGraph.from_rows(
        rows, min_score=min_score, min_documents=min_count, provenance=provenance, texts=texts
    )
    bad_lines.write()
    return built
