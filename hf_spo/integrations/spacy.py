"""spaCy component `hf_spo`: writes the triples of a text to `doc._.triples`, and their mentions to `doc.spans`.

spaCy finds it by its entry point: `nlp.add_pipe("hf_spo", config={"model": "lite"})`. The model is loaded for the first
text, or by `nlp.initialize()`. A pipeline that is saved to disk or bytes contains a copy of the model. Each process of
`nlp.pipe(…, n_process=2)` loads a model of its own and computes with one thread.
"""

import inspect
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, get_type_hints

from ..model.options import OPTIONS, ExtractionOptions
from ..model.schema import TripleDict
from .component_model import ComponentModel, DType

try:
    from spacy import util
    from spacy.language import Language
    from spacy.pipeline import Pipe
    from spacy.pipeline.span_ruler import prioritize_existing_ents_filter
    from spacy.tokens import Doc, Span
except ImportError:
    raise ImportError("the component hf_spo needs spaCy: pip install 'hf-spo[spacy]'") from None

if not Doc.has_extension("triples"):
    Doc.set_extension("triples", default=[])


def make_component(
    nlp: Language,
    name: str,
    model: str,
    device: str | None,
    dtype: DType,
    spans_key: str | None,
    annotate_ents: bool,
    **options: Any,
) -> "TripleComponent":
    """Make the component that spaCy adds under the name `hf_spo`.

    Args:
        nlp: pipeline that gets the component.
        name: of the component in the pipeline.
        model, device, dtype: see [`hf_spo.load`].
        spans_key, annotate_ents: see [`TripleComponent`].
        options: see [`ExtractionOptions`].

    Raises:
        ValueError: an option is out of range.
    """
    return TripleComponent(name, ComponentModel(model, device, dtype, options), spans_key, annotate_ents)


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
    assigns=["doc._.triples", "doc.spans"],
    default_config={
        "model": "base", "device": None, "dtype": "auto", "spans_key": "hf_spo", "annotate_ents": False,
        **{name: option.default for name, option in OPTIONS.items()}
    },
    func=make_component,
)  # fmt: skip


class TripleComponent(Pipe):
    """Write the triples of `doc.text` to `doc._.triples`, as dictionaries; offsets count characters of the text.

    Args:
        name: of the component.
        model: extracts the triples.
        spans_key: key of `doc.spans` for the mentions, each once and labelled with its type; tokens that a mention
            touches belong to it. None: no spans.
        annotate_ents: add the mentions to `doc.ents`, too, where no other entity is; of mentions that overlap, the
            longest.
    """

    def __init__(
        self, name: str, model: ComponentModel, spans_key: str | None = "hf_spo", annotate_ents: bool = False
    ) -> None:
        self.name = name
        self.model = model
        self.spans_key = spans_key
        self.annotate_ents = annotate_ents

    def __call__(self, doc: Doc) -> Doc:
        """Extract the triples of one document; spaCy passes exceptions to the pipeline's error handler."""
        return self._annotate(doc, self.model.load()(doc.text))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Extract the triples of documents in batches; documents that fail go to the pipeline's error handler."""
        extract = self.model.load()
        docs = iter(stream)
        while batch := list(islice(docs, batch_size)):
            try:
                found = extract([doc.text for doc in batch])
            except Exception:  # one by one, to find the document that fails
                yield from super().pipe(batch)
                continue
            for doc, triples in zip(batch, found, strict=True):
                yield self._annotate(doc, triples)

    def _annotate(self, doc: Doc, triples: Any) -> Doc:
        doc._.triples = triples
        if self.spans_key is not None or self.annotate_ents:
            spans = _mentions(doc, triples)
            if self.spans_key is not None:
                doc.spans[self.spans_key] = spans
            if self.annotate_ents:
                doc.set_ents(prioritize_existing_ents_filter(doc.ents, spans))
        return doc

    def initialize(self, get_examples: Any = None, *, nlp: Language | None = None) -> None:
        """Load the model, so that a missing one is an error before the first text."""
        self.model.load()

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Save a copy of the model into a folder, unless `exclude=["model"]`."""
        util.to_disk(path, {"model": self.model.save}, exclude)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "TripleComponent":
        """Use the copy of the model in a folder; without one, the model of the pipeline's config."""
        util.from_disk(path, {"model": self.model.use_folder}, exclude)
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return a copy of the model as bytes."""
        packed: bytes = util.to_bytes({"model": self.model.pack}, exclude)
        return packed

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "TripleComponent":
        """Use the copy of the model in bytes, see `from_disk`."""
        util.from_bytes(bytes_data, {"model": self.model.use_packed}, exclude)
        return self


def _mentions(doc: Doc, triples: Iterable[TripleDict]) -> list[Span]:
    """Return the mentions of triples as spans, each once, by position."""
    mentions = (
        mention
        for triple in triples
        for mention in (triple["subject"], triple["object"], *triple["qualifiers"].values())
    )
    places = {(mention["start"], mention["end"], mention["type"]) for mention in mentions}
    spans = (doc.char_span(start, end, label=label, alignment_mode="expand") for start, end, label in sorted(places))
    return [span for span in spans if span is not None]
