"""The spaCy component `hf_spo`: the triples of a text in `doc._.triples`.

Installed, it is known to spaCy by its entry point: `nlp.add_pipe("hf_spo", config={"model": "lite"})`. The model is
loaded for the first text, or by `nlp.initialize()`; a pipeline on disk or in bytes has a copy of it. Every process of
`nlp.pipe(…, n_process=2)` loads a model of its own and computes with one thread.
"""

from .component import TripleComponent, make_component

__all__ = ["TripleComponent", "make_component"]
