"""Several processes of this machine, each with a model, working on chunks side by side.

A process can die: memory runs out, or native code has a fault. Then every chunk at hand is done again alone, and a
chunk whose process dies again is halved until the document that kills it stands alone and is set aside.
"""

import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from threading import Thread

from ..data.document_readers import Item
from ..data.documents import Document
from ..model.extraction import Loop
from ..support.errors import as_exception
from ..support.unreadable import UnreadableRecord
from .chunks import LoadLoop, Result, extract_chunk

_AHEAD = 2
"""Chunks that wait for each process."""

_DEATHS = 3
"""Deaths in a row, with no chunk done between and no document to blame, after which the run ends."""

_KILLED = "the process that read this document died: memory ran out, or native code has a fault"
_DYING = (
    "processes that extract die one after the other, at no document in particular; is memory short? Fewer need less"
)
_HARMLESS = [Document("", "a", "")]
"""A process that dies at this text would die at any."""


def extract_in_processes(
    chunks: Iterator[Sequence[Item]], load: LoadLoop, workers: int, batch_size: int | None
) -> Iterator[Result]:
    """Extract from chunks, in order; a document that kills its process comes out as an [`UnreadableRecord`].

    Raises:
        RuntimeError: processes die with no document to blame, or every document fails.
    """
    pool = ProcessPool(load, workers, batch_size)
    try:
        for chunk in chunks:
            pool.submit(chunk)
            if len(pool) >= _AHEAD * workers:
                yield from pool.next()
        while pool:
            yield from pool.next()
    finally:
        pool.stop()


class ProcessPool:
    """Processes with a model each, and the chunks that they work on.

    Args:
        load: loads the model, in each process.
        workers: how many processes.
        batch_size: see [`LocalEngine`].
    """

    def __init__(self, load: LoadLoop, workers: int, batch_size: int | None) -> None:
        self._arguments = load, batch_size
        self._workers = workers
        self._deaths = 0
        self._tasks: deque[tuple[Sequence[Item], Future[list[Result]]]] = deque()
        self._start()

    def __len__(self) -> int:
        return len(self._tasks)

    def submit(self, chunk: Sequence[Item]) -> None:
        """Give a chunk to the processes."""
        self._tasks.append((chunk, self._executor.submit(_extract, chunk)))

    def next(self) -> list[Result]:
        """Wait for the results of the chunk that was submitted first.

        Raises:
            RuntimeError: processes die with no document to blame, or every document fails.
        """
        try:
            results = self._tasks[0][1].result()
        except BrokenProcessPool:
            results = self._extract_alone()
        else:
            self._deaths = 0
        self._tasks.popleft()
        return results

    def stop(self) -> None:
        """End the processes."""
        self._executor.shutdown(cancel_futures=True)

    def _start(self) -> None:
        # Fresh ones: threads of this process would not survive in a fork. They start as chunks come.
        context = get_context("spawn")
        self._executor = ProcessPoolExecutor(self._workers, context, initializer=_begin, initargs=self._arguments)

    def _extract_alone(self) -> list[Result]:
        """Do the chunks that were lost with the processes, one at a time. Returns the results of the first."""
        self._deaths += 1
        self._restart()
        for place, (chunk, future) in enumerate(self._tasks):
            if isinstance(future.exception(), BrokenProcessPool):
                done: Future[list[Result]] = Future()
                done.set_result(self._halve(chunk))
                self._tasks[place] = chunk, done
        if self._deaths == _DEATHS:
            raise RuntimeError(_DYING)
        return self._tasks[0][1].result()

    def _halve(self, chunk: Sequence[Item]) -> list[Result]:
        """Extract from a chunk while nothing else runs; halve it if its process dies, down to a single document."""
        try:
            return self._executor.submit(_extract, chunk).result()
        except BrokenProcessPool:
            self._restart()
        middle = len(chunk) // 2
        if middle:
            return self._halve(chunk[:middle]) + self._halve(chunk[middle:])
        (item,) = chunk
        if isinstance(item, Document):
            self._deaths = 0
            item = UnreadableRecord(item.source, 0, _KILLED, item.text, "document", id=item.id)
        return [(item, [])]

    def _restart(self) -> None:
        self.stop()
        self._start()
        try:
            self._executor.submit(_extract, _HARMLESS).result()
        except BrokenProcessPool as error:
            raise RuntimeError(_DYING) from error


_state: dict[str, tuple[Loop, int | None] | Exception] = {}
"""What a process works with, or the error that its model failed to load with."""


def _begin(load: LoadLoop, batch_size: int | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the process that started this one
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        _state["work"] = load(), batch_size
    except BaseException as error:  # raised here, it would look as if the process had died
        _state["work"] = as_exception(error)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _extract(chunk: Sequence[Item]) -> list[Result]:
    work = _state["work"]
    if isinstance(work, Exception):
        raise work
    loop, batch_size = work
    return list(extract_chunk(loop, chunk, batch_size))
