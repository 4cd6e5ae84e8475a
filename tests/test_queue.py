"""The queue of recipes: order, what is skipped, what stops it. A stand-in for hf-spo writes what a training writes."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

QUEUE = Path(__file__).parents[1] / "recipes" / "queue.sh"
HF_SPO = """#!/bin/sh
echo "$@" >> calls
case $2 in *broken*) echo "no data" >&2; exit 3;; esac
mkdir -p "$4" && touch "$4/training_log.json"
"""


@pytest.fixture
def queue(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = tmp_path / "bin" / "hf-spo"
    command.parent.mkdir()
    command.write_text(HF_SPO)
    command.chmod(0o755)
    path = os.pathsep.join([str(command.parent), os.environ["PATH"]])

    def run(*steps):
        return subprocess.run([QUEUE, *steps], env={"PATH": path}, capture_output=True, encoding="utf-8")

    return run


def calls():
    return Path("calls").read_text().splitlines()


def test_steps_run_in_order_and_once(queue):
    Path("between.sh").write_text('cp calls "$1/seen"\n')
    steps = ("recipes/a.yaml", "between.sh", "b.yaml")
    for _ in range(2):
        assert queue("runs", *steps).returncode == 0
    assert calls() == [
        "train recipes/a.yaml --output runs/a --resume",
        "train b.yaml --output runs/b --resume",
    ]
    assert Path("runs/seen").read_text().count("\n") == 1
    log = Path("runs/queue.log").read_text()
    assert [log.count(f"{word} b") for word in ("start", "end", "skip")] == [2, 2, 2]  # of b and between


def test_a_failure_stops_the_queue_and_is_tried_again(queue):
    for _ in range(2):
        done = queue("runs", "a.yaml", "broken.yaml", "b.yaml")
        assert (done.returncode, done.stderr) == (3, "no data\n")
    assert [call.split()[1] for call in calls()] == ["a.yaml", "broken.yaml", "broken.yaml"]


def test_two_queues(queue):
    Path("runs").mkdir()
    with Path("runs/queue.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = queue("runs", "a.yaml")
    assert (done.returncode, done.stderr) == (1, "another queue works on runs\n")
    assert queue("runs", "a.yaml").returncode == 0


def test_wrong_usage(queue):
    done = queue("runs")
    assert done.returncode == 2
    assert "./queue.sh RUNS STEP…" in done.stderr
