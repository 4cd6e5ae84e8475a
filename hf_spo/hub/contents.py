"""What of a model's folder belongs to the model: an explicit list, so that what training left there stays at home."""

from dataclasses import dataclass
from pathlib import Path

from ..model.features import PRIOR_FILE, WORDS_FILE
from ..onnx.folder import is_export
from . import ModelFacts
from .facts import INDEX_FILE, weight_files

TOKENIZER_FILE = "tokenizer.json"
_BESIDE_THE_WEIGHTS = (
    *("config.json", INDEX_FILE, WORDS_FILE, PRIOR_FILE),
    *(TOKENIZER_FILE, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.txt", "vocab.json", "merges.txt", "spiece.model", "sentencepiece.bpe.model"),
)
_AT_THE_TOP = ("LICENSE", "LICENSE.txt", "NOTICE")


@dataclass(frozen=True, slots=True)
class Contents:
    """A model's folder, sorted.

    Args:
        facts: of the model.
        files: what belongs to it, relative to the folder.
        others: names of what else lies in the folder.
    """

    facts: ModelFacts
    files: list[str]
    others: list[str]

    @classmethod
    def of(cls, folder: Path) -> "Contents":
        """Sort a folder.

        Raises:
            FileNotFoundError: it is no folder, or lacks a part of a model.
            ValueError: it is no model, or an ONNX export, or a file is damaged.
        """
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is no folder; give the folder of a trained model")
        if is_export(folder):
            raise ValueError(
                f"{folder} is an ONNX export; publish the model that it was made from, with --onnx to add an export"
            )
        facts = ModelFacts.read(folder)
        files = [name for name in _AT_THE_TOP if (folder / name).is_file()]
        for member in dict.fromkeys(["", *facts.folders]):
            files += _files(folder, member, with_weights=member in facts.folders)
        tops = {Path(name).parts[0] for name in files}
        return cls(facts, files, sorted(path.name for path in folder.iterdir() if path.name not in tops))


def _files(folder: Path, member: str, with_weights: bool) -> list[str]:
    own = folder / member
    if not (own / TOKENIZER_FILE).is_file():
        raise FileNotFoundError(f"{own} has no {TOKENIZER_FILE}; save the tokenizer beside the model")
    names = [name for name in _BESIDE_THE_WEIGHTS if (own / name).is_file()]
    weights = weight_files(own) if with_weights else []
    if len(weights) == 1:
        names = [name for name in names if name != INDEX_FILE]
    return [str(Path(member, name).as_posix()) for name in [*names, *(path.name for path in weights)]]
