"""pipeline("triple-extraction"): the extraction loop in the dress of transformers."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from transformers import Pipeline

from .alignment import Encoding
from .extraction import OnTruncation, TripleExtractor
from .modeling_spo import SpoForTripleExtraction, TorchBackend
from .schema import Schema, Thresholds, Triple

_PARAMETERS = {
    "subject_start_threshold",
    "subject_end_threshold",
    "object_start_threshold",
    "object_end_threshold",
    "top_k",
    "on_truncation",
}


class TripleExtractionPipeline(Pipeline):
    """Extract (subject, predicate, object) triples from texts.

    One text gives a list of triples, sorted by position; several texts give one list each, in order. A generator, a
    `Dataset` or a `KeyDataset` gives an iterator that reads a few batches ahead. A triple:

        {"score": 0.98, "subject": {"text": "战狼2", "start": 1, "end": 4, "type": "影视作品"}, "predicate": "主演",
         "object": {"text": "吴京", "start": 8, "end": 10, "type": "人物"}, "qualifiers": {}}

    Offsets are code points of the text given. All arguments below can be set here and overridden in a call.

    Args:
        subject_start_threshold, subject_end_threshold, object_start_threshold, object_end_threshold: a token is a
            border where its probability exceeds this; default: the model's config.
        top_k: keep at most this many triples of a text, the best scored first.
        on_truncation: "warn" about a text longer than the model reads, or raise with "error".
        batch_size: texts in one forward pass.
        kwargs: further arguments of `transformers.pipeline`: device, dtype, model_kwargs, …

    Raises:
        TypeError: an input is no string, or an argument is not known.
        ValueError: the model is no triple-extraction model.
    """

    _load_tokenizer = True
    _load_processor = False
    _load_image_processor = False
    _load_video_processor = False
    _load_feature_extractor = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not isinstance(self.model, SpoForTripleExtraction):
            raise ValueError(
                f"expected a triple-extraction model, got {type(self.model).__name__}; a plain encoder has to be trained "
                f"first, see SpoForTripleExtraction.from_encoder or `hf-spo train`"
            )
        self.model.eval()
        self.schema: Schema = self.model.config.schema

    def _sanitize_parameters(self, **parameters: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        unknown = sorted(set(parameters) - _PARAMETERS)
        if unknown:
            raise TypeError(
                f"unknown argument {', '.join(unknown)}; known are {', '.join(sorted(_PARAMETERS))}, batch_size"
            )
        return parameters, parameters, {}

    def __call__(self, inputs: Any, *, batch_size: int | None = None, **parameters: Any) -> Any:
        """Extract triples from a text, a list of texts, or a stream of texts."""
        self._sanitize_parameters(**parameters)
        merged = {**self._preprocess_params, **parameters}
        size = batch_size or self._batch_size or _DEFAULT_BATCH_SIZE
        if isinstance(inputs, str):
            return next(self._stream([inputs], size, merged))
        if isinstance(inputs, list | tuple):
            return list(self._stream(inputs, size, merged))
        if isinstance(inputs, Iterable) and not isinstance(inputs, bytes | bytearray | dict):
            return self._stream(inputs, size, merged)
        if (
            hasattr(inputs, "__getitem__")
            and hasattr(inputs, "__len__")
            and not isinstance(inputs, bytes | bytearray | dict)
        ):
            return self._stream((inputs[index] for index in range(len(inputs))), size, merged)
        raise TypeError(f"expected a text (str), a list of texts or a stream of texts, got {type(inputs).__name__}")

    def _stream(
        self, texts: Iterable[str], batch_size: int, parameters: dict[str, Any]
    ) -> Iterator[list[dict[str, Any]]]:
        extractor = self.extractor(**parameters)
        for triples in extractor(texts, batch_size):
            yield self.postprocess(triples)

    def extractor(self, **parameters: Any) -> TripleExtractor:
        """Return the extraction loop on this pipeline's model, with arguments as in a call."""
        config = self.model.config
        names = ("subject_start", "subject_end", "object_start", "object_end")
        thresholds = {name: parameters.get(f"{name}_threshold") for name in names}
        defaults = {name: getattr(config.thresholds, name) for name in names}
        return TripleExtractor(
            TorchBackend(self.model),
            self.tokenizer,
            self.schema,
            max_length=config.max_length,
            thresholds=Thresholds(**{n: defaults[n] if thresholds[n] is None else thresholds[n] for n in names}),
            top_k=parameters.get("top_k"),
            on_truncation=parameters.get("on_truncation") or OnTruncation.WARN,
        )

    def preprocess(self, input_: str, **parameters: Any) -> Sequence[Encoding]:
        """Tokenise one text."""
        return self.extractor(**parameters).encode([input_])

    def _forward(self, input_tensors: Sequence[Encoding], **parameters: Any) -> list[Triple]:
        """Run both passes over one text's encoding."""
        return self.extractor(**parameters).run(input_tensors)[0]

    def postprocess(self, model_outputs: Sequence[Triple], **_: Any) -> list[dict[str, Any]]:
        """Return triples as dictionaries."""
        return [triple.to_dict() for triple in model_outputs]


_DEFAULT_BATCH_SIZE = 32
