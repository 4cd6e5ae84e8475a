"""Adapters of PEFT, such as LoRA: which model an adapter belongs to, and the model with the adapter merged into it."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

from .checkpoint import INDEX_FILE, WEIGHTS_FILE, CheckpointError, check_weights

ADAPTER_FILE, ADAPTER_WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"

Find = Callable[[str], str | None]
"""Returns the path of a file of a model; None if there is no such file."""


def adapter_base(find: Find, where: object) -> str | None:
    """Return the model that an adapter was trained on; None if this is no adapter, or a whole model.

    Args:
        find: see [`Find`].
        where: the adapter, for messages.

    Raises:
        CheckpointError: the adapter's files are damaged, or do not name a model, or its weights are a pickle.
    """
    path = find(ADAPTER_FILE)
    if path is None or find(WEIGHTS_FILE) is not None or find(INDEX_FILE) is not None:
        return None
    try:
        base = json.loads(Path(path).read_text(encoding="utf-8")).get("base_model_name_or_path")
    except (ValueError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path} is not the config of an adapter ({error}); copy or download it again") from None
    if not isinstance(base, str) or not base:
        raise CheckpointError(
            f"{path}: base_model_name_or_path={base!r}: expected the model that the adapter was trained on; enter its "
            f"folder or its name on the Hub"
        )
    if find(ADAPTER_WEIGHTS_FILE) is None:
        raise CheckpointError(f"{where} has no {ADAPTER_WEIGHTS_FILE}; pickles are not read; save the adapter again")
    return base


def merge_adapter(model: Any, adapter: str, **hub: Any) -> Any:
    """Return a model with an adapter merged into its weights, so that it is as fast as without one.

    Args:
        model: that the adapter was trained on.
        adapter: folder of the adapter, or its name on the Hub.
        hub: arguments of `from_pretrained` that say where files are found.

    Raises:
        CheckpointError: the adapter does not fit the model, or cannot be merged.
        ImportError: peft is not installed.
    """
    try:
        peft = import_module("peft")
    except ImportError:
        raise ImportError(f"{adapter} is an adapter, which needs peft: pip install 'hf-spo[peft]'") from None
    try:
        with catch_warnings():
            simplefilter("ignore", FutureWarning)  # of transformers, about a name that peft uses
            merged = peft.PeftModel.from_pretrained(model, adapter, **hub).merge_and_unload()
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        brief = " ".join(str(error).split())
        raise CheckpointError(
            f"{adapter}: the adapter cannot be merged into {model.name_or_path} ({brief:.300}); expected an adapter of "
            f"this model, of a kind that merges, such as LoRA"
        ) from error
    check_weights(merged, (), adapter)
    merged.name_or_path = adapter
    return merged.eval()
