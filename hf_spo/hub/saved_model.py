"""Describe a saved model by its files, without loading it, and list the files that belong in its repository."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from ..model.adapters import adapter_base
from ..model.decoding_settings import DecodingSettings
from ..model.features import PRIOR_FILE, WORDS_FILE
from ..model.schema import Schema
from ..onnx.folder import is_export
from .evaluation import read_json_object

MODEL_TYPES = ("hf_spo", "hf_spo_ensemble")

INDEX_FILE = "model.safetensors.index.json"
TOKENIZER_FILE = "tokenizer.json"
# An explicit list, so that other files of a training run are not published.
_BESIDE_THE_WEIGHTS = (
    *("config.json", INDEX_FILE, WORDS_FILE, PRIOR_FILE),
    *(TOKENIZER_FILE, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.txt", "vocab.json", "merges.txt", "spiece.model", "sentencepiece.bpe.model"),
)
_AT_THE_TOP = ("LICENSE", "LICENSE.txt", "NOTICE")
_FORMATS = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@dataclass(frozen=True, slots=True)
class SavedModel:
    """A saved model or ensemble, described by its files.

    Args:
        folder: of the model.
        config: content of its config.json.
        members: folders of the models in an ensemble, relative to its folder; "" alone for a single model.
        member_configs: their configs.
        parameters: number of weights, word vectors included.
        size: of the weight files in bytes.
        formats: number formats of the weights.
    """

    folder: Path
    config: Mapping[str, Any]
    members: Sequence[str]
    member_configs: Sequence[Mapping[str, Any]]
    parameters: int
    size: int
    formats: Sequence[str]

    @classmethod
    def read(cls, folder: str | Path) -> "SavedModel":
        """Read the files of a folder.

        Raises:
            FileNotFoundError: the folder, its config.json or its weights do not exist.
            ValueError: the folder has another kind of model or an ONNX export, or a file is damaged.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is not a folder; pass the folder of a trained model")
        if is_export(folder):
            raise ValueError(
                f"{folder} is an ONNX export; publish the model that it was made from, with --onnx to add an export"
            )
        if adapter_base(lambda name: str(folder / name) if (folder / name).is_file() else None, folder) is not None:
            raise ValueError(
                f"{folder} has an adapter only; save the whole model by "
                f"hf_spo.load({str(folder)!r}, dtype='float32').save_pretrained(…), and publish that"
            )
        config = _read_config(folder)
        names = [name for group in config.get("groups") or [[""]] for name in group]
        for name in names:
            if not (folder / name).resolve().is_relative_to(folder.resolve()):
                raise ValueError(f"{folder / 'config.json'}: member {name!r} is outside the ensemble's folder")
        weights = [path for name in names for path in _weight_files(folder / name)]
        numbers: Counter[str] = Counter()
        for path in weights:
            numbers.update(_numbers(path))
        size = sum(path.stat().st_size for path in weights)
        member_configs = [_read_config(folder / name) for name in names]
        return cls(folder, config, names, member_configs, numbers.total(), size, sorted(numbers))

    def files(self) -> list[str]:
        """Return the files that belong to the model, relative to its folder.

        Raises:
            FileNotFoundError: a tokenizer is missing.
        """
        found = [name for name in _AT_THE_TOP if (self.folder / name).is_file()]
        for member in dict.fromkeys(["", *self.members]):
            own = self.folder / member
            if not (own / TOKENIZER_FILE).is_file():
                raise FileNotFoundError(f"{own} has no {TOKENIZER_FILE}; save the tokenizer with the model")
            names = [name for name in _BESIDE_THE_WEIGHTS if (own / name).is_file()]
            weights = _weight_files(own) if member in self.members else []
            if len(weights) == 1:
                names = [name for name in names if name != INDEX_FILE]
            found += [Path(member, name).as_posix() for name in [*names, *(path.name for path in weights)]]
        return found

    def other_files(self) -> list[str]:
        """Return the names of files and folders that do not belong to the model."""
        own = {Path(name).parts[0] for name in self.files()}
        return sorted(path.name for path in self.folder.iterdir() if path.name not in own)

    @property
    def schema(self) -> Schema:
        """The relations that the model knows."""
        return Schema.from_list(self.config["relations"])

    @property
    def decoding(self) -> DecodingSettings:
        """Settings of the decoder."""
        return DecodingSettings.from_dict(self.config)

    @property
    def encoder(self) -> str:
        """Description of the first member's encoder: type, layers, hidden size and vocabulary."""
        config = self.member_configs[0].get("encoder_config") or {}
        layers = len(config["dilations"]) if "dilations" in config else config.get("num_hidden_layers")
        width, tokens = config.get("hidden_size"), config.get("vocab_size")
        named = {f"{layers} layers": layers, f"hidden size {width}": width, f"{tokens} tokens known": tokens}
        return ", ".join([str(config.get("model_type")), *(text for text, value in named.items() if value)])

    def requirement(self, extras: Sequence[str] = (), address: str | None = None) -> str:
        """Return the requirement for pip, with the extras that the model needs and the given ones.

        Args:
            extras: further ones.
            address: of a wheel or repository of hf-spo; default: the package index.
        """
        names = ",".join([*self.extras, *extras])
        package = f"hf-spo[{names}]" if names else "hf-spo"
        return package if address is None else f"{package} @ {address}"

    @property
    def extras(self) -> list[str]:
        """Extras of hf-spo that the model needs."""
        encoders = [member.get("encoder_config") or {} for member in self.member_configs]
        words = any(one.get("word_vocab_size") and one.get("segmenter") == "rjieba" for one in encoders)
        prior = any(member.get("prior") for member in self.member_configs)
        return [name for name, needed in (("words", words), ("prior", prior)) if needed]


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise FileNotFoundError(f"{folder} has no config.json; pass the folder of a trained model")
    config = read_json_object(path)
    if config.get("model_type") not in MODEL_TYPES or not config.get("relations"):
        raise ValueError(
            f"{folder} is not a triple-extraction model: its config.json has model_type {config.get('model_type')!r} "
            f"and {len(config.get('relations') or ())} relations; expected {' or '.join(MODEL_TYPES)}, and at least one"
        )
    return config


def _weight_files(folder: Path) -> list[Path]:
    """Return the weight files: one, or those that an index names.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: the index is damaged.
    """
    whole, index = folder / "model.safetensors", folder / INDEX_FILE
    if whole.is_file():
        return [whole]
    if not index.is_file():
        raise FileNotFoundError(f"{folder} has no model.safetensors; pass the folder of a trained model")
    places = read_json_object(index).get("weight_map")
    if not isinstance(places, dict) or any(Path(str(name)).name != name for name in places.values()):
        raise ValueError(f"{index} is damaged; save the model again")
    paths = [folder / name for name in sorted(set(places.values()))]
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing, but {index.name} names it; save the model again")
    return paths


def _numbers(path: Path) -> Counter[str]:
    """Count the numbers in a file by their format."""
    counts: Counter[str] = Counter()
    try:
        with safe_open(path, framework="np") as file:
            for name in file.keys():  # noqa: SIM118  # safe_open is not iterable
                part = file.get_slice(name)
                counts[_FORMATS.get(part.get_dtype(), part.get_dtype())] += prod(part.get_shape())
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}); save the model again") from None
    return counts
