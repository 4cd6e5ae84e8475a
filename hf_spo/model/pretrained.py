"""Saving and loading of triple-extraction models: what `from_pretrained` checks, what lies beside the weights."""

from copy import deepcopy
from os import PathLike
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers import initialization as init
from transformers.utils.hub import cached_file

from .adapters import adapter_base, merge_adapter
from .checkpoint import check_shapes, check_weights, share_weights, stored_shapes, weight_files
from .conditioning import SubjectConditioning
from .configuration_spo import SpoConfig
from .features import PRIOR_FILE, WORDS_FILE, Features
from .layers import PointerHead, ZeroEmbedding
from .triple_store import TripleStore
from .versions import advise_upgrade, is_newer
from .words import WordVocabulary


class SpoPreTrainedModel(PreTrainedModel):
    """Base of the models with an [`SpoConfig`]: initial weights, and checked saving and loading."""

    config: SpoConfig
    config_class = SpoConfig
    base_model_prefix = "encoder"
    main_input_name = "input_ids"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _supports_attention_backend = True

    def __init__(self, config: SpoConfig) -> None:
        super().__init__(config)
        encoder_config = config.get_text_config()
        self.takes_token_types = (getattr(encoder_config, "type_vocab_size", 0) or 0) > 0
        self.takes_words = (getattr(encoder_config, "word_vocab_size", 0) or 0) > 0
        self.features = Features()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)  # type: ignore[no-untyped-call]  # unannotated there
        if isinstance(module, SubjectConditioning):
            module.initialize()
        elif isinstance(module, PointerHead):
            init.constant_(module.bias, module.initial_bias)
        elif isinstance(module, ZeroEmbedding):
            init.zeros_(module.weight)
        elif isinstance(module, nn.GRU | nn.LSTM):
            for parameter in module.parameters():
                init.uniform_(parameter, -(module.hidden_size**-0.5), module.hidden_size**-0.5)
        elif isinstance(module, nn.Conv1d | nn.Linear):
            # Wide enough for a signal to pass through several fresh layers; the encoder initialises its own.
            init.xavier_uniform_(module.weight)
            if module.bias is not None:
                init.zeros_(module.bias)

    def save_pretrained(self, save_directory: str | PathLike[str], *args: Any, **kwargs: Any) -> None:
        """Save weights and config, and the words and known triples that the model reads."""
        self.features.save(save_directory)
        super().save_pretrained(save_directory, *args, **kwargs)
        share_weights(save_directory)

    def _get_files_timestamps(self, working_dir: str | PathLike[str]) -> dict[str, float]:
        """Tell an upload which files are older than the save: `save_pretrained` has just written these two."""
        stamps: dict[str, float] = super()._get_files_timestamps(working_dir)
        return {name: stamp for name, stamp in stamps.items() if name not in (WORDS_FILE, PRIOR_FILE)}

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: Any, *args: Any, output_loading_info: bool = False, **kwargs: Any
    ) -> Any:
        """Load weights and config, words and known triples; see [`PreTrainedModel.from_pretrained`].

        Weights are read from safetensors only. With `ignore_mismatched_sizes=True`, weights that the files lack or have
        in other sizes start at random. Of an adapter of PEFT, the model that it was trained on is loaded, and the
        adapter is merged into it.

        Raises:
            CheckpointError: the files are damaged or incomplete, or have NaN weights, or are pickles; or an adapter
                does not fit its model.
            ImportError: it is an adapter, and peft is not installed.
            NewerVersionError: loading failed, and a newer version wrote the model.
            ValueError: the model reads words or known triples, and the folder lacks them.
        """
        path = pretrained_model_name_or_path
        hub = {name: kwargs.pop(name) for name in HUB_OPTIONS if name in kwargs}
        # The Auto classes have found an adapter's model already.
        found = kwargs.pop("adapter_kwargs", None) or {}
        adapter = found.get("_adapter_model_path")
        # Adapter and model are two repositories, each with revisions of its own.
        elsewhere = {name: value for name, value in hub.items() if name not in ("revision", "subfolder")}
        of_adapter = elsewhere | {name: found[name] for name in HUB_OPTIONS if name in found}
        if path is not None and (base := adapter_base(lambda name: find_file(path, name, hub), path)) is not None:
            kwargs.setdefault("config", find_file(path, "config.json", hub))
            adapter, path, of_adapter, hub = path, base, hub, elsewhere
        with advise_upgrade(path, lambda: _written_by(path, kwargs.get("config"), hub)):
            model, info = cls._load(path, *args, hub=hub, **kwargs)
            unknown = info["unexpected_keys"]
            if unknown and is_newer(model.config.hf_spo_version) and not kwargs.get("ignore_mismatched_sizes"):
                raise ValueError(f"{len(unknown)} weights are unknown here, such as {min(unknown)}")
        if adapter is not None:
            model = merge_adapter(model, str(adapter), **of_adapter)
        return (model, info) if output_loading_info else model

    @classmethod
    def _load(cls, path: Any, *args: Any, hub: dict[str, Any], **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        if kwargs.pop("use_safetensors", None) is False:
            raise ValueError("use_safetensors=False: expected safetensors, since pickles can run code; leave it out")
        config = kwargs.pop("config", None)
        options = {name: kwargs.pop(name) for name in _LOADING_OPTIONS if name in kwargs}
        if not isinstance(config, PreTrainedConfig):
            config, kwargs = cls.config_class.from_pretrained(
                path if config is None else config, return_unused_kwargs=True, **hub, **kwargs
            )
        partial = bool(kwargs.get("ignore_mismatched_sizes"))
        if path is not None:
            files = weight_files(lambda name: find_file(path, name, hub), path, options.get("variant"))
            check_shapes(lambda: cls(deepcopy(config)), stored_shapes(files), path, partial=partial)
        loaded: Any = super().from_pretrained(
            path, *args, config=config, use_safetensors=True, output_loading_info=True, **hub, **options, **kwargs
        )
        model, info = loaded
        check_weights(model, info["missing_keys"], path, partial=partial)
        model.features = _load_features(model, path, hub)
        return model, info


HUB_OPTIONS = ("cache_dir", "force_download", "token", "revision", "local_files_only", "subfolder")
"""Arguments of `from_pretrained` that say where files are found."""

# Arguments of `from_pretrained` that the config does not take.
_LOADING_OPTIONS = ("dtype", "variant", "quantization_config")


def _written_by(path: Any, config: Any, hub: dict[str, Any]) -> Any:
    """Return the version that wrote a model's config."""
    if isinstance(config, PreTrainedConfig):
        return getattr(config, "hf_spo_version", None)
    return PreTrainedConfig.get_config_dict(config or path, **hub)[0].get("hf_spo_version")


def find_file(path: Any, name: str, hub: dict[str, Any]) -> str | None:
    """Return the path of a file of a model, in its folder or in the Hub's cache; None if it has no such file."""
    found: str | None = cached_file(path, name, _raise_exceptions_for_missing_entries=False, **hub)
    return found


def _load_features(model: SpoPreTrainedModel, path: Any, hub: dict[str, Any]) -> Features:
    """Read the words and known triples that are saved beside a model's weights."""

    def file(name: str) -> str:
        found = find_file(path, name, hub)
        if found is None:
            raise ValueError(f"{path} has no {name}, which this model reads beside its text; save the model again")
        return found

    words, prior = None, None
    if model.takes_words:
        encoder_config = model.config.get_text_config()
        words = WordVocabulary.from_file(file(WORDS_FILE), encoder_config.segmenter)
        if len(words) != encoder_config.word_vocab_size:
            raise ValueError(
                f"{path}: {WORDS_FILE} has {len(words) - 1:,} words, but the model has vectors for "
                f"{encoder_config.word_vocab_size - 1:,}; copy or download it again"
            )
    if model.config.prior:
        prior = TripleStore.from_file(file(PRIOR_FILE), model.config.schema)
    return Features(words, prior)
