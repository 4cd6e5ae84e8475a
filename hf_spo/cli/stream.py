"""Extraction of what fits a screen, a pipe or one file: a text after the other, nothing kept."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from itertools import tee
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import typer
from rich.console import Console

from ..data.document_readers import read_documents, read_stdin_lines
from ..data.documents import Document, ReadOptions, Source, SourceFormat, count_documents, find_sources
from ..model.fields import json_line
from ..model.schema import Triple
from ..support.files import whole_file, whole_path
from .console import BadLines, is_terminal, progress_bar, say, triples_table
from .models import ModelChoice

if TYPE_CHECKING:
    from ..model.pipeline import TripleExtractionPipeline
    from ..onnx import OnnxTripleExtractionPipeline


class Tool(StrEnum):
    """Annotation tools that suggestions are written for."""

    LABEL_STUDIO = "label-studio"
    DOCCANO = "doccano"


@dataclass(frozen=True, slots=True)
class ExtractionInputs:
    """What a command line names to extract from.

    Args:
        texts: themselves; - stands for the lines of stdin.
        inputs: sources of documents.
        form: of the sources, if it is said.
        options: how the documents are read.
    """

    texts: list[str]
    inputs: list[str]
    form: SourceFormat | None
    options: ReadOptions

    def sources(self) -> list[Source]:
        """Find the sources.

        Raises:
            typer.BadParameter: a file does not exist, a folder or glob has none, or a suffix is not known.
        """
        try:
            return find_sources(self.inputs, self.form)
        except (FileNotFoundError, ValueError) as error:
            raise typer.BadParameter(str(error)) from None


def extract_stream(
    choice: ModelChoice,
    parameters: Mapping[str, Any],
    batch_size: int | None,
    given: ExtractionInputs,
    output: Path | None,
    as_json: bool | None,
    bad_lines: BadLines | None,
) -> None:
    """Extract from texts or documents, and show or write each in its turn.

    Raises:
        ValueError: a document cannot be read, and such are not set aside.
    """
    sources = given.sources()
    # Opened before the model is loaded: that a folder is missing should not take seconds to say.
    with whole_file(output) if output else nullcontext() as file:
        show = _writer(file, as_json)
        for document, triples in _results(choice.load(), parameters, batch_size, given, sources, bad_lines, file):
            show(document, triples)


def extract_suggestions(
    choice: ModelChoice,
    parameters: Mapping[str, Any],
    batch_size: int | None,
    given: ExtractionInputs,
    output: Path,
    tool: Tool,
    bad_lines: BadLines | None,
) -> None:
    """Extract from texts or documents for an annotation tool, which opens what was found as suggestions.

    The most uncertain texts come first. For Label Studio, the labelling configuration of the project that takes them
    goes beside the file.

    Raises:
        ValueError: a document cannot be read, and such are not set aside.
    """
    from ..data.formats import doccano, label_studio
    from ..data.formats.base import ConversionReport, Record
    from ..data.uncertainty import by_uncertainty

    write = {Tool.LABEL_STUDIO: label_studio.write_predictions, Tool.DOCCANO: doccano.write_predictions}[tool]
    sources = given.sources()
    with whole_path(output) as part:
        pipe = choice.load()
        results = _results(pipe, parameters, batch_size, given, sources, bad_lines, output)
        records = [
            Record(text.text, tuple(map(Triple.from_dict, triples)), id=str(text.id) if text.source else None)
            for text, triples in results
        ]
        report = ConversionReport()
        write(by_uncertainty(records), part, report, choice.name)
    say(f"hf-spo: {len(records):,} texts with {sum(len(r.triples) for r in records):,} suggestions are in {output}")
    if report.summary():
        say(f"hf-spo: {output}: {report.summary()}")
    if tool == Tool.LABEL_STUDIO:
        config = output.with_suffix(".config.xml")
        with whole_file(config) as file:
            file.write(label_studio.labelling_config(pipe.schema))
        say(f"hf-spo: the labelling configuration for the project is in {config}")


def _results(
    pipe: "TripleExtractionPipeline | OnnxTripleExtractionPipeline",
    parameters: Mapping[str, Any],
    batch_size: int | None,
    given: ExtractionInputs,
    sources: list[Source],
    bad_lines: BadLines | None,
    target: object,
) -> Iterator[tuple[Document, list[dict[str, Any]]]]:
    documents: Iterator[Document] = _documents(given, sources, bad_lines)
    if target is not None and sources:
        documents = progress_bar(documents, count_documents(sources), "extracting")
    ours, theirs = tee(documents)
    results = pipe((document.text for document in theirs), batch_size=batch_size, **parameters)
    yield from zip(ours, results, strict=True)


_Show = Callable[[Document, list[dict[str, Any]]], None]


def _documents(given: ExtractionInputs, sources: list[Source], bad_lines: BadLines | None) -> Iterator[Document]:
    from ..data import DataFormatError

    for source in sources:
        for item in read_documents(source, given.options):
            if isinstance(item, Document):
                yield item
                continue
            if bad_lines is None:
                raise DataFormatError(item.error)
            bad_lines(item)
    for text in given.texts:
        if text == "-":
            yield from (Document("", line, "") for line in read_stdin_lines(given.options))
        else:
            yield Document("", text, "")


def _writer(file: IO[str] | None, as_json: bool | None) -> _Show:
    """Choose how a text and its triples are shown: JSON lines in a file or a pipe, a table on a terminal."""
    if file is None and (is_terminal(sys.stdout) if as_json is None else not as_json):
        console = Console(highlight=False)
        return lambda document, triples: console.print(triples_table(document.text, triples))

    def write(document: Document, triples: list[dict[str, Any]]) -> None:
        named = {"id": document.id} if document.source else {}
        print(json_line({**named, "text": document.text, "triples": triples}), file=file or sys.stdout)

    return write
