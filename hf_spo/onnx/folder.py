"""The folder of an ONNX export: its files, its description, and where one may be written."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Any

from ..model.decoding_settings import DecodingSettings
from ..model.schema import Schema

ENCODER_FILE, OBJECTS_FILE = "encoder.onnx", "objects.onnx"
"""The graphs: from sentences to subjects, and from subjects to objects."""

TOKENIZER_FILE, DESCRIPTION_FILE = "tokenizer.json", "hf_spo_onnx.json"
FORMAT_VERSION = 1

MAX_F1_DROP = 0.005
"""Largest loss of strict F1 by int8 that is accepted by default."""


class Precision(StrEnum):
    """Number format of an export's weights."""

    FLOAT32 = "float32"
    INT8 = "int8"


class OnnxExportError(ValueError):
    """A model cannot be exported, or its export gives other results."""


@dataclass(frozen=True, slots=True)
class Description:
    """Settings of an export that its graphs and tokenizer do not contain; stored as `hf_spo_onnx.json`.

    Args:
        schema: the model's relations.
        decoding: how probabilities become triples.
        max_length: longest sequence in tokens, special tokens included.
        window: neighbouring sentences are read together up to this many tokens; None: up to `max_length`.
        pad_token_id, unk_token_id: of the tokenizer.
        segmenter: name of the word segmenter, for models that read words.
        prior: whether the model reads candidates of a triple store.
        precision: of the weights.
        opset: version of the operators in the graphs.
        hf_spo_version: the version that wrote the export.
    """

    schema: Schema
    decoding: DecodingSettings
    max_length: int
    window: int | None
    pad_token_id: int | None
    unk_token_id: int | None
    segmenter: str | None
    prior: bool
    precision: Precision
    opset: int
    hf_spo_version: str

    def save(self, folder: Path) -> None:
        """Write it into a folder."""
        data = {
            "format_version": FORMAT_VERSION,
            **{name: getattr(self, name) for name in _PLAIN},
            **self.decoding.to_dict(),
            "relations": self.schema.to_list(),
        }
        text = json.dumps(data, ensure_ascii=False, indent=2) + "\n"
        (folder / DESCRIPTION_FILE).write_text(text, encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, folder: Path) -> "Description":
        """Read it from a folder.

        Raises:
            FileNotFoundError: the folder is not an export.
            ValueError: a newer version wrote it, or it is damaged.
        """
        path = folder / DESCRIPTION_FILE
        if not path.is_file():
            raise FileNotFoundError(f"{folder} is not an ONNX export: {_explain(folder)}")
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            newer = data["format_version"] > FORMAT_VERSION
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"{path} is damaged ({error!r}); export the model again") from None
        if newer:
            raise ValueError(
                f"{path} has format {data['format_version']}, this hf-spo reads up to {FORMAT_VERSION}: it was "
                f"exported by hf-spo {data.get('hf_spo_version', 'of a later version')}; upgrade: pip install -U hf-spo"
            )
        try:
            return cls._from_dict(data)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} is damaged ({error!r}); export the model again") from None

    @classmethod
    def _from_dict(cls, data: Mapping[str, Any]) -> "Description":
        plain = {name: data[name] for name in _PLAIN}
        for name, value in plain.items():
            if type(value) not in _PLAIN[name]:
                raise ValueError(f"{name} is {value!r:.40}")
        longest, window = data["max_length"], data["window"]
        if longest < 3 or not 3 <= (longest if window is None else window) <= longest:
            raise ValueError(f"max_length is {longest}, window is {window}")
        plain["precision"] = Precision(data["precision"])
        return cls(schema=Schema.from_list(data["relations"]), decoding=DecodingSettings.from_dict(data), **plain)


_PLAIN: dict[str, tuple[type, ...]] = {
    "hf_spo_version": (str,),
    "precision": (str,),
    "opset": (int,),
    "max_length": (int,),
    "window": (int, NoneType),
    "pad_token_id": (int, NoneType),
    "unk_token_id": (int, NoneType),
    "segmenter": (str, NoneType),
    "prior": (bool,),
}
"""Fields with plain values, and their types in JSON."""


def _explain(folder: Path) -> str:
    if not folder.is_dir():
        return "there is no such folder; make one by `hf-spo export --model MODEL --output FOLDER`"
    if (folder / "config.json").is_file():
        return f"it holds the model itself; export it by `hf-spo export --model {folder} --output FOLDER`"
    return f"it has no {DESCRIPTION_FILE}; make one by `hf-spo export --model MODEL --output FOLDER`"


def is_export(folder: str | os.PathLike[str]) -> bool:
    """Tell whether a folder holds an ONNX export."""
    return (Path(folder) / DESCRIPTION_FILE).is_file()


def check_target(folder: Path) -> None:
    """Check that an export may be written to a folder: it is new, empty, or an export itself.

    Raises:
        OnnxExportError: it holds other files, which would be lost, or its parent folder is missing.
    """
    if not folder.parent.is_dir():
        raise OnnxExportError(f"there is no folder {folder.parent}; create it, or choose another place")
    if folder.exists() and not folder.is_dir():
        raise OnnxExportError(f"{folder} is a file; pass the name of a folder")
    if folder.is_dir() and any(folder.iterdir()) and not is_export(folder):
        raise OnnxExportError(
            f"{folder} is not empty and is not an ONNX export that could be replaced; pass another folder"
        )
