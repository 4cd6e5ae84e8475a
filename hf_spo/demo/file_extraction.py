"""Extraction from an uploaded file, within limits and in chunks, into files to download."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any

from ..corpus.chunks import extract_chunk, in_chunks
from ..data.document_readers import Item, read_documents
from ..data.documents import Document, ReadOptions, find_sources
from ..model.extraction import Loop
from ..model.fields import json_line
from ..model.schema import TripleDict
from ..support.files import whole_file
from ..support.safe_text import encodable
from ..support.tables import TRIPLE, triple_row
from ..support.unreadable import UnreadableRecord
from .extraction import MAX_CHARACTERS

MAX_BYTES = 5 * 1024 * 1024
"""Maximum size of a file."""

MAX_DOCUMENTS = 1000
"""Number of documents that are read from a file."""

PREVIEW = 100
"""Number of triples in the preview."""

_CHUNK = 16
_SHOWN = 1000


@dataclass(slots=True)
class Outcome:
    """Results from a file so far.

    Args:
        name: name of the file.
        documents, triples: their numbers.
        preview: the first triples, each with the name of its document.
        problems: records that could not be read.
        is_cut: whether the file has more documents than the limit.
        files: files to download once extraction is complete: triples as JSON lines and CSV, and the problems if any.
    """

    name: str
    documents: int = 0
    triples: int = 0
    preview: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    problems: list[UnreadableRecord] = field(default_factory=list)
    is_cut: bool = False
    files: list[Path] = field(default_factory=list)


def extract_file(
    path: Path, column: str, loop: Loop, folder: Path, too_long: Callable[[int], str]
) -> Iterator[Outcome]:
    """Extract from the documents of a file; yield the results so far after each chunk.

    Args:
        path: path of the file; its suffix identifies the format.
        column: column or field with the text.
        loop: extraction loop.
        folder: folder for the files to download.
        too_long: returns the message about a text with too many characters.

    Raises:
        ValueError: the format is unknown, or the column is missing.
        OSError: the file cannot be read.
    """
    (source,) = find_sources([str(path)])
    outcome = Outcome(path.name)
    items = (_named(item, path) for item in read_documents(source, ReadOptions(column)))
    within = (_checked(item, too_long) for item in islice(items, MAX_DOCUMENTS))
    rows, sheet, problems = (folder / f"{path.stem}.{kind}" for kind in ("triples.jsonl", "triples.csv", "bad.jsonl"))
    with ExitStack() as files:
        lines = files.enter_context(whole_file(rows))
        table = csv.DictWriter(files.enter_context(whole_file(sheet)), TRIPLE.names)
        table.writeheader()
        for chunk in in_chunks(within, _CHUNK):
            for item, triples in extract_chunk(loop, chunk):
                _add(outcome, item, triples, lines, table)
            yield outcome
        outcome.is_cut = next(items, None) is not None
    outcome.files = [rows, sheet]
    if outcome.problems:
        with whole_file(problems) as file:
            for one in outcome.problems:
                file.write(json_line({"id": one.id, "problem": one.problem, "content": one.content}) + "\n")
        outcome.files.append(problems)
    yield outcome


def _add(outcome: Outcome, item: Item, triples: Sequence[TripleDict], lines: IO[str], table: Any) -> None:
    if isinstance(item, UnreadableRecord):
        outcome.problems.append(item)
        return
    outcome.documents += 1
    outcome.triples += len(triples)
    room = PREVIEW - len(outcome.preview)
    outcome.preview += [(str(item.id), triple) for triple in triples[:room]]
    lines.write(json_line({"id": item.id, "text": item.text, "triples": triples}) + "\n")
    for triple in triples:
        row = triple_row(triple, str(item.id))
        row["qualifiers"] = json.dumps(triple["qualifiers"], ensure_ascii=False) if triple["qualifiers"] else ""
        table.writerow({name: encodable(value) if isinstance(value, str) else value for name, value in row.items()})


def _named(item: Item, path: Path) -> Item:
    """Name a document by the name of its file, without the folder of the upload."""
    name = str(item.id).replace(str(path), path.name) if isinstance(item.id, str) else item.id
    if isinstance(item, Document):
        return Document(name, item.text, path.name)
    return replace(item, id=name, source=path.name, reason=item.reason.replace(str(path), path.name))


def _checked(item: Item, too_long: Callable[[int], str]) -> Item:
    if isinstance(item, Document) and len(item.text) > MAX_CHARACTERS:
        return UnreadableRecord(item.source, 0, too_long(len(item.text)), item.text[:_SHOWN], "document", id=item.id)
    return item
