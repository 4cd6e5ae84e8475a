"""DocBin, spaCy's file of documents (.spacy); spaCy is imported when one is read or written."""

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from .base import ConversionReport, Format, Record, Sample

_HEAD = 1 << 12


def _recognise(sample: Sample) -> bool:
    try:
        head = zlib.decompressobj().decompress(sample.head[:_HEAD], _HEAD)
    except zlib.error:
        return False
    return b"version" in head and b"attrs" in head  # the keys that msgpack has first


def _read(path: Path, report: ConversionReport) -> Iterator[Record]:
    from .docbin_docs import read_docs

    return read_docs(path, report)


def _write(records: Iterable[Record], path: Path, report: ConversionReport) -> None:
    from .docbin_docs import write_docs

    write_docs(records, path, report)


FORMAT = Format("docbin", "DocBin of spaCy: documents with entities and relations", _recognise, _read, _write, ".spacy")
