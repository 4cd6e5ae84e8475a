"""Documents by the chunk, which every engine extracts from on its own, so that all give the same numbers.

The last digits of a score depend on which texts share a batch.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from ..data.document_readers import Item
from ..data.documents import Document, Unreadable
from ..model.calling import Loop

Result = tuple[Item, list[dict[str, Any]]]
"""A document and its triples in their JSON form; what is no document has none."""

ReadItems = Callable[[], Iterator[Item]]
"""Reads documents, in order, from the first that is still to be done; can be sent to another process."""

LoadLoop = Callable[[], Loop]
"""Loads a model and returns what extracts with it; can be sent to another process."""

CHUNK_SIZE = 1024
"""Documents that a worker is given together, and does again together if it dies."""

_CHUNK_CHARACTERS = 1 << 18

_HOPELESS = 8
"""If so many documents, taken alone, all fail for what is no fault of a text, the model or the machine is at fault."""


def in_chunks(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    """Put documents together, at most `size`, and fewer where they are long.

    What goes wrong with their source comes after those that were read before.
    """
    failure: Exception | None = None
    while failure is None:
        chunk: list[Item] = []
        characters = 0
        try:
            for item in islice(items, size):
                chunk.append(item)
                characters += len(item.text) if isinstance(item, Document) else 0
                if characters >= _CHUNK_CHARACTERS:
                    break
        except Exception as error:
            failure = error
        if chunk:
            yield chunk
        elif failure is None:
            return
    raise failure


def extract_chunk(loop: Loop, chunk: Sequence[Item], batch_size: int | None = None) -> Iterator[Result]:
    """Extract from documents, letting what is none through; one that fails does not stop the others.

    Raises:
        RuntimeError: every document fails.
    """
    texts = [item.text for item in chunk if isinstance(item, Document)]
    try:
        found = iter(list(loop(texts, batch_size)))
    except Exception:
        # One of them; alone it shows itself.
        yield from _one_by_one(loop, chunk)
        return
    for item in chunk:
        yield item, [triple.to_dict() for triple in next(found)] if isinstance(item, Document) else []


def _one_by_one(loop: Loop, chunk: Sequence[Item]) -> Iterator[Result]:
    failed, succeeded = 0, False
    for item in chunk:
        if isinstance(item, Unreadable):
            yield item, []
            continue
        try:
            (triples,) = loop([item.text])
        except Exception as error:
            failed += not isinstance(error, ValueError)
            if failed >= _HOPELESS and not succeeded:
                raise RuntimeError(f"one document after the other fails: {type(error).__name__}: {error}") from error
            reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            yield Unreadable(item.id, reason, item.source, content=item.text), []
        else:
            succeeded = True
            yield item, [triple.to_dict() for triple in triples]
