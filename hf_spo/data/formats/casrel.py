"""What CasRel and PRGC publish: rows with `triple_list`, lists of three words."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...model.fields import FieldError, kind, string
from ...model.schema import Mention, Triple
from .base import ConversionReport, Format, Record, Sample
from .losses import Part, lose_parts
from .rows import identifier, parsed_rows
from .writing import write_list


def record_from_casrel(row: Mapping[str, Any], report: ConversionReport) -> Record:
    """Read one row: text, and triples of words without types and offsets.

    Raises:
        FieldError: a field is missing or of the wrong type.
    """
    values = row.get("triple_list")
    if not isinstance(values, list):
        raise FieldError("triple_list", f"expected a list of triples, got {kind(values)}")
    triples = tuple(_triple(value, f"triple_list[{index}]") for index, value in enumerate(values))
    return Record(string(row, "text"), triples, id=identifier(row))


def _triple(value: Any, path: str) -> Triple:
    if not isinstance(value, list | tuple) or [type(part) for part in value] != [str, str, str]:
        shown = f"{len(value)} of them" if isinstance(value, list | tuple) else kind(value)
        raise FieldError(path, f"expected three strings, subject, predicate and object; got {shown}")
    subject, predicate, object_ = value
    return Triple(Mention(subject), predicate, Mention(object_))


def _recognise(sample: Sample) -> bool:
    return any("triple_list" in row for row in sample.rows)


def _read(path: Path, report: ConversionReport) -> Iterator[Record]:
    return parsed_rows(path, lambda row: record_from_casrel(row, report), report)


def _write(records: Iterable[Record], path: Path, report: ConversionReport) -> None:
    def row_of(record: Record) -> dict[str, Any]:
        lose_parts(record, report, *Part)
        triples = [[triple.subject.text, triple.predicate, triple.object.text] for triple in record.triples]
        return {"text": record.text, "triple_list": triples}

    write_list(map(row_of, records), path)


FORMAT = Format(
    "casrel",
    "CasRel and PRGC (NYT, WebNLG): triple_list of three words each; no offsets, no types",
    _recognise,
    _read,
    _write,
    ".json",
)
