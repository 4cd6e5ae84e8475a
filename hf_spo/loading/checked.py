"""Load models of torch that somebody else may have made: everything is checked, and no code of theirs is run."""

from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig, AutoTokenizer

from ..model.checkpoint import CheckpointError, check_tokenizer, read_config
from ..model.configuration_ensemble import EnsembleConfig
from ..model.configuration_spo import SpoConfig
from ..model.modeling_ensemble import SpoEnsemble
from ..model.modeling_spo import AutoModelForTripleExtraction
from ..model.pipeline import TripleExtractionPipeline
from .dtypes import auto_dtype


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
    if Path(folder).is_dir():
        _check_config(Path(folder) / "config.json")
    model = AutoModelForTripleExtraction.from_pretrained(folder, trust_remote_code=False, **options)
    tokenizer = _load_tokenizer(folder)
    if not isinstance(model, SpoEnsemble):  # an ensemble has checked its members
        check_tokenizer(tokenizer, model.get_input_embeddings().num_embeddings, folder)
    return model, tokenizer


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
