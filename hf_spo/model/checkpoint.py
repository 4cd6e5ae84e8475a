"""Checks of a saved model: of its files before memory is allocated, of its weights after loading.

Only safetensors are read, because a pickle can run code when it is read.
"""

import json
import os
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook

WEIGHTS_FILE, INDEX_FILE = "model.safetensors", "model.safetensors.index.json"
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")

Shapes = Mapping[str, tuple[int, ...]]
"""Sizes of tensors, by name."""


class CheckpointError(ValueError):
    """A saved model is damaged or incomplete, or is of a kind that is not loaded."""


def read_config(path: Path, model_types: Sequence[str]) -> dict[str, Any]:
    """Return the content of a model's config.json, if the model is one of these kinds.

    Raises:
        CheckpointError: the file is missing, holds no JSON object, or belongs to another kind of model.
    """
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise CheckpointError(f"{path} has {path.stat().st_size:,} bytes; expected a config of a few thousand")
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path.parent} has no {path.name}; expected the folder of a trained model") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path} is not JSON ({_brief(error)}); {_AGAIN}") from None
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind not in model_types:
        raise CheckpointError(
            f"{path}: expected a triple-extraction model, model_type {' or '.join(model_types)}, got {kind!r:.40}; "
            f"train a plain encoder first, see `hf-spo train`"
        )
    return dict(config)


def weight_files(find: Callable[[str], str | None], where: object, variant: str | None = None) -> list[Path]:
    """Return the files that hold a model's weights.

    Args:
        find: returns the path of a file of the model; None if there is no such file.
        where: the model, for messages.
        variant: as in `from_pretrained`.

    Raises:
        CheckpointError: there are no weights, or only pickles, or a shard that the index names is missing.
    """
    names = [name if variant is None else name.replace(".", f".{variant}.", 1) for name in (WEIGHTS_FILE, INDEX_FILE)]
    whole = find(names[0])
    if whole is not None:
        return [Path(whole)]
    index = find(names[1])
    if index is not None:
        return [_shard(find, Path(index), name) for name in _shard_names(Path(index))]
    pickle = next((name for name in PICKLES if find(name) is not None), None)
    if pickle is not None:
        raise CheckpointError(
            f"{where} has its weights only as {pickle}, a pickle, which can run code when it is read; it was not read. "
            f"Ask the author of the model to save it as {names[0]}"
        )
    raise CheckpointError(f"{where} has no {names[0]}; {_AGAIN}")


def _shard_names(index: Path) -> list[str]:
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{index} is damaged ({_brief(error)}); {_AGAIN}") from None
    for name in names:
        # A downloaded index must not lead out of its folder, nor to a pickle.
        if not isinstance(name, str) or PurePosixPath(name.replace("\\", "/")).name != name or name[-12:] != _SUFFIX:
            raise CheckpointError(
                f"{index}: {name!r} is not the name of a shard; expected FILE{_SUFFIX} in the same folder"
            )
    return names


def _shard(find: Callable[[str], str | None], index: Path, name: str) -> Path:
    found = find(name)
    if found is None:
        raise CheckpointError(f"{index} names {name}, which is missing; {_AGAIN}")
    return Path(found)


def stored_shapes(files: Iterable[Path]) -> dict[str, tuple[int, ...]]:
    """Return names and sizes of the tensors in safetensors files, without reading the tensors.

    Raises:
        CheckpointError: a file is not a safetensors file, or is truncated.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for file in files:
        try:
            with safe_open(file, framework="pt") as tensors:  # not a dictionary, so .keys() is needed
                shapes |= {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            size = file.stat().st_size
            raise CheckpointError(
                f"{file} is damaged or truncated, at {size:,} bytes ({_brief(error)}); {_AGAIN}"
            ) from None
    return shapes


def check_shapes(build: Callable[[], nn.Module], stored: Shapes, where: object, *, partial: bool = False) -> None:
    """Check that a config fits the weights, without allocating the tensors of the model.

    Args:
        build: builds the model; called on the meta device.
        stored: names and sizes of the tensors in the files.
        where: the model, for messages.
        partial: whether tensors may have other sizes, which then start at random.

    Raises:
        CheckpointError: no model can be built from the config, or one of other sizes than the weights.
        ImportError: the model needs a package that is not installed.
    """
    try:
        with _few_modules(_MODULES_A_TENSOR * len(stored) + _FEW), torch.device("meta"):
            model = build()
    except ImportError:
        raise
    except Exception as error:
        raise CheckpointError(f"{where}: no model can be built from its config.json: {_brief(error)}") from error
    wrong = [
        f"{name} is {list(stored[name])}, expected {list(tensor.shape)}"
        for name, tensor in model.state_dict().items()
        if name in stored and stored[name] != tuple(tensor.shape)
    ]
    if wrong and not partial:
        raise CheckpointError(
            f"{where}: {len(wrong)} of its tensors have other sizes than its config.json says: {min(wrong)}; "
            f"{_AGAIN}. For another schema, pass relations= and ignore_mismatched_sizes=True"
        )
    size, held = (sum(map(_count, shapes)) for shapes in ((p.shape for p in model.parameters()), stored.values()))
    if size > 2 * held + _SMALL:
        raise CheckpointError(
            f"{where}: its config.json describes a model of {size:,} parameters, but its files have {held:,}; {_AGAIN}"
        )


def check_weights(model: nn.Module, missing: Iterable[str], where: object, *, partial: bool = False) -> None:
    """Check that all weights of a model were read, and are finite.

    Args:
        model: the loaded model.
        missing: names of the weights that the files lack.
        where: the model, for messages.
        partial: whether weights may be missing, which then start at random.

    Raises:
        CheckpointError: weights are missing or not finite.
    """
    lacking = sorted(missing)
    if lacking and not partial:
        raise CheckpointError(
            f"{where} lacks {len(lacking)} of the weights that its config.json describes, such as {lacking[0]}, which "
            f"would start at random; {_AGAIN}. To train them, pass ignore_mismatched_sizes=True"
        )
    for name, tensor in model.state_dict().items():
        # Tensors of other classes hold quantised weights.
        plain = type(tensor) in (torch.Tensor, nn.Parameter)
        if plain and tensor.is_floating_point() and tensor.numel() and not tensor.is_meta:
            # Six times as fast as isfinite() of every number; NaN is propagated.
            low, high = torch.aminmax(tensor)
            if not (low.isfinite() and high.isfinite()):
                raise CheckpointError(f"{where}: {name} has NaN or infinite weights; train the model again")


def share_weights(folder: str | PathLike[str]) -> None:
    """Give the weight files in a folder the permissions that new files get there, as the umask says.

    safetensors writes files that only their owner can read.
    """
    probe = Path(folder) / f".{os.getpid()}.permissions"
    probe.touch()
    mode = stat.S_IMODE(probe.stat().st_mode)
    probe.unlink()
    for path in Path(folder).glob(f"*{_SUFFIX}"):
        path.chmod(mode)


def check_tokenizer(tokenizer: Any, embeddings: int, where: object) -> None:
    """Check that a tokenizer is a fast one and that the model has embeddings for its tokens.

    Special tokens that no text contains may lack embeddings, since special tokens within texts are read as plain text.

    Raises:
        CheckpointError: the tokenizer is slow, or belongs to another model.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise CheckpointError(
            f"{where}: {type(tokenizer).__name__} is not a fast tokenizer, so it has no character offsets; save one "
            f"with a tokenizer.json there"
        )
    backend = tokenizer.backend_tokenizer
    added = (number for number, token in backend.get_added_tokens_decoder().items() if not token.special)
    last = max([backend.get_vocab_size(with_added_tokens=False) - 1, *backend.encode("").ids, *added])
    if last >= embeddings:
        raise CheckpointError(
            f"{where}: its tokenizer has token ids up to {last:,}, but the model has embeddings for {embeddings:,}; "
            f"use the tokenizer that the model was trained with"
        )


_AGAIN = "copy or download it again"
_SUFFIX = ".safetensors"
_LARGEST_JSON = 1 << 26
_SMALL = 10_000_000
_MODULES_A_TENSOR, _FEW = 8, 1000


def _brief(error: BaseException) -> str:
    return f"{' '.join(str(error).split()) or type(error).__name__:.300}"


def _count(shape: Sequence[int]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


@contextmanager
def _few_modules(limit: int) -> Iterator[None]:
    """Stop the construction of a model that has more modules than this: a config may ask for a million layers."""
    thread, count = threading.get_ident(), 0

    def note(*_: Any) -> None:
        nonlocal count
        count += threading.get_ident() == thread
        if count > limit:
            raise CheckpointError(f"it has more than {limit:,} modules, far more than its weights")

    hook = register_module_module_registration_hook(note)
    try:
        yield
    finally:
        hook.remove()
