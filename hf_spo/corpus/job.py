"""Run an engine over a corpus and write its results, so that the run can be stopped and resumed at any time."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from ..data.document_readers import Item, read_documents
from ..data.documents import ReadOptions, Source
from ..data.formats.base import DataFormatError
from ..support.locks import only_writer
from ..support.unreadable import UnreadableRecord
from .chunks import LoadLoop, Result
from .engines import Engine
from .manifest import Manifest
from .parts import PartFormat, PartWriter, Rows

PART_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a job, earlier runs included.

    Args:
        documents: number of documents extracted from.
        triples: number of triples found.
        failed: number of documents that could not be read or extracted from.
        parts: number of finished parts.
    """

    documents: int = 0
    triples: int = 0
    failed: int = 0
    parts: int = 0


@dataclass(frozen=True, slots=True)
class CorpusJob:
    """Extracts triples from all documents of some sources into a folder of part files.

    A part gets its name when it is complete, and counts when the manifest lists it. A run that was stopped, even by a
    power cut, resumes at the first document that is in no such part. A finished run takes the lines that were appended
    to its files since. Each document has a row in a part (with `Rows.TRIPLE`, a row for each triple) or in an errors
    file. A file that cannot be read counts as one failed document, unless it is the first.

    Args:
        sources: to read, in this order.
        folder: for parts, errors and manifest; it is created if it does not exist.
        options: how documents are read.
        rows: content of a row.
        form: file format of the parts.
        part_size: documents in a part.
        stamp: `model` and `revision`, added to every row.
        settings: further settings that the output depends on; a run is resumed only with the same.
    """

    sources: Sequence[Source]
    folder: Path
    options: ReadOptions = field(default_factory=ReadOptions)
    rows: Rows = Rows.DOCUMENT
    form: PartFormat = PartFormat.JSONL
    part_size: int = PART_SIZE
    stamp: Mapping[str, str | None] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)

    def run(self, engine: Engine, load: LoadLoop, tell: Callable[[Progress], None] = lambda _: None) -> Progress:
        """Extract from the documents that are not done; without any, the model is not loaded.

        Args:
            engine: runs the model.
            load: loads the model.
            tell: called with the progress after each document.

        Raises:
            BlockingIOError: another run writes to the folder.
            OSError: the folder cannot be written to, or the disk is full; finished parts stay.
            ValueError: the folder has other content, a run with other settings or of other files.
        """
        with only_writer(self.folder):
            return self._run(engine, load, tell)

    def _run(self, engine: Engine, load: LoadLoop, tell: Callable[[Progress], None]) -> Progress:
        stamp = {"model": None, "revision": None, **self.stamp}
        settings = {"rows": str(self.rows), "format": str(self.form), **stamp, **self.settings}
        manifest = Manifest(self.folder, settings)
        done = {source.name: manifest.done(source) for source in self.sources}
        manifest.note_sources(self.sources)
        waiting = [(source, number) for source in self.sources if (number := done[source.name]) is not None]
        if waiting:
            read = partial(_read, waiting, self.options)
            sources = deque(source for source, _ in waiting)
            try:
                self._write(engine(read, load), manifest, sources, stamp, tell)
            except ConnectionError:  # to a cluster, before any work
                raise
            except OSError as error:
                stays = f"{manifest.documents + manifest.failed:,} documents are done and stay"
                raise OSError(f"{error}; {stays}: solve this and run the same command again") from error
            manifest.end(sources)
        return _progress(manifest)

    def _write(
        self,
        results: Iterator[Result],
        manifest: Manifest,
        sources: deque[Source],
        stamp: Mapping[str, str | None],
        tell: Callable[[Progress], None],
    ) -> None:
        part: PartWriter | None = None
        try:
            for item, triples in results:
                part = part or PartWriter(self.folder, manifest.parts, self.rows, self.form, stamp)
                part.add(item, triples)
                tell(_progress(manifest, part))
                if part.documents + part.failed == self.part_size:
                    part.finish()
                    manifest.add(part)
                    # The sources before this document's are finished and need not be read again.
                    manifest.end(list(_pop_before(sources, item.source)))
                    part = None
            if part is not None:
                part.finish()
                manifest.add(part)
                part = None
        finally:
            if part is not None:
                part.discard()


def _pop_before(sources: deque[Source], name: str) -> Iterator[Source]:
    while sources[0].name != name:
        yield sources.popleft()


def _read(waiting: Sequence[tuple[Source, int]], options: ReadOptions) -> Iterator[Item]:
    for number, (source, done) in enumerate(waiting):
        try:
            yield from islice(read_documents(source, options), done, None)
        except (DataFormatError, OSError) as error:
            if number == 0 and not done:  # the input may be wrong altogether
                raise
            yield UnreadableRecord(source.name, 0, str(error), id=source.name)


def _progress(manifest: Manifest, part: PartWriter | None = None) -> Progress:
    counts = [manifest.documents, manifest.triples, manifest.failed]
    if part is not None:
        counts = [old + new for old, new in zip(counts, (part.documents, part.triples, part.failed), strict=True)]
    return Progress(counts[0], counts[1], counts[2], manifest.parts)
