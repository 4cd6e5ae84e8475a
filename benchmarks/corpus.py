"""Extraction from a corpus into a folder by `hf-spo extract`: on this machine, and by workers of a local Ray cluster.

Each run is a separate process, timed from its start to its end. The rate leaves out the first thousandth of the
documents, and with them the start, which has a column of its own. Memory is the peak of the process itself, without
other processes and the workers of a cluster. In the last row the run is killed at up to twenty random moments, and
started again each time.
"""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import Row, Settings, draw, texts
from rich.table import Table

KILLS = 20
_SEED = 0


def measure(settings: Settings) -> list[Row]:
    """Run the fast model over corpora of growing size, then on a cluster, then with kills."""
    limit = settings.limit
    with TemporaryDirectory() as name:
        folder = Path(name)
        rows = [_run(settings, folder, "here", count) for count in (limit // 10, limit)]
        rows.append(_run(settings, folder, "here, 2 processes", limit, "--workers", "2"))
        if find_spec("ray"):
            for workers in (1, 2):
                label = f"Ray, {workers} worker{'s' * (workers > 1)}"
                rows.append(_run(settings, folder, label, limit // 5, "--engine", "ray", "--workers", str(workers)))
        rows.append(_killed(settings, folder, limit // 5))
    return rows


def _corpus(settings: Settings, folder: Path, count: int) -> Path:
    path = folder / f"{count}.txt"
    if not path.exists():
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in texts(settings.texts, count))
    return path


def _command(source: Path, output: Path, *options: str) -> list[str]:
    command = [sys.executable, "-m", "hf_spo.cli", "extract", "--model", "lite", "--dtype", "float32"]
    return [*command, "--input", str(source), "--output", str(output), *options]


def _run(settings: Settings, folder: Path, engine: str, count: int, *options: str) -> Row:
    few = max(1, count // 1000)
    start, _, _ = _timed(_command(_corpus(settings, folder, few), folder / f"{engine} {few}", *options))
    output = folder / f"{engine} {count}"
    seconds, peak, done = _timed(_command(_corpus(settings, folder, count), output, *options))
    return {
        "engine": engine,
        "documents": count,
        "start_seconds": start,
        "seconds": seconds,
        "documents_per_second": (count - few) / (seconds - start),
        "triples": done["triples"],
        "peak_memory_mib": peak,
        **_check(output, count),
    }


def _timed(command: list[str]) -> tuple[float, int, Row]:
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _held(process.pid))
        time.sleep(0.2)
    seconds = time.perf_counter() - begin
    assert process.stdout is not None
    with process.stdout as out:
        done: Row = json.loads(out.read())
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}: {' '.join(command)}")
    return seconds, peak, done


def _held(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def _killed(settings: Settings, folder: Path, count: int) -> Row:
    command = _command(_corpus(settings, folder, count), folder / "killed", "--part-size", str(max(1, count // 100)))
    chance, kills, begin = random.Random(_SEED), 0, time.perf_counter()
    while True:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            # Between the loading of the model and the middle of the work.
            process.wait(chance.uniform(1, 10) if kills < KILLS else None)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
            continue
        if process.returncode:
            raise RuntimeError(f"exit code {process.returncode}: {' '.join(command)}")
        break
    seconds = time.perf_counter() - begin
    counts = _check(folder / "killed", count)
    return {"engine": f"here, killed {kills} times", "documents": count, "seconds": seconds, **counts}


def _check(output: Path, count: int) -> Row:
    """Count lost and duplicated documents."""
    seen: Counter[str] = Counter()
    for part in output.glob("part-*.jsonl"):
        with part.open(encoding="utf-8") as lines:
            seen.update(json.loads(line)["id"] for line in lines)
    return {"lost": count - len(seen), "doubled": sum(number - 1 for number in seen.values())}


def table(rows: list[Row]) -> Table:
    """Return the table: a row per run."""
    columns = {
        "engine": ("lite, float32", "s"),
        "documents": ("documents", ",d"),
        "start_seconds": ("start, s", ".1f"),
        "seconds": ("all, s", ".1f"),
        "documents_per_second": ("documents/s", ",.0f"),
        "triples": ("triples", ",d"),
        "peak_memory_mib": ("peak memory, MiB", "d"),
        "lost": ("lost", "d"),
        "doubled": ("duplicated", "d"),
    }
    return draw("Extraction from a corpus into a folder", rows, columns)
