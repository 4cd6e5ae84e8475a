"""Chunks of documents: all engines divide a corpus into the same chunks, so that all give the same scores.

The last digits of a score depend on the texts that share a batch.
"""

from collections.abc import Callable, Iterator, Sequence

from ..data.document_readers import Item
from ..data.documents import Document
from ..model.extraction import Loop, in_blocks
from ..model.schema import TripleDict
from ..support.errors import as_exception
from ..support.unreadable import UnreadableRecord

Result = tuple[Item, list[TripleDict]]
"""A document and its triples in their JSON form; an [`UnreadableRecord`] has none."""

ReadItems = Callable[[], Iterator[Item]]
"""Reads the documents that are still to be done, in order; can be sent to another process."""

LoadLoop = Callable[[], Loop]
"""Loads a model and returns its extraction loop; can be sent to another process."""

CHUNK_SIZE = 1024
"""Documents that go to a worker together."""

_CHUNK_CHARACTERS = 1 << 18

_HOPELESS = 8
"""If so many documents fail alone, and none succeeds, the model or the machine is the cause, not the texts."""


def in_chunks(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    """Divide documents into chunks of at most `size`, fewer where they are long.

    An error of their source is raised after the last chunk that could be read.
    """
    for chunk in in_blocks(items, _characters, _CHUNK_CHARACTERS, size):
        if isinstance(chunk, Exception):
            raise chunk
        yield chunk


def _characters(item: Item) -> int:
    return len(item.text) if isinstance(item, Document) else 0


def extract_chunk(loop: Loop, chunk: Sequence[Item], batch_size: int | None = None) -> Iterator[Result]:
    """Extract from documents; one that fails comes out as an [`UnreadableRecord`] and does not stop the others.

    Raises:
        RuntimeError: every document fails.
    """
    texts = [item.text for item in chunk if isinstance(item, Document)]
    try:
        found = iter(list(loop(texts, batch_size)))
    except BaseException as error:
        as_exception(error)
        # One document is the cause; alone, it shows itself.
        yield from _one_by_one(loop, chunk)
        return
    for item in chunk:
        yield item, [triple.to_dict() for triple in next(found)] if isinstance(item, Document) else []


def _one_by_one(loop: Loop, chunk: Sequence[Item]) -> Iterator[Result]:
    failed, succeeded = 0, False
    for item in chunk:
        if isinstance(item, UnreadableRecord):
            yield item, []
            continue
        try:
            (triples,) = loop([item.text])
        except BaseException as raised:
            error = as_exception(raised)
            named = f"{type(raised).__name__}: {raised}"
            failed += not isinstance(error, ValueError)
            if failed >= _HOPELESS and not succeeded:
                raise RuntimeError(f"one document after the other fails: {named}") from error
            reason = str(error) if isinstance(error, ValueError) else named
            yield UnreadableRecord(item.source, 0, reason, item.text, "document", id=item.id), []
        else:
            succeeded = True
            yield item, [triple.to_dict() for triple in triples]
