"""Processes that extract side by side."""

import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from hf_spo.corpus import LocalEngine
from hf_spo.corpus.chunks import in_chunks
from hf_spo.corpus.processes import extract_in_processes
from hf_spo.data import UnreadableRecord
from hf_spo.data.documents import Document
from tests.corpus.mortal import Mortal, fail

ITEMS = [
    *(Document(number, text, "s") for number, text in enumerate("甲乙丙丁")),
    UnreadableRecord("s", 0, "no text", id="x"),
]


def test_what_dies_is_done_again(tmp_path):
    load = partial(Mortal, tmp_path)
    expected = list(LocalEngine(chunk_size=2)(lambda: iter(ITEMS), load))
    assert [item for item, _ in expected] == ITEMS
    (tmp_path / "1").touch()
    assert list(LocalEngine(workers=2, chunk_size=2)(lambda: iter(ITEMS), load)) == expected
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_document_that_kills_its_process_is_set_aside(tmp_path, workers):
    texts = [*"甲乙丙", "kill 1", *"丁戊己庚辛", "kill 2", "kill 3"]
    pool = extract_in_processes(
        in_chunks(iter([Document(number, text, "s") for number, text in enumerate(texts)]), 6),
        partial(Mortal, tmp_path), workers, None,
    )  # fmt: skip
    items = [item for item, _ in pool]
    assert [item.id for item in items] == list(range(11))
    killers = [item for item in items if isinstance(item, UnreadableRecord)]
    assert [item.content for item in killers] == ["kill 1", "kill 2", "kill 3"]
    assert "the process that read this document died" in killers[0].problem


def test_processes_that_die_with_no_document_to_blame_end_the_run(tmp_path):
    for life in range(9):
        (tmp_path / str(life)).touch()
    engine = LocalEngine(workers=2, chunk_size=20)
    with pytest.raises(RuntimeError, match="at no document in particular; is memory short"):
        list(engine(lambda: iter(ITEMS), partial(Mortal, tmp_path)))


def test_a_model_that_cannot_be_loaded():
    with pytest.raises(ValueError, match="there is no such model"):
        list(LocalEngine(workers=2)(lambda: iter(ITEMS), fail))


SCRIPT = """
import os, sys, time
from pathlib import Path
from hf_spo.data.documents import Document
from hf_spo.corpus import LocalEngine
from hf_spo.corpus.chunks import in_chunks
from hf_spo.corpus.processes import extract_in_processes

class Slow:
    def __call__(self, texts, batch_size=None):
        Path(sys.argv[1], str(os.getpid())).touch()
        time.sleep(60)
        return iter([])

if __name__ == "__main__":
    list(LocalEngine(workers=2, chunk_size=1)(lambda: iter([Document(n, "", "") for n in range(9)]), Slow))
"""


def test_they_end_with_the_process_that_started_them(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "pids").mkdir()
    process = subprocess.Popen([sys.executable, str(tmp_path / "script.py"), str(tmp_path / "pids")])
    deadline = time.monotonic() + 60
    while len(list((tmp_path / "pids").iterdir())) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.wait()
    for pid in (tmp_path / "pids").iterdir():
        while Path("/proc", pid.name, "cmdline").exists() and Path("/proc", pid.name, "cmdline").read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.05)
