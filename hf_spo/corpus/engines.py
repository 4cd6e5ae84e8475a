"""Engines: they run a model over the documents of a corpus."""

from collections.abc import Iterator
from typing import Protocol

from .chunks import CHUNK_SIZE, LoadLoop, ReadItems, Result, extract_chunk, in_chunks
from .processes import extract_in_processes


class Engine(Protocol):
    """Runs a model over documents."""

    def __call__(self, read: ReadItems, load: LoadLoop) -> Iterator[Result]:
        """Yield all documents in order, with their triples; one that fails comes out as an [`UnreadableRecord`].

        Raises:
            RuntimeError: every document fails.
        """
        ...


class LocalEngine:
    """Runs the model on this machine.

    Args:
        workers: processes, each with a model; 1 uses this process. Only another process can survive a document that
            kills it.
        batch_size: at most this many texts, or windows of long ones, in one forward pass.
        chunk_size: documents that are read together.
    """

    def __init__(self, workers: int = 1, batch_size: int | None = None, chunk_size: int = CHUNK_SIZE) -> None:
        self.workers = workers
        self.batch_size = batch_size
        self.chunk_size = chunk_size

    def __call__(self, read: ReadItems, load: LoadLoop) -> Iterator[Result]:
        """Yield all documents in order, with their triples."""
        chunks = in_chunks(read(), self.chunk_size)
        if self.workers > 1:
            yield from extract_in_processes(chunks, load, self.workers, self.batch_size)
            return
        loop = load()
        for chunk in chunks:
            yield from extract_chunk(loop, chunk, self.batch_size)
