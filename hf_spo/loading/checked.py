"""Load models of torch that somebody else may have made: everything is checked, and no code of theirs is run."""

from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig, AutoTokenizer

from ..model.adapters import ADAPTER_FILE, adapter_base, merge_adapter
from ..model.checkpoint import CheckpointError, check_tokenizer, read_config
from ..model.configuration_ensemble import EnsembleConfig
from ..model.configuration_spo import SpoConfig
from ..model.modeling_ensemble import SpoEnsemble
from ..model.modeling_spo import AutoModelForTripleExtraction
from ..model.pipeline import TripleExtractionPipeline
from ..model.pretrained import find_file
from .dtypes import auto_dtype
from .locations import PACKAGED, find_model


def load_torch_pipeline(
    folder: str, device: Any, dtype: Any, threads: int | None, options: dict[str, Any]
) -> TripleExtractionPipeline:
    """Load a model as a pipeline; arguments and errors are those of [`load`]."""
    if dtype == "auto":  # from_pretrained would take the format that the model was saved in
        dtype = auto_dtype(device)
    elif str(dtype).removeprefix("torch.") not in ("float32", "bfloat16", "float16"):
        raise ValueError(f"dtype={dtype!r}: expected one of auto, float32, bfloat16, float16")
    if "tokenizer" in options:
        raise TypeError(
            "unknown argument tokenizer: it is part of the model's folder; for another one, use "
            "hf_spo.pipeline(model=…, tokenizer=…)"
        )
    if threads is not None:
        torch.set_num_threads(threads)
    # Not by the pipeline, whose message would hold the traceback of an error.
    model, tokenizer = load_checked(folder, dtype=dtype)
    build: Any = transformers.pipeline  # its overloads list the tasks of transformers only
    pipe = build("triple-extraction", model=model, tokenizer=tokenizer, device=device, **options)
    assert isinstance(pipe, TripleExtractionPipeline)
    return pipe


def load_checked(folder: str, **options: Any) -> tuple[Any, Any]:
    """Load a model and its tokenizer, and check that they go together.

    Args:
        folder: of the model, or its name on the Hub.
        options: of `from_pretrained`.

    Raises:
        CheckpointError: a file is damaged, or the model is of another kind; the message names the file.
    """
    base = adapter_base(partial(find_file, folder, hub={}), folder)
    if base is not None:
        return _load_adapter(folder, _base_folder(base, folder), options)
    if Path(folder).is_dir():
        _check_config(Path(folder) / "config.json")
    model = AutoModelForTripleExtraction.from_pretrained(folder, trust_remote_code=False, **options)
    tokenizer = _load_tokenizer(folder)
    if not isinstance(model, SpoEnsemble):  # an ensemble has checked its members
        check_tokenizer(tokenizer, model.get_input_embeddings().num_embeddings, folder)
    return model, tokenizer


def _load_adapter(folder: str, base: str, options: dict[str, Any]) -> tuple[Any, Any]:
    """Load an adapter with the model that it was trained on; settings and tokenizer of its own go first."""
    config = find_file(folder, "config.json", {})
    if config is not None:
        _check_config(Path(config))
        options = {**options, "config": AutoConfig.from_pretrained(Path(config).parent, trust_remote_code=False)}
    model, tokenizer = load_checked(base, **options)
    if find_file(folder, "tokenizer.json", {}) is not None:
        tokenizer = _load_tokenizer(folder)
        check_tokenizer(tokenizer, model.get_input_embeddings().num_embeddings, folder)
    return merge_adapter(model, folder), tokenizer


def _base_folder(base: str, adapter: str) -> str:
    """Return the folder or Hub name of the model that an adapter was trained on.

    Raises:
        CheckpointError: there is no such folder.
    """
    try:
        # A packaged model has another folder on each machine.
        names = [name for name, folder in PACKAGED.items() if folder == Path(base).name]
        return find_model(names[0] if names and not Path(base).is_dir() else base)
    except FileNotFoundError:
        raise CheckpointError(
            f"{adapter} is an adapter of the model {base}, and there is no such folder; enter the place of the model "
            f"as base_model_name_or_path in {Path(adapter) / ADAPTER_FILE}: a folder, a name on the Hub, or "
            f"{' or '.join(PACKAGED)}"
        ) from None


def _check_config(path: Path) -> None:
    """Check that a config is that of a triple-extraction model, before anything else of the model is read.

    Raises:
        CheckpointError: it is another model's, or a value is wrong.
    """
    read_config(path, (SpoConfig.model_type, EnsembleConfig.model_type))
    try:
        # Without the second argument, transformers would ask on stdin whether to trust code in the folder.
        AutoConfig.from_pretrained(path.parent, trust_remote_code=False)
    except Exception as error:  # wrong values raise errors of many kinds
        raise CheckpointError(f"{path}: {' '.join(str(error).split())}; copy or download it again") from error


def _load_tokenizer(folder: str) -> Any:
    """Load a tokenizer.

    Raises:
        CheckpointError: the tokenizer is missing or damaged, or needs code of its own.
    """
    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # damaged files raise errors of many kinds
        raise CheckpointError(
            f"{folder}: its tokenizer cannot be loaded ({error}); copy or download tokenizer.json and "
            f"tokenizer_config.json again"
        ) from error
