"""Exported models without torch: onnxruntime, tokenizers and numpy are all that runs here."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from ..model.alignment import Batch
from ..model.extraction import TripleExtractor
from ..model.features import PRIOR_FILE, WORDS_FILE, Features
from ..model.options import merge_options
from ..model.results import Triples, read_inputs
from ..model.schema import Schema
from ..model.triple_store import TripleStore
from ..model.words import WordVocabulary
from ..support.extras import require
from .folder import DESCRIPTION_FILE, ENCODER_FILE, OBJECTS_FILE, TOKENIZER_FILE, Description


class OnnxBackend:
    """An exported model behind the interface that extraction knows, see [`PointerBackend`].

    It keeps nothing between calls, so that several threads may share it.

    Args:
        folder: of the export.
        num_threads: that compute one operator; default: one for each core.
        inter_op_num_threads: operators that are computed side by side; default: one.
        providers: of onnxruntime, by preference; default: CUDA where there is a GPU for it, else the CPU.

    Raises:
        FileNotFoundError: a graph is missing.
        ImportError: onnxruntime is not installed.
        ValueError: onnxruntime cannot load a graph, or has no such provider.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        *,
        num_threads: int | None = None,
        inter_op_num_threads: int | None = None,
        providers: Sequence[str] | None = None,
    ) -> None:
        onnxruntime = require("onnxruntime", "onnx", "running an exported model")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors
        options.intra_op_num_threads = num_threads or 0
        options.inter_op_num_threads = inter_op_num_threads or 0
        # Threads of the graph that has nothing to do would keep those of the other from the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        chosen = _available(onnxruntime, providers)
        self._subjects = _session(onnxruntime, Path(folder) / ENCODER_FILE, options, chosen)
        self._objects = _session(onnxruntime, Path(folder) / OBJECTS_FILE, options, chosen)
        self._subject_inputs = _names(self._subjects.get_inputs())
        self._object_inputs = _names(self._objects.get_inputs())
        self._state = [name for name in _names(self._subjects.get_outputs()) if name in self._object_inputs]
        self._check(Path(folder))

    def _check(self, folder: Path) -> None:
        """Check that the graphs go together: what one asks for is what the other, or a batch, has."""
        outputs, of_objects = _names(self._subjects.get_outputs()), self._objects.get_outputs()
        given = {*_BATCH, "rows", "spans", *outputs}
        wrong = {*self._subject_inputs} - {*_BATCH} | {*self._object_inputs} - given | {_PROBS, _STATE} - {*outputs}
        if wrong or len(of_objects) != 1 or len(of_objects[0].shape) != 4 or "spans" not in self._object_inputs:
            raise ValueError(
                f"{folder / ENCODER_FILE} and {OBJECTS_FILE} do not go together"
                f"{': ' if wrong else ''}{', '.join(sorted(wrong))}; export the model again"
            )

    @property
    def relations(self) -> int:
        """Number of relations that objects are pointed at for."""
        relations: int = self._objects.get_outputs()[0].shape[2]
        return relations

    def subjects(self, batch: Batch) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Encode a batch. Returns the inputs of the second pass that do not depend on subjects, and (B, L, 2)."""
        inputs = batch.model_inputs()
        given = {name: inputs[name] for name in self._subject_inputs}
        probs, *state = self._subjects.run([_PROBS, *self._state], given)
        kept = {name: array for name, array in inputs.items() if name in self._object_inputs}
        return {**kept, **dict(zip(self._state, state, strict=True))}, probs

    def objects(self, state: dict[str, np.ndarray], rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Point at the objects of subjects. *Shape:* rows (N,), spans (N, 2) → (N, L, R, 2)."""
        if not len(rows):  # which onnxruntime cannot spread over a sentence
            return np.zeros((0, state[_STATE].shape[1], self.relations, 2), dtype=np.float32)
        found: np.ndarray = self._objects.run(None, {**state, "rows": rows, "spans": spans})[0]
        return found


_BATCH = ("input_ids", "attention_mask", "word_ids", "prior")
_PROBS, _STATE = "subject_probs", "conditioned"
_PREFERRED = ("CUDAExecutionProvider", "CPUExecutionProvider")


def _available(onnxruntime: Any, providers: Sequence[str] | None) -> list[str]:
    available = onnxruntime.get_available_providers()
    if providers is None:
        return [name for name in _PREFERRED if name in available]
    missing = [name for name in providers if name not in available]
    if missing:
        raise ValueError(
            f"onnxruntime has no {', '.join(missing)} here, only {', '.join(available)}; for a GPU, install "
            f"onnxruntime-gpu in place of onnxruntime"
        )
    return list(providers)


def _session(onnxruntime: Any, path: Path, options: Any, providers: list[str]) -> Any:
    if not path.is_file():
        raise FileNotFoundError(f"{path.parent} has no {path.name}; export the model again")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # its own kinds have no common parent
        raise ValueError(f"onnxruntime {onnxruntime.__version__} cannot load {path}: {error}") from error


def _names(values: Sequence[Any]) -> list[str]:
    return [value.name for value in values]


@dataclass(frozen=True, slots=True)
class OnnxTokenizer:
    """What extraction asks of a tokenizer, without transformers."""

    backend_tokenizer: Any
    pad_token_id: int | None
    unk_token_id: int | None
    is_fast: bool = True

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of a text, without special ones."""
        tokens: list[str] = self.backend_tokenizer.encode(text, add_special_tokens=False).tokens
        return tokens


class OnnxTripleExtractionPipeline:
    """Extract triples with an exported model; called like [`TripleExtractionPipeline`], with the same answers.

    Args:
        backend: the graphs.
        tokenizer: the model's.
        description: of the export.
        features: what the model reads beside tokens.
        name_or_path: where the model comes from.
        defaults: arguments as in a call.

    Raises:
        TypeError: an argument is not known.
        ValueError: an argument is out of range.
    """

    def __init__(
        self,
        backend: OnnxBackend,
        tokenizer: OnnxTokenizer,
        description: Description,
        features: Features | None = None,
        name_or_path: str = "",
        **defaults: Any,
    ) -> None:
        self.backend = backend
        self.tokenizer = tokenizer
        self.description = description
        self.schema: Schema = description.schema
        self.features = features or Features()
        self.name_or_path = name_or_path
        self._batch_size: int | None = defaults.pop("batch_size", None)
        self._defaults = defaults
        # Raises now rather than at the first call.
        self.extractor()([], self._batch_size)

    def __call__(self, inputs: Any, *, batch_size: int | None = None, **options: Any) -> Any:
        """Extract triples from a text, a list of texts, or a stream of texts."""
        texts, collect = read_inputs(inputs)
        size = self._batch_size if batch_size is None else batch_size
        found = self.extractor(**options).pairs(texts, size)
        return collect(Triples(triples, text) for text, triples in found)

    def extractor(self, **options: Any) -> TripleExtractor:
        """Return the extraction loop on this model, with options as in a call."""
        description = self.description
        chosen = merge_options(self._defaults, options)
        if chosen.get("window") is None:
            chosen["window"] = description.window
        return TripleExtractor(
            self.backend,
            self.tokenizer,
            self.schema,
            max_length=description.max_length,
            features=self.features,
            decoding=description.decoding,
            **chosen,
        )


def load_onnx(
    folder: str | PathLike[str],
    *,
    num_threads: int | None = None,
    inter_op_num_threads: int | None = None,
    providers: Sequence[str] | None = None,
    **defaults: Any,
) -> OnnxTripleExtractionPipeline:
    """Load an exported model.

    Args:
        folder: that [`export_onnx`] or `hf-spo export` wrote.
        num_threads, inter_op_num_threads, providers: see [`OnnxBackend`].
        defaults: arguments of all calls: thresholds, `top_k`, `rules`, `batch_size` and what else a call takes.

    Raises:
        FileNotFoundError: the folder is no export, or something in it is missing.
        ImportError: onnxruntime is not installed.
        ValueError: a newer version wrote the export, or something in it is damaged.
    """
    path = Path(folder)
    description = Description.load(path)
    for name in _files(description):
        if not (path / name).is_file():
            raise FileNotFoundError(f"{path} has no {name}; export the model again")
    backend = OnnxBackend(path, num_threads=num_threads, inter_op_num_threads=inter_op_num_threads, providers=providers)
    if backend.relations != len(description.schema):
        raise ValueError(
            f"{path / OBJECTS_FILE} points at {backend.relations} relations, and {DESCRIPTION_FILE} names "
            f"{len(description.schema)}; export the model again"
        )
    tokenizer = OnnxTokenizer(_read_tokenizer(path), description.pad_token_id, description.unk_token_id)
    for number in (tokenizer.pad_token_id, tokenizer.unk_token_id):
        if number is not None and not 0 <= number < tokenizer.backend_tokenizer.get_vocab_size():
            raise ValueError(f"{path / TOKENIZER_FILE} has no token {number}, which {DESCRIPTION_FILE} names")
    features = _read_features(path, description)
    return OnnxTripleExtractionPipeline(backend, tokenizer, description, features, str(folder), **defaults)


def _files(description: Description) -> list[str]:
    words = [WORDS_FILE] if description.segmenter is not None else []
    return [TOKENIZER_FILE, *words, *([PRIOR_FILE] if description.prior else [])]


def _read_tokenizer(folder: Path) -> Any:
    try:
        return Tokenizer.from_file(str(folder / TOKENIZER_FILE))
    except Exception as error:  # the library raises nothing more particular
        raise ValueError(f"{folder / TOKENIZER_FILE} is damaged ({error}); export the model again") from None


def _read_features(folder: Path, description: Description) -> Features:
    words, prior = None, None
    if description.segmenter is not None:
        words = WordVocabulary.from_file(folder / WORDS_FILE, description.segmenter)
    if description.prior:
        prior = TripleStore.from_file(folder / PRIOR_FILE, description.schema)
    return Features(words, prior)
