"""pipeline("triple-extraction"): transformers pipeline for the extraction loop."""

from typing import Any, Unpack

from transformers import Pipeline

from .checkpoint import check_tokenizer
from .configuration_ensemble import EnsembleConfig
from .configuration_spo import SpoConfig
from .ensemble import EnsembleExtractor, make_extractor
from .extraction import TripleExtractor
from .modeling_ensemble import SpoEnsemble
from .modeling_spo import SpoForTripleExtraction
from .options import ExtractionKwargs, merge_options
from .results import ExtractionCall, Triples, read_inputs
from .schema import Schema


class TripleExtractionPipeline(ExtractionCall, Pipeline):  # type: ignore[misc]  # without its positional arguments
    """Extract (subject, predicate, object) triples from texts.

    One text gives its [`Triples`], a list sorted by position that can draw itself and become a data frame; several
    texts, also as an array or a column of pandas, give a list of them, in order. A generator, a `Dataset` or a
    `KeyDataset` gives an iterator that reads a few batches ahead, with a length if the texts have one. A triple:

        {"score": 0.98, "subject": {"text": "战狼2", "start": 1, "end": 4, "type": "影视作品"}, "predicate": "主演",
         "object": {"text": "吴京", "start": 8, "end": 10, "type": "人物"}, "qualifiers": {}}

    Offsets are code points of the text given.

    Args:
        args, kwargs: as of `transformers.pipeline`: model, tokenizer, device, dtype, model_kwargs, …; `batch_size`, the
            most texts, or windows of long ones, in one forward pass; and the fields of [`ExtractionOptions`]. A call
            can override batch size and options.

    Raises:
        TypeError: an argument is unknown.
        ValueError: an argument is out of range, or the model is not a triple-extraction model.
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
        # A model that came with its own code has classes of the same names.
        if not known and self.model.config.model_type not in (SpoConfig.model_type, EnsembleConfig.model_type):
            raise ValueError(
                f"expected a triple-extraction model, got {type(self.model).__name__}; a plain encoder has to be "
                f"trained first, see SpoForTripleExtraction.from_encoder or `hf-spo train`"
            )
        if self.model.config.model_type == SpoConfig.model_type:  # an ensemble has checked its own
            embeddings: Any = self.model.get_input_embeddings()
            check_tokenizer(self.tokenizer, embeddings.num_embeddings, self.name_or_path)
        if self._num_workers is not None:
            merge_options({}, {"num_workers": self._num_workers})  # raises: no option has this name
        self.schema: Schema = self.model.config.schema
        # Raises errors now rather than at the first call.
        self.extractor()([], self._batch_size)

    def _sanitize_parameters(self, **parameters: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        return parameters, {}, {}

    def _run(self, inputs: Any, batch_size: int | None, options: dict[str, Any]) -> Any:
        return self.postprocess(self._forward(self.preprocess(inputs), batch_size=batch_size, **options))

    def preprocess(self, input_: Any, **_: Any) -> Any:
        """Return the texts of an input, and what collects their triples."""
        return read_inputs(input_)

    def _forward(self, input_tensors: Any, **options: Any) -> Any:
        """Run the extraction loop over texts; yields pairs of a text and its triples."""
        texts, collect = input_tensors
        size = options.pop("batch_size", self._batch_size)
        return self.extractor(**options).pairs(texts, size), collect

    def postprocess(self, model_outputs: Any, **_: Any) -> Any:
        """Return the triples of each text as [`Triples`]."""
        pairs, collect = model_outputs
        return collect(Triples(triples, text) for text, triples in pairs)

    def _upload_modified_files(self, *args: Any, **kwargs: Any) -> Any:
        # An ensemble has subfolders, which pipelines of transformers do not look into.
        return self.model._upload_modified_files(*args, **kwargs)

    @property
    def name_or_path(self) -> str:
        """Folder or name that the model was loaded from."""
        return str(self.model.name_or_path)

    def extractor(self, **options: Unpack[ExtractionKwargs]) -> TripleExtractor | EnsembleExtractor:
        """Return the extraction loop on this pipeline's model, with options as in a call."""
        if self.model.training:  # also later: a training may have gone on after the pipeline was made
            self.model.eval()  # type: ignore[no-untyped-call]  # unannotated there
        return make_extractor(self.model, self.tokenizer, **merge_options(self._preprocess_params, options))
