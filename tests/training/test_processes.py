"""Several processes, started by torchrun."""

import json
import os
import subprocess
import sys

import pytest

from tests.training import tiny


def launch(processes, folder, trained):
    folder.mkdir()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    environment = {**os.environ, "TRAINED": trained, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, tiny.__file__, "evaluate", str(folder)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(path.read_text()) for path in sorted(folder.glob("figures-*.json"))]


@pytest.mark.slow
def test_two_processes_evaluate_as_one_does(tmp_path, trained_folder):
    (alone,) = launch(1, tmp_path / "one", trained_folder)
    both = launch(2, tmp_path / "two", trained_folder)
    assert both == [alone, alone]
    assert len(alone["counts"]) == len(tiny.TEXTS)
    assert alone["metrics"]["eval_all_recall"] == 1.0
