"""The metric, loaded from a Space of the fake Hub."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hub.fake_hub import FakeHub

METRIC = Path(__file__).parents[2] / "spaces" / "spo_f1"
_LOAD = """
import evaluate
triple = {"subject": {"text": "晚风"}, "predicate": "歌手", "object": {"text": "白露"}}
print(evaluate.load("me/spo_f1").compute(predictions=[[triple]], references=[[triple]])["f1"])
"""


@pytest.mark.slow
def test_the_metric_from_a_hub(hub: FakeHub, tmp_path: Path) -> None:
    hub.upload(METRIC, "me/spo_f1", kind="space")
    environment = {**os.environ, **hub.environment}
    done = subprocess.run(
        [sys.executable, "-c", _LOAD], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.stdout == "1.0\n", done.stderr
