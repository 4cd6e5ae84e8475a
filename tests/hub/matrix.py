"""The matrix: (plugin, no plugin) × (local folder, Hub) × (config, model, tokenizer, pipeline), for two models.

python tests/hub/matrix.py    prints it as Markdown
"""

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hf_spo.hub.standalone import add_standalone_code
from tests.hub.fake_hub import FakeHub

CHECKPOINTS = Path(__file__).parents[1] / "fixtures" / "checkpoint-0.1.0"
KINDS = ("bert", "dgcnn")
PLACES = ("local folder", "Hub")
COLUMNS = ("plugin", "no-plugin")
WAYS = ("AutoConfig", "AutoModel", "AutoTokenizer", "pipeline")
COLUMN = Path(__file__).with_name("matrix_column.py")

Cells = dict[str, dict[str, Any]]


def expected(kind: str) -> dict[str, Any]:
    """Return what a kept checkpoint is known to say."""
    said: dict[str, Any] = json.loads((CHECKPOINTS / kind / "expected.json").read_text(encoding="utf-8"))
    return said


def add_sources(hub: FakeHub, folder: Path) -> dict[str, str]:
    """Put models with their code into folders and onto the Hub; return where, by "kind, place"."""
    found = {}
    for kind in KINDS:
        local = folder / kind
        shutil.copytree(CHECKPOINTS / kind, local)
        add_standalone_code(local)
        hub.upload(local, f"me/{kind}")
        found |= {f"{kind}, {PLACES[0]}": str(local), f"{kind}, {PLACES[1]}": f"me/{kind}"}
    return found


def run_column(column: str, sources: dict[str, str], hub: FakeHub, folder: Path, *more: str) -> Cells:
    """Load sources in a process of their own.

    Args:
        column: "plugin" or "no-plugin".
        sources: as `add_sources` returns them.
        hub: that some are on.
        folder: for what the process writes.
        more: sources that everything else is tried with, see `matrix_column.more_cells`.
    """
    wanted = [
        {
            "name": name,
            "source": source,
            "expected": expected(name.partition(",")[0]),
            "more": str(folder / f"more-{number}") if name in more else "",
        }
        for number, (name, source) in enumerate(sources.items())
    ]
    out = folder / f"{column}.json"
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", str(COLUMN), column, str(out)],
        input=json.dumps(wanted), env={**os.environ, **hub.environment}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "y/N" not in done.stdout, done.stdout
    cells: Cells = json.loads(out.read_text(encoding="utf-8"))
    return cells


def judge(column: str, name: str, cells: dict[str, Any]) -> dict[str, str]:
    """Return "ok" for each way of loading a source, or what is wrong."""
    if "error" in cells:
        return dict.fromkeys(WAYS, cells["error"])
    said = expected(name.partition(",")[0])
    code = "hf_spo" if column == "plugin" else "transformers_modules"
    ids = said["inputs"]["input_ids"][0][: sum(said["inputs"]["attention_mask"][0])]
    right = {
        "AutoConfig": cells["AutoConfig"] == [code, 2],
        "AutoModel": close(cells["AutoModel"], [code, said["subject_probs"], said["object_probs"]]),
        "AutoTokenizer": cells["AutoTokenizer"] == ids,
        "pipeline": close(cells["pipeline"], [code, said["triples"]]),
    }
    return {way: "ok" if right[way] else f"wrong: {cells[way]}" for way in WAYS}


def close(found: Any, wanted: Any) -> bool:
    """Compare JSON values; numbers up to what processors differ in."""
    if isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(close(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(close, found, wanted))
    if isinstance(wanted, float):
        return math.isclose(found, wanted, rel_tol=1e-4, abs_tol=1e-5)
    return bool(found == wanted)


def main() -> None:
    """Print the matrix."""
    with TemporaryDirectory() as home, FakeHub(Path(home)) as hub:
        sources = add_sources(hub, Path(home))
        judged = {
            (column, name): judge(column, name, cells)
            for column in COLUMNS
            for name, cells in run_column(column, sources, hub, Path(home)).items()
        }
    lines = [f"| {' | '.join(('', 'model, place', *WAYS))} |", "|---" * (2 + len(WAYS)) + "|"]
    for (column, name), cells in judged.items():
        lines.append(f"| {' | '.join((column, name, *cells.values()))} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
