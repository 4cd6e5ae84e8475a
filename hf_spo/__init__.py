"""Extract schema-based (subject, predicate, object) triples from text, within the Hugging Face ecosystem.

Importing the package imports neither torch nor transformers; names that need them import them on first use. As soon as
transformers is imported, the models and the pipeline of this package are registered with it.
"""

from typing import TYPE_CHECKING

from .loading.locations import packaged
from .loading.registration_hook import register_when_imported
from .support.lazy import lazy_names

__version__ = "0.2.0"

if TYPE_CHECKING:
    from .data.loading import TRIPLE_FEATURES
    from .drawing import render
    from .loading.dtypes import auto_dtype
    from .loading.loader import load, pipeline
    from .model.configuration_dgcnn import DgcnnConfig
    from .model.configuration_ensemble import EnsembleConfig
    from .model.configuration_spo import SpoConfig
    from .model.extraction import TripleExtractor
    from .model.modeling_dgcnn import DgcnnModel
    from .model.modeling_ensemble import SpoEnsemble
    from .model.modeling_spo import AutoModelForTripleExtraction, SpoForTripleExtraction
    from .model.pipeline import TripleExtractionPipeline
    from .model.results import Triples
    from .model.schema import Example, Mention, MentionDict, Relation, Schema, Span, Triple, TripleDict
    from .model.triple_store import TripleStore
    from .model.words import register_segmenter
    from .onnx.runtime import load_onnx
    from .training.tokenization_dgcnn import character_tokenizer
    from .training.word_vectors import read_word_vectors
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "AutoModelForTripleExtraction": "model.modeling_spo",
            "DgcnnConfig": "model.configuration_dgcnn",
            "DgcnnModel": "model.modeling_dgcnn",
            "EnsembleConfig": "model.configuration_ensemble",
            "Example": "model.schema",
            "Mention": "model.schema",
            "MentionDict": "model.schema",
            "Relation": "model.schema",
            "Schema": "model.schema",
            "Span": "model.schema",
            "SpoConfig": "model.configuration_spo",
            "SpoEnsemble": "model.modeling_ensemble",
            "SpoForTripleExtraction": "model.modeling_spo",
            "TRIPLE_FEATURES": "data.loading",
            "Triple": "model.schema",
            "TripleDict": "model.schema",
            "TripleExtractionPipeline": "model.pipeline",
            "TripleExtractor": "model.extraction",
            "TripleStore": "model.triple_store",
            "Triples": "model.results",
            "auto_dtype": "loading.dtypes",
            "character_tokenizer": "training.tokenization_dgcnn",
            "load": "loading.loader",
            "load_onnx": "onnx.runtime",
            "pipeline": "loading.loader",
            "read_word_vectors": "training.word_vectors",
            "register_segmenter": "model.words",
            "render": "drawing",
        },
    )

__all__ = [
    "TRIPLE_FEATURES",
    "AutoModelForTripleExtraction",
    "DgcnnConfig",
    "DgcnnModel",
    "EnsembleConfig",
    "Example",
    "Mention",
    "MentionDict",
    "Relation",
    "Schema",
    "Span",
    "SpoConfig",
    "SpoEnsemble",
    "SpoForTripleExtraction",
    "Triple",
    "TripleDict",
    "TripleExtractionPipeline",
    "TripleExtractor",
    "TripleStore",
    "Triples",
    "auto_dtype",
    "character_tokenizer",
    "load",
    "load_onnx",
    "packaged",
    "pipeline",
    "read_word_vectors",
    "register_segmenter",
    "render",
]

register_when_imported()
