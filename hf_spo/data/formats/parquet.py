"""Parquet files with a row for each document: columns of this package, or of another known shape."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ...support.files import whole_path
from .base import ConversionReport, DataFormatError, Format, Record, Sample
from .json_rows import numbered, parsed
from .losses import encodable
from .native import row_of
from .shapes import record_from_row

_AT_ONCE = 1000
"""Rows held in memory."""


def parquet_rows(path: Path, columns: Callable[[list[str]], list[str]] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file.

    Args:
        path: of the file.
        columns: chooses the columns to read from those of the file; default: all.

    Raises:
        DataFormatError: it is not a complete Parquet file.
        FileNotFoundError: there is no such file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as source, pq.ParquetFile(source) as file:
            wanted = None if columns is None else columns(file.schema_arrow.names)
            for batch in file.iter_batches(_AT_ONCE, columns=wanted):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # of the system, such as a missing file
            raise
        raise DataFormatError(f"{path}: not a Parquet file, or not complete ({str(error).splitlines()[0]})") from None


def _read(path: Path, report: ConversionReport) -> Iterator[Record]:
    return parsed(numbered(parquet_rows(path)), path, lambda row: record_from_row(row, report), report)


def _write(records: Iterable[Record], path: Path, report: ConversionReport) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ...support.tables import DOCUMENT, MENTION, document_row, table

    schema = DOCUMENT.append(pa.field("entities", pa.list_(MENTION)))
    schema = schema.append(pa.field("annotated_predicates", pa.list_(pa.string())))
    rows = (document_row(row_of(encodable(record, report))) for record in records)
    with whole_path(path) as part, pq.ParquetWriter(part, schema) as writer:
        while group := list(islice(rows, _AT_ONCE)):
            writer.write_table(table(group, schema))


def _recognise(sample: Sample) -> bool:
    return sample.head.startswith(b"PAR1")


FORMAT = Format(
    "parquet",
    "a row per document with columns id, text, triples, entities; for data frames and big data",
    _recognise,
    _read,
    _write,
    ".parquet",
)
