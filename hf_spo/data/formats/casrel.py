"""Data of CasRel and PRGC: rows with `triple_list`, lists of three strings."""

from collections.abc import Mapping
from typing import Any

from ...model.fields import FieldError, kind, string
from ...model.schema import Mention, Triple
from .base import ConversionReport, Record
from .json_rows import identifier, json_format, values
from .losses import Part, lose_parts


def record_from_casrel(row: Mapping[str, Any], report: ConversionReport) -> Record:
    """Read one row: text, and triples of words without types and offsets.

    Raises:
        FieldError: a field is missing or of the wrong type.
    """
    triples = tuple(bare_triple(value, path) for path, value in values(row, "triple_list", required=True))
    return Record(string(row, "text"), triples, id=identifier(row))


def bare_triple(value: Any, path: str) -> Triple:
    """Read a triple of three strings: subject, predicate and object.

    Raises:
        FieldError: it is something else.
    """
    if not isinstance(value, list | tuple) or [type(part) for part in value] != [str, str, str]:
        shown = f"{len(value)} values" if isinstance(value, list | tuple) else kind(value)
        raise FieldError(path, f"expected three strings, subject, predicate and object; got {shown}")
    subject, predicate, object_ = value
    return Triple(Mention(subject), predicate, Mention(object_))


def _row(record: Record, report: ConversionReport) -> dict[str, Any]:
    lose_parts(record, report, *Part)
    triples = [[triple.subject.text, triple.predicate, triple.object.text] for triple in record.triples]
    return {"text": record.text, "triple_list": triples}


FORMAT = json_format(
    "casrel",
    "CasRel and PRGC (NYT, WebNLG): triple_list of three words each; no offsets, no types",
    lambda sample: sample.any_row(lambda row: "triple_list" in row),
    record_from_casrel,
    _row,
    as_list=True,
)
