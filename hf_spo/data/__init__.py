"""Annotated data and its labels; torch is imported only for what trains."""

from typing import TYPE_CHECKING

from ..support.lazy import lazy_names

if TYPE_CHECKING:
    from .collator import SpoCollator, SubjectSampling
    from .dataset import SpoDataset
    from .formats.base import ConversionReport, DataFormatError, Record, UnreadableRecord
    from .formats.duie import example_from_duie
    from .formats.registry import find_format, format_names
    from .labels import AlignmentReport
    from .loading import DUIE_FEATURES, TRIPLE_FEATURES, load_duie
    from .occurrences import OccurrencePolicy
    from .reading import example_from_row, read_examples, read_records, read_texts
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "DUIE_FEATURES": "loading",
            "AlignmentReport": "labels",
            "ConversionReport": "formats.base",
            "DataFormatError": "formats.base",
            "OccurrencePolicy": "occurrences",
            "Record": "formats.base",
            "SpoCollator": "collator",
            "SpoDataset": "dataset",
            "SubjectSampling": "collator",
            "TRIPLE_FEATURES": "loading",
            "UnreadableRecord": "formats.base",
            "example_from_duie": "formats.duie",
            "example_from_row": "reading",
            "find_format": "formats.registry",
            "format_names": "formats.registry",
            "load_duie": "loading",
            "read_examples": "reading",
            "read_records": "reading",
            "read_texts": "reading",
        },
    )

__all__ = [
    "DUIE_FEATURES",
    "TRIPLE_FEATURES",
    "AlignmentReport",
    "ConversionReport",
    "DataFormatError",
    "OccurrencePolicy",
    "Record",
    "SpoCollator",
    "SpoDataset",
    "SubjectSampling",
    "UnreadableRecord",
    "example_from_duie",
    "example_from_row",
    "find_format",
    "format_names",
    "load_duie",
    "read_examples",
    "read_records",
    "read_texts",
]
