"""pipeline("triple-extraction"): the extraction loop in the dress of transformers."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from transformers import Pipeline

from .ensemble import EnsembleExtractor, make_extractor
from .extraction import OnTruncation, TripleExtractor
from .modeling_ensemble import SpoEnsemble
from .modeling_spo import SpoForTripleExtraction
from .schema import Schema, Thresholds

_PARAMETERS = {
    "subject_start_threshold",
    "subject_end_threshold",
    "object_start_threshold",
    "object_end_threshold",
    "score_threshold",
    "rules",
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
        score_threshold: drop triples that score less, whatever their relation; default: the model's config.
        rules: hold triples to what the schema declares of their relations, see [`apply_rules`]; default: True.
        top_k: keep at most this many triples of a text, the best scored first.
        on_truncation: "warn" about a text longer than the model reads, or raise with "error".
        batch_size: texts in one forward pass.
        kwargs: further arguments of `transformers.pipeline`: device, dtype, model_kwargs, …

    Raises:
        TypeError: an input is no string, or an argument is not known.
        ValueError: the model is no triple-extraction model.
    """

    _load_tokenizer: Any = True
    _load_processor: Any = False
    _load_image_processor: Any = False
    _load_video_processor: Any = False
    _load_feature_extractor: Any = False

    model: SpoForTripleExtraction | SpoEnsemble

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not isinstance(self.model, SpoForTripleExtraction | SpoEnsemble):
            raise ValueError(
                f"expected a triple-extraction model, got {type(self.model).__name__}; a plain encoder has to be "
                f"trained first, see SpoForTripleExtraction.from_encoder or `hf-spo train`"
            )
        if self._num_workers is not None:
            raise TypeError("unknown argument num_workers: texts are tokenised in the same process, by many threads")
        self.model.eval()  # type: ignore[no-untyped-call]  # unannotated there
        self.schema: Schema = self.model.config.schema
        self.extractor(**self._preprocess_params)  # raises now rather than at the first call
        self._check_batch_size(self._batch_size)

    def _sanitize_parameters(self, **parameters: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        unknown = sorted(set(parameters) - _PARAMETERS)
        if unknown:
            raise TypeError(
                f"unknown argument {', '.join(unknown)}; known are {', '.join(sorted(_PARAMETERS))}, batch_size"
            )
        return parameters, parameters, {}

    def __call__(self, inputs: Any, *, batch_size: int | None = None, **parameters: Any) -> Any:  # type: ignore[override]  # no *args
        """Extract triples from a text, a list of texts, or a stream of texts."""
        self._sanitize_parameters(**parameters)
        self._check_batch_size(batch_size)
        size = batch_size or self._batch_size or _DEFAULT_BATCH_SIZE
        extractor = self.extractor(**{**self._preprocess_params, **parameters})
        if isinstance(inputs, str):
            return next(self._stream(extractor, [inputs], size))
        if isinstance(inputs, list | tuple):
            return list(self._stream(extractor, inputs, size))
        if not isinstance(inputs, bytes | bytearray | memoryview | dict):
            if isinstance(inputs, Iterable):
                return self._stream(extractor, inputs, size)
            if hasattr(inputs, "__getitem__") and hasattr(inputs, "__len__"):
                return self._stream(extractor, (inputs[index] for index in range(len(inputs))), size)
        raise TypeError(
            f"expected a text (str), a list of texts or a stream of texts, got {type(inputs).__name__}: {inputs!r:.80}"
        )

    def _stream(
        self, extractor: TripleExtractor | EnsembleExtractor, texts: Iterable[str], batch_size: int
    ) -> Iterator[list[dict[str, Any]]]:
        return map(self.postprocess, extractor(texts, batch_size))

    @staticmethod
    def _check_batch_size(batch_size: int | None) -> None:
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size={batch_size}: expected a whole number of at least 1")

    def extractor(self, **parameters: Any) -> TripleExtractor | EnsembleExtractor:
        """Return the extraction loop on this pipeline's model, with arguments as in a call."""
        config = self.model.config
        names = {name: f"{name}_threshold" for name in Thresholds.__slots__}
        given = {name: parameters[long] for name, long in names.items() if parameters.get(long) is not None}
        decoding = replace(config.decoding, thresholds=replace(config.thresholds, **given))
        least = parameters.get("score_threshold")
        if least is not None:
            if not 0 <= least <= 1:
                raise ValueError(f"score_threshold={least}: expected a probability from 0 to 1")
            decoding = replace(decoding, score_thresholds=(least,))
        return make_extractor(
            self.model,
            self.tokenizer,
            decoding=decoding,
            rules=parameters.get("rules") is not False,
            top_k=parameters.get("top_k"),
            on_truncation=parameters.get("on_truncation") or OnTruncation.WARN,
        )

    def preprocess(self, input_: Any, **parameters: Any) -> Any:
        """Tokenise one text: the list of its one [`Encoding`]."""
        return self.extractor(**parameters).encode([input_])

    def _forward(self, input_tensors: Any, **parameters: Any) -> Any:
        """Run both passes over one text's encoding."""
        return self.extractor(**parameters).run(input_tensors)[0]

    def postprocess(self, model_outputs: Any, **_: Any) -> list[dict[str, Any]]:
        """Return triples as dictionaries."""
        return [triple.to_dict() for triple in model_outputs]


_DEFAULT_BATCH_SIZE = 32
