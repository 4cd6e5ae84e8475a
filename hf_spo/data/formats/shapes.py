"""Rows of JSON whose shape a key tells: those of this package, DuIE, CasRel and TPLinker."""

from collections.abc import Callable, Mapping
from typing import Any

from ...model.fields import FieldError
from .base import ConversionReport, Record
from .casrel import record_from_casrel
from .duie import record_from_duie
from .native import record_from_native
from .tplinker import record_from_tplinker

_READERS: dict[str, Callable[[Mapping[str, Any], ConversionReport], Record]] = {
    "triples": record_from_native,
    "spo_list": record_from_duie,
    "triple_list": record_from_casrel,
    "relation_list": record_from_tplinker,
}

SHAPED = frozenset({"hf-spo", "duie1", "duie2", "cmeie", "casrel", "tplinker"})
"""Names of the formats with such rows."""


def record_from_row(row: Mapping[str, Any], report: ConversionReport) -> Record:
    """Read a row of any of these shapes.

    Raises:
        FieldError: it has none of these shapes, or a field is missing or of the wrong type.
    """
    for key, read in _READERS.items():
        # A table that holds several shapes fills the keys that a row lacks with null.
        if row.get(key) is not None:
            return read(row, report)
    for key, read in _READERS.items():
        if key in row:
            return read(row, report)
    raise FieldError(
        "row",
        'no "triples" (hf-spo), no "spo_list" (DuIE), no "triple_list" (CasRel) and no "relation_list" (TPLinker); '
        f"it has {sorted(map(str, row))}",
    )
