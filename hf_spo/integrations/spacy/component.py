"""What spaCy calls: the factory, and the component with its protocol."""

import inspect
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, get_type_hints

from ...model.options import OPTIONS, ExtractionOptions
from .model import CarriedModel, DType

try:
    from spacy import util
    from spacy.language import Language
    from spacy.pipeline import Pipe
    from spacy.tokens import Doc
except ImportError:
    raise ImportError("the component hf_spo needs spaCy: pip install 'hf-spo[spacy]'") from None

if not Doc.has_extension("triples"):
    Doc.set_extension("triples", default=[])


_OPTIONS = {name: option.default for name, option in OPTIONS.items()}


def make_component(
    nlp: Language, name: str, model: str, device: str | None, dtype: DType, **options: Any
) -> "TripleComponent":
    """Make the component that spaCy adds under the name `hf_spo`.

    Args:
        nlp: the pipeline that it is for.
        name: of the component in the pipeline.
        model: "base" or "lite", or the folder or Hub name of a model; an ONNX export's folder needs no torch.
        device, dtype: to compute on and in, with torch; default: the fastest there is.
        options: see [`ExtractionOptions`].

    Raises:
        ValueError: an option is out of range.
    """
    return TripleComponent(name, CarriedModel(model, device, dtype, options))


# spaCy checks a component's config by the signature of its factory.
_signature = inspect.signature(make_component)
make_component.__signature__ = _signature.replace(  # type: ignore[attr-defined]
    parameters=[
        *(own for name, own in _signature.parameters.items() if name != "options"),
        *(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind)
            for name, kind in get_type_hints(ExtractionOptions).items()
        ),
    ]
)
Language.factory(
    "hf_spo",
    assigns=["doc._.triples"],
    default_config={"model": "base", "device": None, "dtype": "auto", **_OPTIONS},
    func=make_component,
)


class TripleComponent(Pipe):
    """Write the triples of `doc.text` to `doc._.triples`, as dictionaries; offsets count its characters.

    Args:
        name: of the component.
        carried: the model that extracts.
    """

    def __init__(self, name: str, carried: CarriedModel) -> None:
        self.name = name
        self.carried = carried

    def __call__(self, doc: Doc) -> Doc:
        """Extract the triples of one document; spaCy hands what goes wrong to the error handler."""
        doc._.triples = self.carried.load()(doc.text)
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Extract the triples of documents, so many at a time; what fails goes to the error handler one by one."""
        extract = self.carried.load()
        docs = iter(stream)
        while batch := list(islice(docs, batch_size)):
            try:
                found = extract([doc.text for doc in batch])
            except Exception:  # the single calls tell whose
                yield from super().pipe(batch)
                continue
            for doc, triples in zip(batch, found, strict=True):
                doc._.triples = triples
                yield doc

    def initialize(self, get_examples: Any = None, *, nlp: Language | None = None) -> None:
        """Load the model, so that it is known to be there before the first text."""
        self.carried.load()

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Save a copy of the model into a folder, so that the pipeline needs no other; not with `exclude=["model"]`."""
        util.to_disk(path, {"model": self.carried.save}, exclude)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "TripleComponent":
        """Use the copy of the model in a folder; without one, the model that the pipeline's config names."""
        util.from_disk(path, {"model": self.carried.use_folder}, exclude)
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return what `to_disk` writes as bytes."""
        packed: bytes = util.to_bytes({"model": self.carried.pack}, exclude)
        return packed

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "TripleComponent":
        """Use the copy of the model in bytes, see `from_disk`."""
        util.from_bytes(bytes_data, {"model": self.carried.use_packed}, exclude)
        return self
