"""The same run over a corpus on a local Ray cluster of two workers."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from hf_spo.cli.models import ModelChoice
from hf_spo.cli.options import DType
from hf_spo.corpus import CorpusJob, LocalEngine
from hf_spo.data import DataFormatError
from hf_spo.data.documents import ReadOptions, find_sources
from tests import builders
from tests.corpus.mortal import Mortal, Paced

pytest.importorskip("ray")

import psutil  # Ray needs it
from ray.cluster_utils import Cluster

from hf_spo.corpus.ray_engine import RayEngine, _processors

# Ray sets defaults of its own that it has deprecated.
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context"), pytest.mark.slow]


@pytest.fixture(scope="module")
def cluster():
    """A cluster of this machine, with two processors whatever it has."""
    import ray

    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.jsonl"
    rows = [{"text": example.text, "id": number} for number, example in enumerate(builders.EXAMPLES * 6)]
    rows[5]["text"] = 5
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def parts(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*-0*.jsonl")}


def test_no_cluster_at_the_address():
    with pytest.raises(ConnectionError, match="no Ray cluster answers"):
        list(RayEngine(address="127.0.0.1:1")(lambda: iter([]), lambda: None))


def test_two_workers_give_the_same_and_one_that_dies_costs_nothing(cluster, source, trained_folder, tmp_path):
    choice = ModelChoice(trained_folder, "cpu", DType.FLOAT32, threads=1)

    def job(name):
        return CorpusJob(find_sources([str(source)]), tmp_path / name, part_size=20)

    local = job("local").run(LocalEngine(chunk_size=4), lambda: choice.load_loop({}))
    marker, text = tmp_path / "died", builders.EXAMPLES[-1].text

    def load_mortal():
        loop = choice.load_loop({})

        def mortal(texts, batch_size=None):
            if text in texts and not Path(marker).exists():
                Path(marker).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return loop(texts, batch_size)

        return mortal

    far = job("far").run(RayEngine(workers=2, chunk_size=4), load_mortal)
    assert marker.exists()
    assert far == local
    assert far.failed == 1
    assert far.documents == len(builders.EXAMPLES) * 6 - 1
    assert parts(tmp_path / "far") == parts(tmp_path / "local")


def test_a_document_that_kills_its_process_is_set_aside(cluster, tmp_path):
    (tmp_path / "in.txt").write_text("a\nb\nkill\nc\n")
    (tmp_path / "lives").mkdir()
    job = CorpusJob(find_sources([str(tmp_path / "in.txt")]), tmp_path / "out")
    done = job.run(RayEngine(workers=1), partial(Mortal, tmp_path / "lives"))
    assert (done.documents, done.failed) == (3, 1)


def test_a_source_that_cannot_be_read_is_said_as_it_is_here(cluster, tmp_path):
    (tmp_path / "in.csv").write_text("body\nx\n")
    job = CorpusJob(find_sources([str(tmp_path / "in.csv")]), tmp_path / "out", ReadOptions())
    with pytest.raises(DataFormatError, match="name one of"):
        job.run(RayEngine(workers=1), lambda: None)


@pytest.mark.parametrize(
    ("workers", "sizes", "each"),
    [
        (1, [4], 4),
        (2, [4], 2),
        (3, [4], 1),
        (2, [1, 1], 1),
        (2, [64, 4], 32),
        (3, [64, 4], 21),
        (9, [4], 1),
        (1, [], 1),
    ],
)
def test_workers_share_the_processors_of_unequal_machines(workers, sizes, each):
    assert _processors(workers, sizes) == each


SCRIPT = """
import sys
from functools import partial
from pathlib import Path

from hf_spo.corpus import CorpusJob
from hf_spo.corpus.ray_engine import RayEngine
from hf_spo.data.documents import find_sources
from tests.corpus.mortal import Paced

folder = Path(sys.argv[1])
job = CorpusJob(find_sources([str(folder / "in.txt")]), folder / "far", part_size=8)
print(job.run(RayEngine(address=sys.argv[2], chunk_size=4), partial(Paced, folder / "logs")))
"""


@pytest.fixture
def nodes(monkeypatch):
    """A cluster of three nodes, each with its own raylet: the first has no processor, the others have one each."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    # On a busy machine, a node's agent takes longer to start than a raylet waits for it by default.
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "300")
    monkeypatch.setenv("RAY_agent_register_timeout_ms", "300000")
    head = {"num_cpus": 0, "include_dashboard": False}
    found = Cluster(initialize_head=True, shutdown_at_exit=False, head_node_args=head)
    try:
        yield found, found.add_node(num_cpus=1), found.add_node(num_cpus=1)
    finally:
        found.shutdown()


def processes(node):
    """All processes of a node, our workers' own included."""
    raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
    return [raylet, *raylet.children(recursive=True)]


def wait_until(true, seconds=300):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_nodes_are_lost_and_join_and_the_driver_dies(nodes, tmp_path):
    cluster, _, lost = nodes
    texts = [*(f"early {number}" for number in range(40)), *(f"late {number}" for number in range(24))]
    (tmp_path / "in.txt").write_text("".join(f"{text}\n" for text in texts))
    logs = tmp_path / "logs"
    logs.mkdir()

    def begun(node):
        """First texts of the chunks that a node began."""
        paths = [logs / str(process.pid) for process in processes(node)]
        return [text for path in paths if path.exists() for text in path.read_text().splitlines()]

    def start():
        command = [sys.executable, "-c", SCRIPT, str(tmp_path), cluster.address]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    driver = start()
    wait_until(lambda: begun(lost))
    for process in processes(lost):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    joined = cluster.add_node(num_cpus=1)
    wait_until(lambda: begun(joined) and (tmp_path / "far/part-00000.jsonl").exists())
    assert driver.poll() is None
    driver.kill()
    driver.communicate()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "far").glob("part-*")}
    (logs / "go on").touch()
    again = start()
    assert "documents=64, triples=64, failed=0, parts=8" in again.communicate(timeout=300)[0]
    assert {path: path.stat().st_mtime_ns for path in before} == before  # not written again
    CorpusJob(find_sources([str(tmp_path / "in.txt")]), tmp_path / "here", part_size=8).run(
        LocalEngine(chunk_size=4), partial(Paced, logs)
    )
    assert parts(tmp_path / "far") == parts(tmp_path / "here")
