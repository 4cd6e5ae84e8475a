"""Several processes of this machine, each with a model, working on chunks side by side."""

import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from threading import Thread

from ..data.document_readers import Item
from ..model.calling import Loop
from .chunks import LoadLoop, Result, extract_chunk

_AHEAD = 2
"""Chunks that wait for each process."""

_DEATHS = 3
"""If processes die so often without a chunk done between, another will not help."""


def extract_in_processes(
    chunks: Iterator[Sequence[Item]], load: LoadLoop, workers: int, batch_size: int | None
) -> Iterator[Result]:
    """Extract from chunks, in order; a process that dies is replaced, and what it had at hand is done again.

    Raises:
        RuntimeError: processes die one after the other, or every document fails.
    """
    waiting: deque[Sequence[Item]] = deque()
    pool = _Pool(load, workers, batch_size)
    try:
        for chunk in chunks:
            waiting.append(chunk)
            pool.submit(chunk)
            if len(waiting) >= _AHEAD * workers:
                yield from pool.first(waiting)
        while waiting:
            yield from pool.first(waiting)
    finally:
        pool.stop()


class _Pool:
    """Processes and what they are at."""

    def __init__(self, load: LoadLoop, workers: int, batch_size: int | None) -> None:
        self._arguments = load, batch_size
        self._workers = workers
        self._deaths = 0
        self._start()

    def _start(self) -> None:
        # Fresh ones: threads of this process would not survive in a fork. They start as chunks come.
        context = get_context("spawn")
        self._executor = ProcessPoolExecutor(self._workers, context, initializer=_begin, initargs=self._arguments)
        self._futures: deque[Future[list[Result]]] = deque()

    def submit(self, chunk: Sequence[Item]) -> None:
        self._futures.append(self._executor.submit(_extract, chunk))

    def first(self, waiting: deque[Sequence[Item]]) -> list[Result]:
        """Return the results of the chunk that waits longest."""
        while True:
            try:
                results = self._futures[0].result()
            except BrokenProcessPool as error:
                self._deaths += 1
                if self._deaths == _DEATHS:
                    raise RuntimeError(
                        "processes that extract die one after the other; is memory short? Fewer of them need less"
                    ) from error
                self.stop()
                self._start()
                for chunk in waiting:
                    self.submit(chunk)
            else:
                self._deaths = 0
                self._futures.popleft()
                waiting.popleft()
                return results

    def stop(self) -> None:
        self._executor.shutdown(cancel_futures=True)


_state: dict[str, tuple[Loop, int | None] | Exception] = {}
"""What a process works with, or why it cannot."""


def _begin(load: LoadLoop, batch_size: int | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the starting process's affair
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        _state["work"] = load(), batch_size
    except Exception as error:  # raised here, it would only be said that the process died
        _state["work"] = error


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
