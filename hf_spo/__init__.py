"""Schema-based (subject, predicate, object) triples from raw text, inside the Hugging Face ecosystem.

Importing the package imports neither torch nor transformers; what needs them is there when it is asked for. Whenever
transformers is imported, it comes to know the models and the pipeline of this package.
"""

from typing import TYPE_CHECKING

from .lazy import lazy_names
from .packaged import packaged
from .registration_hook import register_when_imported

if TYPE_CHECKING:
    from .configuration_dgcnn import DgcnnConfig
    from .configuration_ensemble import EnsembleConfig
    from .configuration_spo import SpoConfig
    from .deploy.onnx_runtime import load_onnx
    from .drawing import render
    from .extraction import TripleExtractor
    from .modeling_dgcnn import DgcnnModel
    from .modeling_ensemble import SpoEnsemble
    from .modeling_spo import AutoModelForTripleExtraction, SpoForTripleExtraction
    from .pipeline import TripleExtractionPipeline
    from .precision import auto_dtype
    from .results import Triples
    from .schema import Example, Mention, Relation, Schema, Span, Triple
    from .tokenization_dgcnn import character_tokenizer
    from .triple_store import TripleStore
    from .word_vectors import read_word_vectors
    from .words import register_segmenter
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "AutoModelForTripleExtraction": "modeling_spo",
            "DgcnnConfig": "configuration_dgcnn",
            "DgcnnModel": "modeling_dgcnn",
            "EnsembleConfig": "configuration_ensemble",
            "Example": "schema",
            "Mention": "schema",
            "Relation": "schema",
            "Schema": "schema",
            "Span": "schema",
            "SpoConfig": "configuration_spo",
            "SpoEnsemble": "modeling_ensemble",
            "SpoForTripleExtraction": "modeling_spo",
            "Triple": "schema",
            "TripleExtractionPipeline": "pipeline",
            "TripleExtractor": "extraction",
            "TripleStore": "triple_store",
            "Triples": "results",
            "auto_dtype": "precision",
            "character_tokenizer": "tokenization_dgcnn",
            "load_onnx": "deploy.onnx_runtime",
            "read_word_vectors": "word_vectors",
            "register_segmenter": "words",
            "render": "drawing",
        },
    )

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
    "Triples",
    "auto_dtype",
    "character_tokenizer",
    "load_onnx",
    "packaged",
    "read_word_vectors",
    "register_segmenter",
    "render",
]

register_when_imported()
