"""Extraction to a terminal, a pipe or one file: one text after the other, in constant memory."""

import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import tee
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO, TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar

import typer
from rich.console import Console

from ..data.document_readers import read_documents, read_stdin_lines
from ..data.documents import STDIN, Document, ReadOptions, Source, SourceFormat, count_documents, find_sources
from ..data.formats.csv_rows import Quoting
from ..model.fields import json_line
from ..model.schema import Triple, TripleDict
from ..support.errors import as_exception
from ..support.files import whole_file, whole_path
from ..support.unreadable import UnreadableRecord
from .console import BadLines, progress_bar, say, triples_table, wants_table
from .models import ModelChoice
from .options import FILES_PANEL, option

if TYPE_CHECKING:
    from ..model.pipeline import TripleExtractionPipeline
    from ..onnx import OnnxTripleExtractionPipeline

T = TypeVar("T")


class Tool(StrEnum):
    """Annotation tools for which suggestions are written."""

    LABEL_STUDIO = "label-studio"
    DOCCANO = "doccano"


@dataclass(frozen=True, slots=True)
class DocumentOptions:
    """Sources of documents."""

    PANEL: ClassVar = FILES_PANEL

    inputs: Annotated[
        list[str] | None,
        option(
            "Documents to read: .txt (one per line), .jsonl, .json, .csv, .tsv, .parquet, a folder or a glob of such "
            "files, hub:NAME for a data set of the Hub, - for stdin. May be repeated.",
            "--input",
            metavar="SOURCE",
        ),
    ] = None
    input_format: Annotated[
        SourceFormat | None,
        option("Format of --input; text has one document per line.", default="by the suffix; stdin: text"),
    ] = None
    text_column: Annotated[str, option("Column or JSON field of the text.", metavar="NAME")] = "text"
    id_column: Annotated[
        str | None,
        option("Column or JSON field of the id.", default="id if there is one, else FILE:LINE", metavar="NAME"),
    ] = None

    encoding: Annotated[str, option("Encoding of text files and stdin.", metavar="NAME")] = "utf-8"
    quoting: Annotated[
        Quoting,
        option(
            "Whether quotation marks in CSV and TSV enclose fields or are part of the text; auto: they enclose fields "
            "in CSV, and in TSV if most of them can."
        ),
    ] = Quoting.AUTO

    @property
    def reading(self) -> ReadOptions:
        """How documents are read."""
        return ReadOptions(self.text_column, self.id_column, self.encoding, self.quoting)

    def sources(self) -> list[Source]:
        """Find the sources.

        Raises:
            typer.BadParameter: a file does not exist, a folder or glob is empty, or a suffix is unknown.
        """
        try:
            return find_sources(self.inputs or [], self.input_format)
        except (FileNotFoundError, ValueError) as error:
            raise typer.BadParameter(str(error)) from None


@dataclass(frozen=True, slots=True)
class Extraction:
    """What to extract from, and how.

    Args:
        choice: the model.
        options: arguments of the pipeline.
        batch_size: texts in one forward pass.
        texts: texts of the command line; - stands for the lines of stdin.
        documents: sources of further texts.
    """

    choice: ModelChoice
    options: Mapping[str, Any]
    batch_size: int | None
    texts: list[str]
    documents: DocumentOptions

    def results(
        self,
        pipe: "TripleExtractionPipeline | OnnxTripleExtractionPipeline",
        sources: list[Source],
        bad_lines: BadLines | None,
        *,
        progress: bool,
    ) -> Iterator[tuple[Document, Sequence[TripleDict]]]:
        """Yield each text with its triples; `progress` shows a bar.

        Raises:
            DataFormatError: a document cannot be read, and `bad_lines` is None.
            Exception: extraction from a document fails, and `bad_lines` is None.
        """
        documents: Iterator[Document] = self._documents(sources, bad_lines)
        if progress and sources:
            documents = progress_bar(documents, count_documents(sources), "extracting")
        call = partial(pipe, batch_size=self.batch_size, **self.options)
        reads_stdin = STDIN in self.texts or any(source.name == STDIN for source in sources)
        for part in map(iter, without_waiting(documents)) if reads_stdin else (documents,):
            yield from _extract(call, part, bad_lines)

    def _documents(self, sources: list[Source], bad_lines: BadLines | None) -> Iterator[Document]:
        from ..data import DataFormatError

        for source in sources:
            for item in read_documents(source, self.documents.reading):
                if isinstance(item, Document):
                    yield item
                elif bad_lines is None:
                    raise DataFormatError(item.error)
                else:
                    bad_lines(item)
        for text in texts_of(self.texts, self.documents.reading):
            yield Document("", text, "")


def without_waiting(items: Iterator[T], most: int = 1024) -> Iterator[list[T]]:
    """Yield lists of the items that can be had without waiting, one at least; a slow pipe is answered line by line."""
    ready: Queue[tuple[T] | Exception | None] = Queue(most)

    def read() -> None:
        try:
            for item in items:
                ready.put((item,))
            ready.put(None)
        except Exception as error:
            ready.put(error)

    Thread(target=read, daemon=True).start()
    while True:
        found: list[T] = []
        entry = ready.get()
        while isinstance(entry, tuple):
            found += entry
            if ready.empty():
                break
            entry = ready.get()
        if found:
            yield found
        if isinstance(entry, Exception):
            raise entry
        if entry is None:
            return


def _extract(
    call: Callable[[Any], Any], documents: Iterator[Document], bad_lines: BadLines | None
) -> Iterator[tuple[Document, Sequence[TripleDict]]]:
    """Extract from documents; those that fail are set aside if there is a place for them."""
    failed = True
    while failed:
        ours, theirs = tee(documents)
        failed = False
        try:
            for triples in call(document.text for document in theirs):
                yield next(ours), triples
        except BaseException as error:
            as_exception(error)
            failed = bad_lines is not None and (yield from _until_failure(call, ours, bad_lines))
            if not failed:
                raise
        documents = ours


def _until_failure(
    call: Callable[[str], Sequence[TripleDict]], documents: Iterator[Document], bad_lines: BadLines
) -> Generator[tuple[Document, Sequence[TripleDict]], None, bool]:
    """Extract from documents one by one, up to one that fails. Returns whether there is one; it is set aside."""
    for document in documents:
        try:
            triples = call(document.text)
        except BaseException as error:
            as_exception(error)
            reason = f"{type(error).__name__}: {error}"
            bad_lines(UnreadableRecord(document.source, 0, reason, document.text, "document", id=document.id))
            return True
        yield document, triples
    return False


def texts_of(arguments: Iterable[str], options: ReadOptions) -> Iterator[str]:
    """Yield the texts of a command line; - stands for the lines of stdin."""
    for text in arguments:
        if text == "-":
            yield from read_stdin_lines(options)
        else:
            yield text


def extract_stream(
    extraction: Extraction, output: Path | None, as_json: bool | None, bad_lines: BadLines | None
) -> None:
    """Extract from texts or documents, and print or write the triples of each as soon as they are found.

    Raises:
        DataFormatError: a document cannot be read, and `bad_lines` is None.
    """
    sources = extraction.documents.sources()
    # Before the model, which takes seconds to load: the folder may be missing.
    with whole_file(output) if output else nullcontext() as file:
        show, pipe = _writer(file, as_json), extraction.choice.load()
        for document, triples in extraction.results(pipe, sources, bad_lines, progress=file is not None):
            show(document, triples)


def extract_suggestions(extraction: Extraction, output: Path, tool: Tool, bad_lines: BadLines | None) -> None:
    """Extract from texts or documents for an annotation tool, which opens the triples as suggestions.

    The most uncertain texts come first. For Label Studio, a labelling configuration of the project is written next to
    the file.

    Raises:
        DataFormatError: a document cannot be read, and `bad_lines` is None.
    """
    from ..data.formats import doccano, label_studio
    from ..data.formats.base import ConversionReport, Record
    from ..data.uncertainty import by_uncertainty

    write = {Tool.LABEL_STUDIO: label_studio.write_predictions, Tool.DOCCANO: doccano.write_predictions}[tool]
    sources = extraction.documents.sources()
    with whole_path(output) as part:
        pipe = extraction.choice.load()
        records = [
            Record(text.text, tuple(map(Triple.from_dict, triples)), id=str(text.id) if text.source else None)
            for text, triples in extraction.results(pipe, sources, bad_lines, progress=True)
        ]
        report = ConversionReport()
        write(by_uncertainty(records), part, report, extraction.choice.name)
    say(f"hf-spo: {len(records):,} texts with {sum(len(r.triples) for r in records):,} suggestions are in {output}")
    if report.summary():
        say(f"hf-spo: {output}: {report.summary()}")
    if tool == Tool.LABEL_STUDIO:
        config = output.with_suffix(".config.xml")
        with whole_file(config) as file:
            file.write(label_studio.labelling_config(pipe.schema))
        say(f"hf-spo: the labelling configuration for the project is in {config}")


def _writer(file: IO[str] | None, as_json: bool | None) -> Callable[[Document, Sequence[TripleDict]], None]:
    """Choose the form of a text and its triples: a table on a terminal, JSON lines elsewhere."""
    if file is None and wants_table(as_json, sys.stdout):
        console = Console(highlight=False)
        return lambda document, triples: console.print(triples_table(document.text, triples))

    def write(document: Document, triples: Sequence[TripleDict]) -> None:
        named = {"id": document.id} if document.source else {}
        print(json_line({**named, "text": document.text, "triples": triples}), file=file or sys.stdout)

    return write
