"""Runs that are killed at random moments end as others do; `benchmarks/kills.py` kills them more often."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from kills import kill_corpus, kill_training


@pytest.mark.slow
@pytest.mark.parametrize("run", [kill_training, kill_corpus])
def test_killed_again_and_again(run, tmp_path):
    outcome = run(tmp_path, 3, seed=1)
    assert outcome.moments.total() >= 3
    assert not outcome.differences
