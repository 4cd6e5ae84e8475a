"""Reading annotated data and turning it into labels."""

from .collator import SpoCollator, SubjectSampling
from .dataset import SpoDataset
from .diagnosis import Diagnosis, Finding, Severity, Suggestion
from .doctor import diagnose
from .duie import example_from_duie
from .fields import FieldError
from .labels import AlignmentReport
from .loading import DUIE_FEATURES, load_duie
from .occurrences import OccurrencePolicy
from .reading import BadLine, DataFormatError, example_from_row, read_examples, read_texts

__all__ = [
    "DUIE_FEATURES",
    "AlignmentReport",
    "BadLine",
    "DataFormatError",
    "Diagnosis",
    "FieldError",
    "Finding",
    "OccurrencePolicy",
    "Severity",
    "SpoCollator",
    "SpoDataset",
    "SubjectSampling",
    "Suggestion",
    "diagnose",
    "example_from_duie",
    "example_from_row",
    "load_duie",
    "read_examples",
    "read_texts",
]
