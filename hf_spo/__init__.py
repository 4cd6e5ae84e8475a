"""Schema-based (subject, predicate, object) triples from raw text, inside the Hugging Face ecosystem."""

from .configuration_dgcnn import DgcnnConfig
from .configuration_ensemble import EnsembleConfig
from .configuration_spo import SpoConfig
from .extraction import TripleExtractor
from .modeling_dgcnn import DgcnnModel
from .modeling_ensemble import SpoEnsemble
from .modeling_spo import AutoModelForTripleExtraction, SpoForTripleExtraction
from .packaged import packaged
from .pipeline import TripleExtractionPipeline
from .registration import register
from .schema import Example, Mention, Relation, Schema, Span, Triple
from .tokenization_dgcnn import character_tokenizer
from .triple_store import TripleStore
from .word_vectors import read_word_vectors
from .words import register_segmenter

__all__ = [
    "AutoModelForTripleExtraction",
    "DgcnnConfig",
    "DgcnnModel",
    "EnsembleConfig",
    "Example",
    "Mention",
    "Relation",
    "Schema",
    "Span",
    "SpoConfig",
    "SpoEnsemble",
    "SpoForTripleExtraction",
    "Triple",
    "TripleExtractionPipeline",
    "TripleExtractor",
    "TripleStore",
    "character_tokenizer",
    "packaged",
    "read_word_vectors",
    "register_segmenter",
]

register()
