"""Whether a saved model can be loaded: asked before anything of its size is made, and again of its weights.

Weights are safetensors and nothing else: what is pickled can run code when it is read.
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
    """A saved model is damaged, not whole, or none that may be loaded."""


def read_config(path: Path, model_types: Sequence[str]) -> dict[str, Any]:
    """Return what a model's config.json says, if it is one of these kinds.

    Raises:
        CheckpointError: it is missing, no JSON object, or that of another kind of model.
    """
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise CheckpointError(f"{path} has {path.stat().st_size:,} bytes, and a config has a few thousand")
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path.parent} has no {path.name}; expected the folder of a trained model") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path} is no JSON ({_brief(error)}); {_ANEW}") from None
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind not in model_types:
        raise CheckpointError(
            f"{path}: expected a triple-extraction model, model_type {' or '.join(model_types)}, got {kind!r:.40}; "
            f"a plain encoder has to be trained first, see `hf-spo train`"
        )
    return dict(config)


def weight_files(find: Callable[[str], str | None], where: object, variant: str | None = None) -> list[Path]:
    """Return the files that hold a model's weights.

    Args:
        find: returns where a file of the model lies; None if it has no such file.
        where: the model, for messages.
        variant: as in `from_pretrained`.

    Raises:
        CheckpointError: there is none, or pickles alone, or a shard that the index names is missing.
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
            f"{where} has its weights as {pickle} only, a pickle, which can run code when it is read; it was not. Ask "
            f"whoever trained the model to save it anew, as {names[0]}"
        )
    raise CheckpointError(f"{where} has no {names[0]}; {_ANEW}")


def _shard_names(index: Path) -> list[str]:
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{index} is damaged ({_brief(error)}); {_ANEW}") from None
    for name in names:
        # A downloaded index must not lead out of its folder, nor to a pickle.
        if not isinstance(name, str) or PurePosixPath(name.replace("\\", "/")).name != name or name[-12:] != _SUFFIX:
            raise CheckpointError(f"{index}: {name!r} is no name of a shard; expected FILE{_SUFFIX} in the same folder")
    return names


def _shard(find: Callable[[str], str | None], index: Path, name: str) -> Path:
    found = find(name)
    if found is None:
        raise CheckpointError(f"{index} names {name}, which is not there; {_ANEW}")
    return Path(found)


def stored_shapes(files: Iterable[Path]) -> dict[str, tuple[int, ...]]:
    """Return names and sizes of the tensors in safetensors files, without reading the tensors.

    Raises:
        CheckpointError: a file is none, or is cut short.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for file in files:
        try:
            with safe_open(file, framework="pt") as tensors:  # no dictionary: it has to be asked for its keys
                shapes |= {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            size = file.stat().st_size
            raise CheckpointError(
                f"{file} is damaged or cut short, at {size:,} bytes ({_brief(error)}); {_ANEW}"
            ) from None
    return shapes


def check_shapes(build: Callable[[], nn.Module], stored: Shapes, where: object, *, partial: bool = False) -> None:
    """Check that the model of a config is that of the weights, at no more cost than its modules without their tensors.

    Args:
        build: makes the model; called where tensors have sizes only.
        stored: what the files hold.
        where: the model, for messages.
        partial: whether tensors may have other sizes, of which the model starts at random.

    Raises:
        CheckpointError: the config describes no model, or one of other sizes than the weights.
        ImportError: the model needs a package that is not installed.
    """
    try:
        with _few_modules(_MODULES_A_TENSOR * len(stored) + _FEW), torch.device("meta"):
            model = build()
    except ImportError:
        raise
    except Exception as error:
        raise CheckpointError(f"{where}: its config.json describes no model: {_brief(error)}") from error
    wrong = [
        f"{name} is {list(stored[name])}, expected {list(tensor.shape)}"
        for name, tensor in model.state_dict().items()
        if name in stored and stored[name] != tuple(tensor.shape)
    ]
    if wrong and not partial:
        raise CheckpointError(
            f"{where}: {len(wrong)} of its tensors have not the sizes that its config.json says: {min(wrong)}; "
            f"{_ANEW}. For another schema, pass relations= and ignore_mismatched_sizes=True"
        )
    size, held = (sum(map(_count, shapes)) for shapes in ((p.shape for p in model.parameters()), stored.values()))
    if size > 2 * held + _SMALL:
        raise CheckpointError(
            f"{where}: its config.json describes a model of {size:,} parameters, and its files have {held:,}; {_ANEW}"
        )


def check_weights(model: nn.Module, missing: Iterable[str], where: object, *, partial: bool = False) -> None:
    """Check that all of a model's weights were read, and are numbers.

    Args:
        model: that was loaded.
        missing: names of what the files lacked.
        where: the model, for messages.
        partial: whether weights may be missing, which start at random.

    Raises:
        CheckpointError: some are missing, or not finite.
    """
    lacking = sorted(missing)
    if lacking and not partial:
        raise CheckpointError(
            f"{where} lacks {len(lacking)} of the weights that its config.json asks for, such as {lacking[0]}, which "
            f"would start at random; {_ANEW}. To train them, pass ignore_mismatched_sizes=True"
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
    """Check that a tokenizer is a fast one and that its tokens have embeddings.

    Special tokens may have none that no text contains: texts are never read as commands.

    Raises:
        CheckpointError: it is that of another model, or a slow one.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise CheckpointError(
            f"{where}: {type(tokenizer).__name__} is no fast tokenizer and knows no character offsets; save one with a "
            f"tokenizer.json there"
        )
    backend = tokenizer.backend_tokenizer
    added = (number for number, token in backend.get_added_tokens_decoder().items() if not token.special)
    last = max([backend.get_vocab_size(with_added_tokens=False) - 1, *backend.encode("").ids, *added])
    if last >= embeddings:
        raise CheckpointError(
            f"{where}: its tokenizer has tokens up to number {last:,}, and the model embeddings of {embeddings:,}; "
            f"bring the tokenizer that the model was trained with"
        )


_ANEW = "copy or download it again"
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
    """Stop a model that is being built at more modules than this: a config may ask for a million layers."""
    thread, count = threading.get_ident(), 0

    def note(*_: Any) -> None:
        nonlocal count
        count += threading.get_ident() == thread
        if count > limit:
            raise CheckpointError(f"it has more than {limit:,} layers and parts of such, which its weights have not")

    hook = register_module_module_registration_hook(note)
    try:
        yield
    finally:
        hook.remove()
