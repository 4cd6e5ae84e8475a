"""Exported models without torch, whatever engine runs their graphs: tokenizers and numpy are all that is imported.

A new engine is a subclass of [`ExportedBackend`] and a line in [`ENGINES`].
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any, Protocol, Unpack

import numpy as np
from tokenizers import Tokenizer

from ..model.alignment import Batch
from ..model.extraction import TripleExtractor
from ..model.features import PRIOR_FILE, WORDS_FILE, Features
from ..model.options import ExtractionKwargs, merge_options
from ..model.results import ExtractionCall, Triples, read_inputs
from ..model.schema import Schema
from ..model.triple_store import TripleStore
from ..model.words import WordVocabulary
from .folder import DESCRIPTION_FILE, ENCODER_FILE, OBJECTS_FILE, TOKENIZER_FILE, Description


class Graph(Protocol):
    """One graph of an export, loaded by an engine; several threads may run it at the same time."""

    inputs: Sequence[str]
    outputs: Sequence[str]
    shapes: Sequence[Sequence[Any]]
    """Shapes of the outputs; an axis of any length is no integer."""

    def run(self, outputs: Sequence[str], inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return these outputs."""
        ...


class ExportedBackend:
    """The two graphs of an export behind the interface that extraction uses, see [`PointerBackend`].

    It keeps nothing between calls, so several threads may share it.

    Args:
        folder: of the export.
        load: loads a graph from its file.

    Raises:
        FileNotFoundError: a graph is missing.
        ValueError: the graphs do not go together.
    """

    def __init__(self, folder: str | PathLike[str], load: Callable[[Path], Graph]) -> None:
        paths = [Path(folder) / name for name in (ENCODER_FILE, OBJECTS_FILE)]
        for path in paths:
            if not path.is_file():
                raise FileNotFoundError(f"{folder} has no {path.name}; export the model again")
        self._subjects, self._objects = map(load, paths)
        outputs, given = set(self._subjects.outputs), {*_BATCH, "rows", "spans", *self._subjects.outputs}
        unknown = {*self._subjects.inputs} - {*_BATCH} | {*self._objects.inputs} - given | {_PROBS, _STATE} - outputs
        shapes = self._objects.shapes
        if unknown or len(shapes) != 1 or len(shapes[0]) != 4 or "spans" not in self._objects.inputs:
            raise ValueError(
                f"{paths[0]} and {OBJECTS_FILE} do not go together{': ' if unknown else ''}"
                f"{', '.join(sorted(unknown))}; export the model again"
            )
        self._state = [name for name in self._subjects.outputs if name in self._objects.inputs]

    @property
    def relations(self) -> int:
        """Number of relations whose objects the second graph points at."""
        relations: int = self._objects.shapes[0][2]
        return relations

    def subjects(self, batch: Batch) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Encode a batch. Returns the inputs of the second graph that do not depend on subjects, and (B, L, 2)."""
        inputs = batch.model_inputs()
        given = {name: inputs[name] for name in self._subjects.inputs}
        probs, *state = self._subjects.run([_PROBS, *self._state], given)
        kept = {name: array for name, array in inputs.items() if name in self._objects.inputs}
        return {**kept, **dict(zip(self._state, state, strict=True))}, probs

    def objects(self, state: dict[str, np.ndarray], rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Point at the objects of subjects. *Shape:* rows (N,), spans (N, 2) → (N, L, R, 2)."""
        if not len(rows):  # engines cannot broadcast empty arrays
            return np.zeros((0, state[_STATE].shape[1], self.relations, 2), dtype=np.float32)
        return self._objects.run(self._objects.outputs, {**state, "rows": rows, "spans": spans})[0]


_BATCH = ("input_ids", "attention_mask", "word_ids", "prior")
_PROBS, _STATE = "subject_probs", "conditioned"

ENGINES = {"onnx": "runtime.OnnxBackend"}
"""Modules and classes of the engines, by the name that `hf_spo.load(backend=…)` takes. Each class has a method
`on_device(folder, device, threads)`."""


def make_backend(engine: str, folder: Path, device: str | None, threads: int | None) -> ExportedBackend:
    """Load the graphs of an export by an engine.

    Args:
        engine: key of [`ENGINES`].
        folder: of the export.
        device: to compute on; default: the engine's own choice.
        threads: that compute on the CPU; default: one for each core.
    """
    module, name = ENGINES[engine].split(".")
    backend_class = getattr(import_module(f".{module}", __package__), name)
    backend: ExportedBackend = backend_class.on_device(folder, device, threads)
    return backend


@dataclass(frozen=True, slots=True)
class ExportedTokenizer:
    """A tokenizer with the attributes that extraction needs, without transformers."""

    backend_tokenizer: Any
    pad_token_id: int | None
    unk_token_id: int | None
    is_fast: bool = True

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of a text, without special ones."""
        tokens: list[str] = self.backend_tokenizer.encode(text, add_special_tokens=False).tokens
        return tokens


class ExportedTripleExtractionPipeline(ExtractionCall):
    """Extract triples with an exported model; called like [`TripleExtractionPipeline`], with the same answers.

    Args:
        backend: the graphs.
        tokenizer: of the model.
        description: of the export.
        features: words and known triples that the model reads beside tokens.
        name_or_path: of the export.
        defaults: options of all calls, and `batch_size`.

    Raises:
        TypeError: an option is unknown.
        ValueError: an option is out of range.
    """

    def __init__(
        self,
        backend: ExportedBackend,
        tokenizer: ExportedTokenizer,
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
        # Raises errors of options now rather than at the first call.
        self.extractor()([], self._batch_size)

    def _run(self, inputs: Any, batch_size: int | None, options: dict[str, Any]) -> Any:
        texts, collect = read_inputs(inputs)
        found = self.extractor(**options).pairs(texts, batch_size)
        return collect(Triples(triples, text) for text, triples in found)

    def extractor(self, **options: Unpack[ExtractionKwargs]) -> TripleExtractor:
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


def load_exported(
    folder: str | PathLike[str], make: Callable[[Path], ExportedBackend], **defaults: Any
) -> ExportedTripleExtractionPipeline:
    """Load an exported model.

    Args:
        folder: that [`export_onnx`] or `hf-spo export` wrote.
        make: loads its graphs.
        defaults: options of all calls, and `batch_size`.

    Raises:
        FileNotFoundError: the folder is no export, or a file of it is missing.
        ImportError: the engine is not installed.
        ValueError: a newer version wrote the export, or a file of it is damaged.
    """
    path = Path(folder)
    description = Description.load(path)
    for name in _files(description):
        if not (path / name).is_file():
            raise FileNotFoundError(f"{path} has no {name}; export the model again")
    backend = make(path)
    if backend.relations != len(description.schema):
        raise ValueError(
            f"{path / OBJECTS_FILE} points at {backend.relations} relations, but {DESCRIPTION_FILE} names "
            f"{len(description.schema)}; export the model again"
        )
    tokenizer = ExportedTokenizer(_read_tokenizer(path), description.pad_token_id, description.unk_token_id)
    for number in (tokenizer.pad_token_id, tokenizer.unk_token_id):
        if number is not None and not 0 <= number < tokenizer.backend_tokenizer.get_vocab_size():
            raise ValueError(f"{path / TOKENIZER_FILE} has no token {number}, which {DESCRIPTION_FILE} names")
    features = _read_features(path, description)
    return ExportedTripleExtractionPipeline(backend, tokenizer, description, features, str(folder), **defaults)


def _files(description: Description) -> list[str]:
    words = [WORDS_FILE] if description.segmenter is not None else []
    return [TOKENIZER_FILE, *words, *([PRIOR_FILE] if description.prior else [])]


def _read_tokenizer(folder: Path) -> Any:
    try:
        return Tokenizer.from_file(str(folder / TOKENIZER_FILE))
    except Exception as error:  # the library has no narrower class
        raise ValueError(f"{folder / TOKENIZER_FILE} is damaged ({error}); export the model again") from None


def _read_features(folder: Path, description: Description) -> Features:
    words, prior = None, None
    if description.segmenter is not None:
        words = WordVocabulary.from_file(folder / WORDS_FILE, description.segmenter)
    if description.prior:
        prior = TripleStore.from_file(folder / PRIOR_FILE, description.schema)
    return Features(words, prior)
