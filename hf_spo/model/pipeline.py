"""pipeline("triple-extraction"): the extraction loop in the dress of transformers."""

from typing import Any

from transformers import Pipeline

from .calling import call, check_parameters, loop_options
from .checkpoint import check_tokenizer
from .configuration_ensemble import EnsembleConfig
from .configuration_spo import SpoConfig
from .ensemble import EnsembleExtractor, make_extractor
from .extraction import TripleExtractor
from .modeling_ensemble import SpoEnsemble
from .modeling_spo import SpoForTripleExtraction
from .schema import Schema


class TripleExtractionPipeline(Pipeline):
    """Extract (subject, predicate, object) triples from texts.

    One text gives its [`Triples`], a list sorted by position that can draw itself and become a data frame; several
    texts give one each, in order. A generator, a `Dataset` or a `KeyDataset` gives an iterator that reads a few batches
    ahead. A triple:

        {"score": 0.98, "subject": {"text": "战狼2", "start": 1, "end": 4, "type": "影视作品"}, "predicate": "主演",
         "object": {"text": "吴京", "start": 8, "end": 10, "type": "人物"}, "qualifiers": {}}

    Offsets are code points of the text given. All arguments below can be set here and overridden in a call.

    Args:
        subject_start_threshold, subject_end_threshold, object_start_threshold, object_end_threshold: a token is a
            border where its probability exceeds this; default: the model's config.
        score_threshold: drop triples that score less, whatever their relation; default: the model's config.
        rules: hold triples to what the schema declares of their relations, see [`apply_rules`]; default: True.
        top_k: keep at most this many triples of a text, the best scored first.
        on_long: "window", the default, reads long texts whole, in windows; "warn" reads what the model can of their
            beginning and says so; "error" raises.
        window: neighbouring sentences of a text are read together up to this many tokens; default: the model's config.
        stride: tokens that neighbouring windows share, where whole sentences can be shared.
        batch_tokens: tokens in one forward pass, padding included.
        batch_size: at most this many texts, or windows of long ones, in one forward pass.
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
        known = isinstance(self.model, SpoForTripleExtraction | SpoEnsemble)
        # A model that came with its own code has other classes, of the same names.
        if not known and self.model.config.model_type not in (SpoConfig.model_type, EnsembleConfig.model_type):
            raise ValueError(
                f"expected a triple-extraction model, got {type(self.model).__name__}; a plain encoder has to be "
                f"trained first, see SpoForTripleExtraction.from_encoder or `hf-spo train`"
            )
        if self.model.config.model_type == SpoConfig.model_type:  # an ensemble has checked its own
            embeddings: Any = self.model.get_input_embeddings()
            check_tokenizer(self.tokenizer, embeddings.num_embeddings, self.name_or_path)
        if self._num_workers is not None:
            raise TypeError("unknown argument num_workers: texts are tokenised in the same process, by many threads")
        self.model.eval()  # type: ignore[no-untyped-call]  # unannotated there
        self.schema: Schema = self.model.config.schema
        # Raises now rather than at the first call.
        self.extractor(**self._preprocess_params)([], self._batch_size)

    def _sanitize_parameters(self, **parameters: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        check_parameters(parameters)
        return parameters, {}, {}

    def __call__(self, inputs: Any, *, batch_size: int | None = None, **parameters: Any) -> Any:  # type: ignore[override]  # no *args
        """Extract triples from a text, a list of texts, or a stream of texts."""
        check_parameters(parameters)
        extractor = self.extractor(**{**self._preprocess_params, **parameters})
        return call(extractor, inputs, self._batch_size if batch_size is None else batch_size)

    def _upload_modified_files(self, *args: Any, **kwargs: Any) -> Any:
        # An ensemble's folders lie deeper than a pipeline of transformers looks.
        return self.model._upload_modified_files(*args, **kwargs)

    @property
    def name_or_path(self) -> str:
        """Where the model comes from."""
        return str(self.model.name_or_path)

    def extractor(self, **parameters: Any) -> TripleExtractor | EnsembleExtractor:
        """Return the extraction loop on this pipeline's model, with arguments as in a call."""
        return make_extractor(self.model, self.tokenizer, **loop_options(parameters, self.model.config.decoding))

    def preprocess(self, input_: Any, **parameters: Any) -> dict[str, Any]:
        """Return a text and the arguments that it is read by."""
        return {"text": input_, "parameters": parameters}

    def _forward(self, input_tensors: Any, **_: Any) -> Any:
        """Extract the triples of one text."""
        (triples,) = self.extractor(**input_tensors["parameters"])([input_tensors["text"]])
        return triples

    def postprocess(self, model_outputs: Any, **_: Any) -> list[dict[str, Any]]:
        """Return triples as dictionaries."""
        return [triple.to_dict() for triple in model_outputs]
