"""Reading annotated data and turning it into labels."""

from .collator import SpoCollator, SubjectSampling
from .dataset import SpoDataset
from .duie import DUIE_FEATURES, example_from_duie, load_duie
from .labels import AlignmentReport
from .occurrences import OccurrencePolicy
from .reading import BadLine, DataFormatError, read_examples, read_texts

__all__ = [
    "DUIE_FEATURES",
    "AlignmentReport",
    "BadLine",
    "DataFormatError",
    "OccurrencePolicy",
    "SpoCollator",
    "SpoDataset",
    "SubjectSampling",
    "example_from_duie",
    "load_duie",
    "read_examples",
    "read_texts",
]
