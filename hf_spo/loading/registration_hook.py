"""Register the models with transformers as soon as it is imported, before this package or after."""

import sys
from importlib import import_module
from types import ModuleType

from wrapt import register_post_import_hook

# The modules that hf_spo.loading.registration imports and that import transformers themselves.
_MODULES = tuple(
    f"hf_spo.model.{name}"
    for name in (
        "conditioning",
        "configuration_decoding",
        "configuration_dgcnn",
        "configuration_ensemble",
        "configuration_spo",
        "encoders",
        "ensemble",
        "modeling_dgcnn",
        "modeling_ensemble",
        "modeling_spo",
        "pipeline",
        "pretrained",
    )
)
_imported: set[str] = set()


def register_when_imported() -> None:
    """Register now if transformers has been imported, else when it is; a second call changes nothing."""
    for name in ("transformers", *_MODULES):
        register_post_import_hook(_after_import, name)


def _after_import(module: ModuleType) -> None:
    _imported.add(module.__name__)
    # One of these modules may be importing transformers just now. Its own hook registers when it is complete.
    half_imported = [name for name in _MODULES if name in sys.modules and name not in _imported]
    if not half_imported and import_module("transformers.utils").is_torch_available():
        import_module("hf_spo.loading.registration")
