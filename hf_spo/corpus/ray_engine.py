"""Engine that runs a model on a Ray cluster, by Ray Data: one task reads, each worker is an actor with a model.

Documents go to the workers and results come back through Ray's object store, in order, so that only the machine that
starts the run needs the sources and the output folder. A worker whose machine is lost is replaced, and its chunk is
done again.
"""

import json
import logging
import os
import socket
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import pyarrow as pa

from ..data.document_readers import Item
from ..data.documents import Document
from ..data.formats.base import DataFormatError
from ..model.extraction import Loop
from ..support.unreadable import UnreadableRecord
from .chunks import CHUNK_SIZE, LoadLoop, ReadItems, Result, in_chunks
from .processes import ProcessPool

try:
    # Set before the import: no usage statistics are sent, and messages of Ray's processes stay in its own logs.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    import ray
    import ray.data
    from ray import cloudpickle
    from ray.data import ActorPoolStrategy, DataContext
    from ray.data.block import BlockMetadata
    from ray.data.datasource import Datasource, ReadTask
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
except ImportError:
    raise ImportError("the engine ray needs Ray: pip install 'hf-spo[ray]'") from None

_BLOCK_BYTES = 1
"""Ray collects rows up to this size before it passes them on. A row is a chunk, and one goes to a worker at a time."""

_PATIENCE = 10
"""Seconds to wait for a cluster."""


class RayEngine:
    """Runs the model in the workers of a cluster.

    Args:
        workers: actors, each with a model; default: one for each machine of the cluster that offers CPUs. Those for
            which the cluster has no room start when a machine joins.
        address: of a running cluster; None starts one on this machine, for as long as the run takes.
        batch_size: at most this many texts, or windows of long ones, in one forward pass.
        chunk_size: documents that go to a worker together.
        gpus: of each worker.
    """

    def __init__(
        self,
        workers: int | None = None,
        address: str | None = None,
        batch_size: int | None = None,
        chunk_size: int = CHUNK_SIZE,
        gpus: float = 0,
    ) -> None:
        self.workers = workers
        self.address = address
        self.batch_size = batch_size
        self.chunk_size = chunk_size
        self.gpus = gpus

    def __call__(self, read: ReadItems, load: LoadLoop) -> Iterator[Result]:
        """Yield all documents in order, with their triples."""
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        started = not ray.is_initialized()
        if started:
            _connect(self.address)
        try:
            yield from self._extract(read, load)
        finally:
            if started:
                ray.shutdown()

    def _extract(self, read: ReadItems, load: LoadLoop) -> Iterator[Result]:
        context = DataContext.get_current().copy()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.target_max_block_size = _BLOCK_BYTES
        context.target_min_block_size = 1
        context.execution_options.preserve_order = True
        with DataContext.current(context):
            # Reading needs next to no CPU time, and must not wait for a CPU while the workers hold all. It takes place
            # on this machine: another may lack the files, and if it were lost, all would have to be read again.
            here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
            with warnings.catch_warnings():
                # Ray 2.50 has no other parameter for it.
                warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated")
                rows = ray.data.read_datasource(
                    _Documents(read, self.chunk_size),
                    num_cpus=0,
                    override_num_blocks=1,
                    ray_remote_args={"scheduling_strategy": here},
                )
            sizes = _sizes(self.gpus)
            workers = self.workers or max(1, len(sizes))
            found = rows.map_batches(
                _Worker,
                fn_constructor_args=(load, self.batch_size),
                batch_size=1,
                batch_format="pyarrow",
                compute=ActorPoolStrategy(size=workers),
                num_cpus=_processors(workers, sizes),
                num_gpus=self.gpus or None,
            )
            for batch in found.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=1):
                for content in batch["results"].to_pylist():
                    yield from _results(content)


def _connect(address: str | None) -> None:
    try:
        if address and ":" in address:
            # Ray itself would try for minutes and then end the process.
            host, _, port = address.removeprefix("ray://").rpartition(":")
            socket.create_connection((host, int(port)), _PATIENCE).close()
        ray.init(
            address or "local",
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (OSError, ValueError) as error:
        raise ConnectionError(f"no Ray cluster answers at {address}: {error}") from None


def _sizes(gpus: float) -> list[int]:
    """Return the numbers of CPUs of the machines that a worker can be on."""
    offers = (node["Resources"] for node in ray.nodes() if node["Alive"])
    sizes = (int(offer.get("CPU", 0)) for offer in offers if offer.get("GPU", 0) >= gpus)
    return [size for size in sizes if size]


def _processors(workers: int, sizes: Sequence[int]) -> int:
    """Return the largest number of CPUs that each worker can have, so that all find room; at least 1."""
    fitting = (each for each in range(max(sizes, default=1), 0, -1) if sum(size // each for size in sizes) >= workers)
    return next(fitting, 1)


class _Documents(Datasource):
    """Data source of Ray Data: a row for each chunk, read in order by one task."""

    def __init__(self, read: ReadItems, chunk_size: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # unannotated there
        self._read = read
        self._chunk_size = chunk_size

    def estimate_inmemory_data_size(self) -> int | None:
        """Return None: the size is not known."""
        return None

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: Any = None
    ) -> list[ReadTask]:
        """Return one task that reads all."""
        read, size = self._read, self._chunk_size
        unknown = BlockMetadata(num_rows=None, size_bytes=None, exec_stats=None)
        return [ReadTask(lambda: _rows(read, size), unknown)]


def _rows(read: ReadItems, size: int) -> Iterator[pa.Table]:
    try:
        for chunk in in_chunks(read(), size):
            yield pa.table({"items": [json.dumps([asdict(item) for item in chunk])]})
    except (DataFormatError, OSError) as error:
        # As a row, so that the rows before it come out first and Ray does not wrap it in its own traceback.
        yield pa.table({"items": [json.dumps({"failure": str(error)})]})


def _item(row: dict[str, Any]) -> Item:
    return Document(**row) if "text" in row else UnreadableRecord(**row)


class _Worker:
    """Extracts from a chunk at a time, in a process of its own that a document may kill."""

    def __init__(self, load: LoadLoop, batch_size: int | None) -> None:
        # Ray's pickle can send a function that was defined anywhere, that of the standard library cannot.
        self._pool = ProcessPool(partial(_load, cloudpickle.dumps(load)), 1, batch_size)

    def __call__(self, batch: pa.Table) -> pa.Table:
        return pa.table({"results": [self._extract(content) for content in batch["items"].to_pylist()]})

    def _extract(self, content: str) -> str:
        chunk = json.loads(content)
        if isinstance(chunk, dict):
            return content
        self._pool.submit([_item(row) for row in chunk])
        try:
            return json.dumps([[asdict(item), triples] for item, triples in self._pool.next()])
        except RuntimeError as error:
            return json.dumps({"hopeless": str(error)})


def _load(pickled: bytes) -> Loop:
    load: LoadLoop = cloudpickle.loads(pickled)
    return load()


def _results(content: str) -> Iterator[Result]:
    rows = json.loads(content)
    if isinstance(rows, dict):
        raise DataFormatError(rows["failure"]) if "failure" in rows else RuntimeError(rows["hopeless"])
    for item, triples in rows:
        yield _item(item), triples
