"""What the configs of all triple-extraction models share: the relations, and how probabilities become triples."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from huggingface_hub.errors import StrictDataclassError
from packaging.version import InvalidVersion, Version
from transformers import PreTrainedConfig
from transformers.utils import logging

from .decoding_settings import DecodingSettings, SpanPairing
from .fields import json_line
from .schema import Schema, Thresholds

logger = logging.get_logger(__name__)

RENAMED_KEYS: dict[str, str] = {}
"""Keys of configs written by older versions → their names today."""

TASK = "triple-extraction"
ENTRY = "pipeline"
"""The file that config.json refers to where code travels with a model: one for all, so that each class is loaded once,
and one from which every other is reached."""

# Otherwise this is a copy that came with a model.
_INSTALLED = __package__ == "hf_spo.model"


def package_version() -> str:
    """Return the installed version of hf-spo; "unknown" where the code runs without the package."""
    try:
        # What else may be installed says nothing of a copy.
        return version("hf-spo") if _INSTALLED else "unknown"
    except PackageNotFoundError:
        return "unknown"


def is_newer(written_by: Any) -> bool:
    """Tell whether a version is newer than this one; of what is no version, it is not."""
    try:
        return Version(str(written_by)) > Version(package_version())
    except InvalidVersion:
        return False


class NewerVersionError(ValueError):
    """A model cannot be loaded, and was written by a newer version."""


@contextmanager
def advising_upgrade(what: object, written_by: Callable[[], Any]) -> Iterator[None]:
    """Have a load that fails say so if a newer version wrote what is loaded.

    Args:
        what: is loaded, for the message.
        written_by: returns the version; called if the load fails.

    Raises:
        NewerVersionError: it failed, and a newer version did.
    """
    try:
        yield
    except NewerVersionError:
        raise
    except (ValueError, TypeError, RuntimeError, StrictDataclassError) as error:
        writer = written_by()
        if not is_newer(writer):
            raise
        raise NewerVersionError(
            f"{what} was written by version {writer} of hf_spo and cannot be loaded by {package_version()}: "
            f"pip install --upgrade hf-spo ({' '.join(str(error).split())})"
        ) from error


@strict
class DecodingConfig(PreTrainedConfig):
    """Fields that every triple-extraction model's config has.

    Args:
        relations: the schema's relations in label order, see [`Schema.to_list`].
        subject_start_threshold, subject_end_threshold, object_start_threshold, object_end_threshold: a token is a
            border where its powered probability exceeds this.
        span_pairing: which starts and ends make spans, see [`SpanPairing`].
        score_calibration: map from a triple's score to the probability that it is right, see [`Calibration.to_dict`].
        score_threshold: triples that score less are dropped.
        relation_score_thresholds: the same for each relation, in the common one's place.
        max_length: longest sequence in tokens, special tokens included.
        window: neighbouring sentences of a text are read together up to this many tokens; None: up to `max_length`.
            Training sets it to the median length of its texts, if it is not set.
        hf_spo_version: the version that wrote this config.
    """

    # Without these keys a config.json is none of the kind.
    required_keys: ClassVar[tuple[str, ...]] = ("relations",)
    # Name of the class that is built from it.
    model_class: ClassVar[str] = ""

    relations: list[dict[str, Any]] | None = None
    subject_start_threshold: float = 0.5
    subject_end_threshold: float = 0.5
    object_start_threshold: float = 0.5
    object_end_threshold: float = 0.5
    span_pairing: str = SpanPairing.NEAREST.value
    score_calibration: dict[str, Any] | None = None
    score_threshold: float = 0.0
    relation_score_thresholds: list[float] | None = None
    max_length: int = 256
    window: int | None = None
    tie_word_embeddings: bool = False
    hf_spo_version: str = ""

    def __post_init__(self, **kwargs: Any) -> None:
        unknown = sorted(key for key in set(kwargs) - _FOREIGN_KEYS if not key.startswith("_"))
        if unknown:
            near = get_close_matches(unknown[0], [field.name for field in fields(self)], n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise TypeError(f"{type(self).__name__} has no field {', '.join(unknown)}{hint}")
        self.hf_spo_version = self.hf_spo_version or package_version()
        super().__post_init__(**kwargs)  # type: ignore[no-untyped-call]  # unannotated there

    def validate_decoding(self) -> None:
        """Check the values that types alone do not; runs on construction and on save."""
        DecodingSettings.from_dict(vars(self))  # raises where one is wrong
        limits = self.relation_score_thresholds
        if limits is not None and len(limits) != len(self.relations or ()):
            raise ValueError(
                f"{len(limits)} relation_score_thresholds: expected one for each of the {len(self.relations or ())} "
                f"relations"
            )
        if self.max_length < 3:
            raise ValueError(
                f"max_length={self.max_length}: expected at least 3, a text has to fit between [CLS] and [SEP]"
            )
        if self.window is not None and not 3 <= self.window <= self.max_length:
            raise ValueError(f"window={self.window}: expected 3 to max_length={self.max_length} tokens")
        if self.relations is not None:
            Schema.from_list(self.relations)

    @property
    def schema(self) -> Schema:
        """The relations as a [`Schema`].

        Raises:
            ValueError: the config has no relations.
        """
        if not self.relations:
            raise ValueError(
                "this config has no relations, so no model can be built from it; "
                "pass relations=schema.to_list(), or use SpoForTripleExtraction.from_encoder(path, schema)"
            )
        return Schema.from_list(self.relations)

    @property
    def thresholds(self) -> Thresholds:
        """The four decoding thresholds as one object."""
        return self.decoding.thresholds

    @property
    def decoding(self) -> DecodingSettings:
        """How probabilities become triples, as one object."""
        return DecodingSettings.from_dict(vars(self))

    def decode_by(self, settings: DecodingSettings) -> None:
        """Take settings over, as found by a search for instance."""
        for name, value in settings.to_dict().items():
            setattr(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, under the version that writes it."""
        if _INSTALLED:
            return {**super().to_dict(), "hf_spo_version": package_version()}
        # The version that the code is of. transformers puts other references than ours into a config that it saves.
        return {**super().to_dict(), **self.code_references()}

    def to_json_string(self, use_diff: bool = True) -> str:
        """Return the JSON form, with the relations' characters as they are."""
        return json_line(json.loads(super().to_json_string(use_diff)), indent=2) + "\n"

    @classmethod
    def code_references(cls) -> dict[str, Any]:
        """Return what config.json says where code travels with a model: which classes of it are used for what."""
        return {
            "auto_map": {"AutoConfig": f"{ENTRY}.{cls.__name__}", "AutoModel": f"{ENTRY}.{cls.model_class}"},
            "custom_pipelines": {
                TASK: {"impl": f"{ENTRY}.TripleExtractionPipeline", "pt": ["AutoModel"], "type": "text"}
            },
        }

    def save_pretrained(self, save_directory: str | PathLike[str], push_to_hub: bool = False, **kwargs: Any) -> None:
        """Save as JSON; code that came with a model goes along."""
        if not _INSTALLED:
            Path(save_directory).mkdir(parents=True, exist_ok=True)
            for path in Path(__file__).parent.glob("*.py"):
                if path.name != "__init__.py":
                    shutil.copyfile(path, Path(save_directory) / path.name)
        super().save_pretrained(save_directory, push_to_hub=push_to_hub, **kwargs)

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Build a config from its JSON form; renamed keys are followed, unknown ones are dropped with a warning."""
        written_by = config_dict.get("hf_spo_version", "unknown")
        kept = cls._known_part(config_dict, written_by)
        with advising_upgrade("this hf_spo config", lambda: written_by):
            for key in cls.required_keys:
                if key not in kept and key not in kwargs:
                    raise ValueError(
                        f'this hf_spo config has no "{key}" (written by version {written_by}); the file is damaged or '
                        f"belongs to another model"
                    )
            return super().from_dict(kept, **kwargs)

    @classmethod
    def _known_part(cls, config_dict: dict[str, Any], written_by: Any) -> dict[str, Any]:
        known = {field.name for field in fields(cls)} | _FOREIGN_KEYS
        if _INSTALLED and cls.__module__.startswith("hf_spo."):
            # The installed code is used, which nobody has to be asked to trust.
            config_dict = {key: value for key, value in config_dict.items() if key not in _CODE_KEYS}
        renamed = {RENAMED_KEYS.get(key, key): value for key, value in config_dict.items()}
        kept = {key: value for key, value in renamed.items() if key in known or key.startswith("_")}
        unknown = ", ".join(sorted(set(renamed) - set(kept)))
        if is_newer(written_by):
            ignored = f"; unknown keys are ignored: {unknown}" if unknown else ""
            logger.warning_once(
                f"this hf_spo config was written by version {written_by}, newer than {package_version()} here: "
                f"pip install --upgrade hf-spo{ignored}"
            )
        elif unknown:
            logger.warning(
                f"ignoring unknown keys of this hf_spo config: {unknown}; it was written by version {written_by}, this "
                f"is {package_version()}"
            )
        return kept


_CODE_KEYS = ("auto_map", "custom_pipelines")

# What transformers itself writes into a config.json, or passes to a config, beside the declared fields.
_FOREIGN_KEYS = {
    "model_type", "transformers_version", "architectures", "dtype", "torch_dtype", *_CODE_KEYS,
    "attn_implementation", "experts_implementation", "use_cache", "name_or_path", "num_labels", "output_attentions",
}  # fmt: skip
