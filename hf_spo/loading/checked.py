"""Loading a model that somebody else may have made: everything is checked, no code of its own is run."""

from pathlib import Path
from typing import Any

import transformers
from transformers import AutoConfig, AutoTokenizer

from ..model.checkpoint import CheckpointError, check_tokenizer, read_config
from ..model.configuration_ensemble import EnsembleConfig
from ..model.configuration_spo import SpoConfig
from ..model.modeling_ensemble import SpoEnsemble
from ..model.modeling_spo import AutoModelForTripleExtraction
from ..model.pipeline import TripleExtractionPipeline


def load_checked_pipeline(folder: str, *, dtype: Any, **options: Any) -> TripleExtractionPipeline:
    """Load a model as a pipeline, see [`load_checked`].

    Args:
        folder: of the model, or its name on the Hub.
        dtype: to compute in.
        options: of `transformers.pipeline`, such as `device`.
    """
    # Not by the pipeline, which would put the whole traceback of what goes wrong into its message.
    model, tokenizer = load_checked(folder, dtype=dtype)
    build: Any = transformers.pipeline  # its overloads list the tasks of transformers only
    pipe = build("triple-extraction", model=model, tokenizer=tokenizer, **options)
    assert isinstance(pipe, TripleExtractionPipeline)
    return pipe


def load_checked(folder: str, **options: Any) -> tuple[Any, Any]:
    """Load a model and its tokenizer, and check that they go together.

    Args:
        folder: of the model, or its name on the Hub.
        options: as of `from_pretrained`.

    Raises:
        CheckpointError: something is damaged, or it is another kind of model; the message names the file.
    """
    if Path(folder).is_dir():
        _check_config(Path(folder) / "config.json")
    model = AutoModelForTripleExtraction.from_pretrained(folder, trust_remote_code=False, **options)
    tokenizer = _load_tokenizer(folder)
    if not isinstance(model, SpoEnsemble):  # which has checked its own
        check_tokenizer(tokenizer, model.get_input_embeddings().num_embeddings, folder)
    return model, tokenizer


def _check_config(path: Path) -> None:
    """Check that a config is that of one of our models, before anything else of it is read.

    Raises:
        CheckpointError: it is not, or it says what cannot be.
    """
    read_config(path, (SpoConfig.model_type, EnsembleConfig.model_type))
    try:
        # Without the second argument, a model with code of its own would have a question answered by what stdin holds.
        AutoConfig.from_pretrained(path.parent, trust_remote_code=False)
    except Exception as error:  # values of any kind go wrong in many ways
        raise CheckpointError(f"{path}: {' '.join(str(error).split())}; copy or download it again") from error


def _load_tokenizer(folder: str) -> Any:
    """Load a tokenizer.

    Raises:
        CheckpointError: there is none, or it is damaged, or has code of its own.
    """
    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # files of any kind go wrong in many ways
        raise CheckpointError(
            f"{folder}: its tokenizer cannot be loaded ({error}); copy or download tokenizer.json and "
            f"tokenizer_config.json again"
        ) from error
