"""A recipe: one YAML file with data, model and arguments of a training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import yaml
from transformers import HfArgumentParser

from ..data.formats.base import DataFormatError
from ..data.formats.registry import find_format
from ..model.configuration_spo import SpoConfig
from .arguments import SpoTrainingArguments


class RecipeError(ValueError):
    """A recipe or an argument on the command line is wrong."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Data, model and arguments of a training.

    Args:
        encoder: folder or Hub name of a pretrained encoder, or of a triple-extraction model to continue from (base and
            lite are in the package); without it, `model` gives the type of an encoder with random weights:
            `encoder_config: {model_type: dgcnn}`.
        train: labelled texts: a path, or a list of paths.
        dev: labelled texts; without dev nothing is evaluated and the last weights are kept. With dev, and unless
            `training` sets evaluation or saving, both happen twenty times, and the best weights are kept.
        dev_share: without dev, the share of the training texts to hold out as dev, such as 0.2. The text alone decides,
            so equal texts stay together, and a text stays in its part when others are added.
        annotated_predicates: for paths in `train` whose labels are partial, the list of predicates whose labels are
            complete, see [`Example`]; the field of the same name in a row takes precedence.
        format: format of train and dev, see [`format_names`]; default: detected.
        schema: schema file; default: inferred from train and dev.
        output: folder for checkpoints and the final model.
        words: table of word vectors, for a fresh encoder that reads words.
        texts: unlabelled texts, whose characters and words a fresh encoder knows as well.
        prior: known triples, see [`TripleStore.from_file`], for models with `prior: true`; default: those of train.
        model: fields of [`SpoConfig`], for an encoder; `encoder_config` and `attn_implementation` reach the encoder.
        training: fields of [`SpoTrainingArguments`].
        stages: one mapping of further `training` fields for each stage. A stage continues from the best model of the
            stage before, with a fresh optimizer. Default: one stage.
    """

    encoder: str | None = None
    train: str | Sequence[str] | None = None
    dev: str | None = None
    dev_share: float | None = None
    annotated_predicates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    format: str | None = None
    schema: str | None = None
    output: str | None = None
    words: str | None = None
    texts: str | None = None
    prior: str | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    stages: Sequence[Mapping[str, Any]] = ({},)

    @classmethod
    def from_file(cls, path: str | Path) -> "Recipe":
        """Read a YAML recipe.

        Raises:
            RecipeError: the file is not a YAML mapping, a key is unknown, or a value has the wrong type.
        """
        try:
            content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise RecipeError(f"{path}: not YAML: {error}") from None
        if not isinstance(content, dict):
            raise RecipeError(f"{path}: expected a mapping with keys such as encoder, train, dev, output")
        _check_keys(content, [f.name for f in fields(cls)], f"{path}")
        values = {name: value for name, value in content.items() if value is not None}
        for name, known in (("model", _MODEL_KEYS), ("training", _TRAINING_KEYS)):
            _check_keys(values.get(name, {}), known, f"{path}: {name}")
        stages = values.get("stages", [{}])
        if not isinstance(stages, list) or not stages:
            raise RecipeError(f"{path}: stages: expected a list of mappings, one a stage, got {stages!r}")
        for number, stage in enumerate(stages, 1):
            _check_keys(stage, _TRAINING_KEYS, f"{path}: stage {number}")
        for name in values.keys() - {"model", "training", "stages", "annotated_predicates", "dev_share"}:
            if not isinstance(values[name], str) and not (name == "train" and _is_list_of_names(values[name])):
                raise RecipeError(f"{path}: {name}: expected a path, got {values[name]!r}")
        partial = values.get("annotated_predicates", {})
        if not isinstance(partial, dict) or not all(map(_is_list_of_names, partial.values())):
            raise RecipeError(
                f"{path}: annotated_predicates: expected a list of predicates for each path of partial labels, got "
                f"{partial!r:.80}"
            )
        return cls(**values)

    def override(self, **values: str | float | None) -> "Recipe":
        """Return the recipe with the given values; None keeps a value."""
        given: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
        return replace(self, **given)

    def check_sources(self) -> None:
        """Check that training data, encoder and output are given.

        Raises:
            RecipeError: one is missing, or two values contradict each other.
        """
        fresh = "model_type" in (self.model.get("encoder_config") or {})
        for name in ("train", "output") if fresh else ("encoder", "train", "output"):
            if getattr(self, name) is None:
                raise RecipeError(f"{name} is missing: add `{name}:` to the recipe or pass --{name}")
        self._check_format()
        self._check_dev_share()
        for path in self.annotated_predicates:
            if path not in self.train_files:
                raise RecipeError(
                    f"annotated_predicates: {path} is not in train, which has {', '.join(self.train_files)}"
                )
        if fresh and self.encoder is not None:
            raise RecipeError(
                "encoder: the model's encoder_config has a model_type, so its encoder starts with random weights; "
                "leave out one of both"
            )
        if not fresh and (self.words or self.texts):
            raise RecipeError(
                "words, texts: only an encoder with random weights takes them; give its model_type under "
                "encoder_config, or leave them out"
            )
        if self.prior and not self.model.get("prior"):
            raise RecipeError(
                "prior: the model does not read known triples; add `prior: true` under `model:`, or leave it out"
            )

    @property
    def train_files(self) -> Sequence[str]:
        """The paths of the labelled texts to train on."""
        return [self.train] if isinstance(self.train, str) else self.train or []

    def _check_format(self) -> None:
        if self.format is not None:
            try:
                find_format(self.format)
            except DataFormatError as error:
                raise RecipeError(f"format: {error}") from None

    @property
    def has_dev(self) -> bool:
        """Whether there are texts to evaluate on."""
        return self.dev is not None or self.dev_share is not None

    def _check_dev_share(self) -> None:
        share = self.dev_share
        if share is None:
            return
        if not isinstance(share, int | float) or not 0 < share < 1:
            raise RecipeError(f"dev_share={share!r}: expected a share between 0 and 1, such as 0.2")
        if self.dev is not None:
            raise RecipeError(f"dev_share={share}: there is a dev set, {self.dev}; leave out one of both")

    def stage(self, number: int) -> "Recipe":
        """Return one stage as a recipe, whose output is a subfolder if there are several stages."""
        assert self.output is not None
        training = {**self.training, **self.stages[number]}
        output = str(Path(self.output) / f"stage-{number + 1}") if len(self.stages) > 1 else self.output
        return replace(self, training=training, stages=({},), output=output)

    def arguments(self, extra: Sequence[str] = ()) -> SpoTrainingArguments:
        """Build the training arguments; `extra` is a list of command-line words such as `--learning_rate 1e-4`.

        Raises:
            RecipeError: an argument is unknown or its value has the wrong type.
        """
        parser = HfArgumentParser(SpoTrainingArguments, allow_abbrev=False)  # type: ignore[arg-type]  # no subclass in its stub

        def complain(message: str) -> NoReturn:
            raise RecipeError(f"training arguments: {message}")

        parser.error = complain  # type: ignore[method-assign]  # argparse has no other hook
        named = {*self.training, *(word.lstrip("-").partition("=")[0].replace("-", "_") for word in extra)}
        evaluation = _EVALUATION if self.has_dev and named.isdisjoint(_EVALUATION) else {}
        parser.set_defaults(**{"output_dir": self.output, **evaluation, **self.training})
        try:
            arguments, unknown = parser.parse_args_into_dataclasses(list(extra), return_remaining_strings=True)
        except (ValueError, TypeError, ImportError) as error:
            raise RecipeError(f"training arguments: {error}") from None
        if unknown:
            near = get_close_matches(unknown[0].lstrip("-").replace("-", "_"), _TRAINING_KEYS, n=1)
            hint = f"; did you mean --{near[0]}?" if near else ""
            raise RecipeError(f"unknown argument {unknown[0]}{hint}")
        assert isinstance(arguments, SpoTrainingArguments)
        if arguments.output_dir != self.output:
            raise RecipeError(f"--output_dir {arguments.output_dir}: pass the output folder as --output")
        return arguments


_EVALUATION: Mapping[str, Any] = {
    "eval_strategy": "steps",
    "eval_steps": 0.05,  # below 1, a share of all steps
    "save_strategy": "steps",
    "save_steps": 0.05,
    "save_total_limit": 2,
    "load_best_model_at_end": True,
}
_MODEL_KEYS = [*(f.name for f in fields(SpoConfig)), "attn_implementation"]
_TRAINING_KEYS = [f.name for f in fields(SpoTrainingArguments) if f.name != "output_dir"]


def _is_list_of_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _check_keys(content: Any, known: Sequence[str], where: str) -> None:
    if not isinstance(content, Mapping):
        raise RecipeError(f"{where}: expected a mapping, got {type(content).__name__}")
    for key in content:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            raise RecipeError(
                f"{where}: unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else f"; known: {known}")
            )
