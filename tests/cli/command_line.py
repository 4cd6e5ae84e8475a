"""What tests of commands share."""

import json
import sys
from pathlib import Path
from typing import Any

from typer.testing import Result

COMMAND = [sys.executable, "-m", "hf_spo"]


def write_rows(path: Path, rows: list[Any]) -> Path:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def rows(text: str) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def facts(row: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return a row's triples as strings."""
    return sorted((t["subject"]["text"], t["predicate"], t["object"]["text"]) for t in row["triples"])


def one_line_error(result: Result, code: int) -> str:
    """Check that a command ended with this code and one readable line; return the line."""
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    *_, line = result.stderr.splitlines()
    return line
