"""Training and extraction from a corpus, killed at random moments and continued by the same command until the end.

    python benchmarks/kills.py --kills 20 --seed 0

The commands run as separate processes, and the signal is SIGKILL. The result must equal that of an uninterrupted run:
for training, the same weights bit by bit and the same scores; for a corpus, the same rows, with no document lost or
duplicated. If a run ends before the wanted number of kills, another one follows. Exits with 1 if anything differs.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import torch
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests import builders

_COMMAND = [sys.executable, "-m", "hf_spo.cli"]
_CHECKPOINTS_EVERY = 2
_RECIPE = {
    "model": {"max_length": 64, "encoder_config": {"hidden_dropout_prob": 0.1}},
    "training": {
        "use_cpu": True,
        "per_device_train_batch_size": 2,
        "learning_rate": 1e-3,
        "ema_decay": 0.9,
        "save_strategy": "steps",
        "save_steps": _CHECKPOINTS_EVERY,
        "save_total_limit": 3,
        "eval_strategy": "steps",
        "eval_steps": _CHECKPOINTS_EVERY,
        "load_best_model_at_end": True,
        "disable_tqdm": True,
        "training_curves": False,
    },
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of runs that were killed repeatedly.

    Args:
        runs: number of runs that were killed and continued to their end.
        moments: number of kills by phase.
        differences: differences to an uninterrupted run.
        seconds: total time.
    """

    runs: int
    moments: Counter[str]
    differences: list[str]
    seconds: float


def kill_training(folder: Path, kills: int, seed: int, epochs: int = 40) -> Outcome:
    """Train a tiny model, uninterrupted and killed, and compare."""
    tokenizer = builders.wordpiece_tokenizer()
    model = builders.spo_model(builders.encoder_config("bert", len(tokenizer)))
    model.encoder.save_pretrained(folder / "encoder")
    tokenizer.save_pretrained(folder / "encoder")
    rows = "".join(json.dumps(example.to_dict()) + "\n" for example in builders.EXAMPLES)
    (folder / "train.jsonl").write_text(rows, encoding="utf-8")
    recipe = {
        "encoder": str(folder / "encoder"),
        "train": str(folder / "train.jsonl"),
        "dev": str(folder / "train.jsonl"),
        **_RECIPE,
        "training": {**_RECIPE["training"], "num_train_epochs": epochs},
    }
    (folder / "recipe.yaml").write_text(json.dumps(recipe), encoding="utf-8")  # JSON is YAML

    def command(output: Path) -> list[str]:
        return [*_COMMAND, "train", str(folder / "recipe.yaml"), "--resume", "--output", str(output)]

    def moment(output: Path) -> str:
        if (output / "training_log.json").exists():
            return "after the end"
        if (output / "model.safetensors").exists():
            return "writing the model"
        checkpoints = list(output.glob("checkpoint-*"))
        if any(not (path / "trainer_state.json").exists() for path in checkpoints):
            return "writing a checkpoint"
        return "training, or starting again" if checkpoints else "starting"

    return _killed(folder, command, moment, _differences_of_training, kills, seed)


def _differences_of_training(whole: Path, killed: Path) -> list[str]:
    ours, theirs = load_file(killed / "model.safetensors"), load_file(whole / "model.safetensors")
    differences = [name for name in theirs if not torch.equal(ours[name], theirs[name])] + sorted(ours.keys() ^ theirs)
    logs = [json.loads((folder / "training_log.json").read_text(encoding="utf-8")) for folder in (whole, killed)]
    figures = [
        {name: value for name, value in log["final"].items() if name.endswith(("f1", "precision", "recall"))}
        for log in logs
    ]
    if figures[0] != figures[1]:
        differences.append(f"figures {figures}")
    configs = [json.loads((folder / "config.json").read_text(encoding="utf-8")) for folder in (whole, killed)]
    keys = {*configs[0], *configs[1]}
    return differences + [f"config.json: {key}" for key in keys if configs[0].get(key) != configs[1].get(key)]


def kill_corpus(folder: Path, kills: int, seed: int, documents: int = 20_000) -> Outcome:
    """Extract from a corpus, uninterrupted and killed, and compare."""
    tokenizer = builders.wordpiece_tokenizer()
    model = builders.spo_model(builders.encoder_config("bert", len(tokenizer), size=64))
    builders.overfit(model, builders.training_batch(builders.EXAMPLES, tokenizer), steps=100)
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    with (folder / "corpus.txt").open("w", encoding="utf-8") as file:
        file.writelines(f"{builders.EXAMPLES[at % len(builders.EXAMPLES)].text} {at}\n" for at in range(documents))

    def command(output: Path) -> list[str]:
        files = ["--input", str(folder / "corpus.txt"), "--output", str(output), "--part-size", "200"]
        return [*_COMMAND, "extract", "--model", str(folder / "model"), "--dtype", "float32", *files]

    def moment(output: Path) -> str:
        parts = list(output.glob("part-*.jsonl"))
        if sum(part.read_bytes().count(b"\n") for part in parts) == documents:
            return "after the end"
        if any(output.glob(".part-*.part")):
            return "writing a part"
        return "extracting, or starting again" if parts else "starting"

    return _killed(folder, command, moment, _differences_of_corpus, kills, seed)


def _differences_of_corpus(whole: Path, killed: Path) -> list[str]:
    ours, theirs = (_rows(folder) for folder in (killed, whole))
    seen = Counter(row["id"] for row in ours)
    differences = [f"{row['id']} is lost" for row in theirs if row["id"] not in seen]
    differences += [f"{name} occurs {count} times" for name, count in seen.items() if count > 1]
    facts = {row["id"]: builders.facts(row["triples"]) for row in theirs}
    return differences + [row["id"] for row in ours if builders.facts(row["triples"]) != facts.get(row["id"])]


def _rows(folder: Path) -> list[Any]:
    rows = []
    for part in sorted(folder.glob("part-*.jsonl")):
        with part.open(encoding="utf-8", newline="\n") as lines:
            rows += [json.loads(line) for line in lines]
    return rows


def _killed(folder: Path, command: Any, moment: Any, differences: Any, kills: int, seed: int) -> Outcome:
    """Run a command to its end for comparison, then again with kills at random moments."""
    begin = time.perf_counter()
    started, seconds = _run(command(folder / "whole"), folder / "whole")
    chance, moments, runs = random.Random(seed), Counter[str](), 0
    found: list[str] = []
    while moments.total() < kills:
        output, done = folder / f"killed-{runs}", False
        while not done:
            death = None
            if moments.total() < kills:
                # A quarter of the kills during the start, which takes much of the time; the others during the work.
                starts = chance.random() < 0.25
                death = Death(not starts, chance.uniform(0, started if starts else seconds - started))
            done = _run(command(output), output, death) is not None
            moments[moment(output)] += not done
        found += differences(folder / "whole", output)
        runs += 1
    return Outcome(runs, +moments, found, time.perf_counter() - begin)


@dataclass(frozen=True, slots=True)
class Death:
    """When a process is killed: `after` seconds after its start, or after it first wrote a file."""

    at_work: bool
    after: float


def _run(command: Sequence[str], output: Path, death: Death | None = None) -> tuple[float, float] | None:
    """Run a command; return the seconds until it first wrote a file, and in all; None if it was killed.

    Raises:
        RuntimeError: the command failed.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # sums of several threads differ in their last bits
    begin, before, wrote = time.perf_counter(), _names(output), 0.0
    with TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=environment)
        while process.poll() is None:
            now = time.perf_counter() - begin
            if not wrote and _names(output) - before:
                wrote = now
            since = wrote if death is not None and death.at_work else 0.0
            if death is not None and (wrote or not death.at_work) and now > since + death.after:
                process.kill()
                process.wait()
                return None
            time.sleep(0.02)
        if process.returncode:
            errors.seek(0)
            raise RuntimeError(f"exit code {process.returncode}: {errors.read().decode(errors='replace')[-2000:]}")
    return wrote, time.perf_counter() - begin


def _names(folder: Path) -> set[str]:
    """Return the names in the folder of a run, without the lock, which exists from the start."""
    return {path.name for path in folder.iterdir() if path.name != ".lock"} if folder.is_dir() else set()


_RUNS = {"training": kill_training, "corpus": kill_corpus}


def main() -> None:
    """Read the arguments, run both, print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=list(_RUNS))
    options = parser.parse_args()
    failed = False
    for name, run in _RUNS.items():
        if options.only not in (None, name):
            continue
        with TemporaryDirectory() as folder:
            outcome = run(Path(folder), options.kills, options.seed)
        print(f"{name}: {outcome.moments.total()} kills of {outcome.runs} runs, {outcome.seconds:,.0f} s")
        for moment, count in outcome.moments.most_common():
            print(f"    {count} {moment}")
        print(f"    {len(outcome.differences)} differences {outcome.differences[:5]}", flush=True)
        failed = failed or bool(outcome.differences)
    sys.exit(failed)


if __name__ == "__main__":
    main()
