"""The same run over a corpus on a local Ray cluster of two workers."""

import json
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from hf_spo.cli.models import ModelChoice
from hf_spo.cli.options import DType
from hf_spo.corpus import CorpusJob, LocalEngine
from hf_spo.data import DataFormatError
from hf_spo.data.documents import ReadOptions, find_sources
from tests import builders
from tests.corpus.mortal import Mortal

pytest.importorskip("ray")

from hf_spo.corpus.ray_engine import RayEngine  # as above

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
