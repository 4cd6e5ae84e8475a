"""Haystack: `pipeline.add_component("triples", SpoTripleExtractor(model="lite"))`."""

from dataclasses import replace
from typing import Any

from .component_model import ComponentModel, DType

try:
    from haystack import Document, component, default_from_dict, default_to_dict
except ImportError:
    raise ImportError("SpoTripleExtractor needs Haystack: pip install 'hf-spo[haystack]'") from None


@component
class SpoTripleExtractor:
    """Write the triples of each document's content into `meta["triples"]`, as dictionaries.

    A triple has subject, predicate, object, offsets in the content, score and qualifiers, see
    [`TripleExtractionPipeline`]. Documents without text get an empty list.

    Args:
        model, device, dtype: see [`hf_spo.load`].
        batch_size: most documents in one forward pass; default: that of the pipeline.
        options: fields of [`ExtractionOptions`], such as threshold=0.6.

    Raises:
        TypeError: an option is unknown.
        ValueError: an option is out of range.
    """

    def __init__(
        self,
        model: str = "base",
        *,
        device: str | None = None,
        dtype: DType = "auto",
        batch_size: int | None = None,
        **options: Any,
    ) -> None:
        self.batch_size = batch_size
        self._model = ComponentModel(model, device, dtype, options)
        self._init_parameters = {
            "model": model, "device": device, "dtype": dtype, "batch_size": batch_size, **options
        }  # fmt: skip

    def warm_up(self) -> None:
        """Load the model."""
        self._model.load()

    def to_dict(self) -> dict[str, Any]:
        """Return the component's settings, as Haystack serialises them."""
        data: dict[str, Any] = default_to_dict(self, **self._init_parameters)
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "SpoTripleExtractor":
        """Make a component of its settings."""
        made: SpoTripleExtractor = default_from_dict(cls, data)
        return made

    @component.output_types(documents=list[Document])
    def run(self, documents: list[Document]) -> dict[str, list[Document]]:
        """Return copies of the documents, with their ids, that have the triples."""
        found = self._model.load()([document.content or "" for document in documents], batch_size=self.batch_size)
        return {
            "documents": [
                replace(document, meta={**document.meta, "triples": list(triples)})
                for document, triples in zip(documents, found, strict=True)
            ]
        }
