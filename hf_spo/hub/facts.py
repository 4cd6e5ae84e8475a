"""What the files of a model say of it, read without loading it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from ..model.decoding_settings import DecodingSettings
from ..model.schema import Schema
from .figures import read_json_object

MODEL_TYPES = ("hf_spo", "hf_spo_ensemble")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the files of a model or an ensemble say of it.

    Args:
        config: of the folder.
        folders: of the models, within it; of a single model "" alone.
        members: their configs.
        parameters: numbers in all weights together, word vectors included.
        size: of the weights' files in bytes.
        formats: of the numbers.
    """

    config: Mapping[str, Any]
    folders: Sequence[str]
    members: Sequence[Mapping[str, Any]]
    parameters: int
    size: int
    formats: Sequence[str]

    @classmethod
    def read(cls, folder: str | Path) -> "ModelFacts":
        """Read them from a folder.

        Raises:
            FileNotFoundError: there is no config.json in it, or no weights.
            ValueError: it is no triple-extraction model, or a file is damaged.
        """
        folder = Path(folder)
        config = _read_config(folder)
        names = [name for group in config.get("groups") or [[""]] for name in group]
        for name in names:
            if not (folder / name).resolve().is_relative_to(folder.resolve()):
                raise ValueError(f"{folder / 'config.json'}: member {name!r} lies outside the ensemble's folder")
        weights = [path for name in names for path in weight_files(folder / name)]
        numbers: Counter[str] = Counter()
        for path in weights:
            numbers.update(_numbers(path))
        size = sum(path.stat().st_size for path in weights)
        members = [_read_config(folder / name) for name in names]
        return cls(config, names, members, numbers.total(), size, sorted(numbers))

    @property
    def schema(self) -> Schema:
        """The relations."""
        return Schema.from_list(self.config["relations"])

    @property
    def decoding(self) -> DecodingSettings:
        """How probabilities become triples."""
        return DecodingSettings.from_dict(self.config)

    @property
    def encoder(self) -> str:
        """What reads the text: kind, layers, width and tokens known, of the first member."""
        config = self.members[0].get("encoder_config") or {}
        layers = len(config["dilations"]) if "dilations" in config else config.get("num_hidden_layers")
        width, tokens = config.get("hidden_size"), config.get("vocab_size")
        named = {f"{layers} layers": layers, f"hidden size {width}": width, f"{tokens} tokens known": tokens}
        return ", ".join([str(config.get("model_type")), *(text for text, value in named.items() if value)])

    def requirement(self, extras: Sequence[str] = ()) -> str:
        """Return what to tell pip to install, with further extras of hf-spo than the model's own."""
        names = ",".join([*self.extras, *extras])
        return f"hf-spo[{names}]" if names else "hf-spo"

    @property
    def extras(self) -> list[str]:
        """Extras of hf-spo that the model needs to read a text."""
        encoders = [member.get("encoder_config") or {} for member in self.members]
        words = any(one.get("word_vocab_size") and one.get("segmenter") == "rjieba" for one in encoders)
        prior = any(member.get("prior") for member in self.members)
        return [name for name, needed in (("words", words), ("prior", prior)) if needed]


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise FileNotFoundError(f"{folder} has no config.json; expected the folder of a trained model")
    config = read_json_object(path)
    if config.get("model_type") not in MODEL_TYPES or not config.get("relations"):
        raise ValueError(
            f"{folder} is no triple-extraction model: its config.json has model_type {config.get('model_type')!r} and "
            f"{len(config.get('relations') or ())} relations; expected {' or '.join(MODEL_TYPES)}, and at least one"
        )
    return config


def weight_files(folder: Path) -> list[Path]:
    """Return the files of the weights: one, or those that an index names.

    Raises:
        FileNotFoundError: there are none, or one is missing.
        ValueError: the index is damaged.
    """
    whole, index = folder / "model.safetensors", folder / INDEX_FILE
    if whole.is_file():
        return [whole]
    if not index.is_file():
        raise FileNotFoundError(f"{folder} has no model.safetensors; expected the folder of a trained model")
    places = read_json_object(index).get("weight_map")
    if not isinstance(places, dict) or any(Path(str(name)).name != name for name in places.values()):
        raise ValueError(f"{index} is damaged; save the model again")
    paths = [folder / name for name in sorted(set(places.values()))]
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing, which {index.name} names; save the model again")
    return paths


INDEX_FILE = "model.safetensors.index.json"
_FORMATS = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}


def _numbers(path: Path) -> Counter[str]:
    """Count the numbers in a file by their format."""
    counts: Counter[str] = Counter()
    try:
        with safe_open(path, framework="np") as file:
            for name in file.keys():  # noqa: SIM118  # no dictionary
                part = file.get_slice(name)
                counts[_FORMATS.get(part.get_dtype(), part.get_dtype())] += prod(part.get_shape())
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}); save the model again") from None
    return counts
