"""Schema-based (subject, predicate, object) triples from raw text, inside the Hugging Face ecosystem."""

from .configuration_spo import SpoConfig
from .extraction import TripleExtractor
from .modeling_spo import AutoModelForTripleExtraction, SpoForTripleExtraction
from .packaged import packaged
from .pipeline import TripleExtractionPipeline
from .registration import register
from .schema import Example, Mention, Relation, Schema, Span, Triple

__all__ = [
    "AutoModelForTripleExtraction",
    "Example",
    "Mention",
    "Relation",
    "Schema",
    "Span",
    "SpoConfig",
    "SpoForTripleExtraction",
    "Triple",
    "TripleExtractionPipeline",
    "TripleExtractor",
    "packaged",
]

register()
