"""SpoEnsemble: several triple-extraction models in one folder, loaded and saved as one model.

An example is the final system of kexue.fm/archives/6671: eight models without prior, averaged, united with eight models
with prior, averaged.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any

from huggingface_hub import CommitInfo, CommitOperationAdd, HfApi
from torch import nn
from transformers import AutoConfig, AutoTokenizer, PreTrainedModel

from .checkpoint import check_tokenizer
from .configuration_ensemble import EnsembleConfig
from .decoding_settings import Combination
from .features import Features
from .modeling_spo import SpoForTripleExtraction
from .pretrained import HUB_OPTIONS
from .triple_store import TripleStore


class SpoEnsemble(PreTrainedModel):
    """Models whose probabilities are averaged, or whose triples are combined, or both.

    Args:
        config: the groups and how they are combined.
        members: the models, group after group.
        tokenizers: one for each group.
    """

    config: EnsembleConfig
    config_class = EnsembleConfig
    base_model_prefix = "ensemble"
    main_input_name = "input_ids"

    def __init__(
        self, config: EnsembleConfig, members: Sequence[SpoForTripleExtraction] = (), tokenizers: Sequence[Any] = ()
    ) -> None:
        super().__init__(config)
        groups = config.groups or []
        count = sum(map(len, groups))
        if len(members) != count or len(tokenizers) != len(groups):
            raise ValueError(
                f"got {len(members)} members and {len(tokenizers)} tokenizers, expected {count} members in "
                f"{len(groups)} groups; load an ensemble by SpoEnsemble.from_pretrained, or build one by "
                f"SpoEnsemble.from_models"
            )
        self.members = nn.ModuleList(members)
        self.tokenizers = list(tokenizers)

    @classmethod
    def from_models(
        cls, paths: Sequence[str | PathLike[str]], combination: str = Combination.AVERAGE, min_votes: int | None = None
    ) -> "SpoEnsemble":
        """Build an ensemble of trained models.

        Args:
            paths: folders or Hub names of models or of averaging ensembles. To be averaged, all must read texts in the
                same way; with another combination, each is a group of its own.
            combination: see [`Combination`].
            min_votes: groups that have to agree, for "vote"; default: more than half.

        Raises:
            ValueError: the models differ in their relations, or models to be averaged in how they read a text.
        """
        parts = [_members(path) for path in paths]
        if combination == Combination.AVERAGE:
            parts = [[member for part in parts for member in part]]
        first = parts[0][0]
        for part in parts:
            for member in part:
                member.check(part[0], first)
        config = first.model.config
        names = [[f"group-{i}/member-{j}" for j in range(len(part))] for i, part in enumerate(parts)]
        ensemble_config = EnsembleConfig(
            relations=config.relations,
            groups=names,
            combination=combination,
            min_votes=min_votes,
            max_length=min(part[0].model.config.max_length for part in parts),
            window=min((part[0].model.config.window for part in parts if part[0].model.config.window), default=None),
            # Score thresholds tuned for one model do not fit several; the border thresholds are a start.
            **{name: getattr(config, name) for name in _BORDERS},
        )
        return cls(
            ensemble_config, [member.model for part in parts for member in part], [part[0].tokenizer for part in parts]
        )

    @property
    def groups(self) -> list[list[SpoForTripleExtraction]]:
        """The members, group by group."""
        rest = iter(self.members)
        return [[next(rest) for _ in group] for group in self.config.groups or []]  # type: ignore[misc]  # of a ModuleList

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile each member, see `torch.nn.Module.compile`."""
        for member in self.members:
            member.compile(*args, **kwargs)

    def group_features(self, group: int) -> Features:
        """Return the features that a group's members read: the same words, and all their known triples."""
        members = self.groups[group]
        words = next((member.features.words for member in members if member.features.words is not None), None)
        stores = [member.features.prior for member in members if member.features.prior is not None]
        return Features(words, TripleStore.union(stores) if stores else None)

    def save_pretrained(
        self, save_directory: str | PathLike[str], *args: Any, push_to_hub: bool = False, **kwargs: Any
    ) -> None:
        """Save the config, and each member with its tokenizer into a folder of its own.

        Args:
            save_directory: the folder.
            args: as in [`PreTrainedModel.save_pretrained`].
            push_to_hub: upload what was saved.
            kwargs: as there; for an upload `repo_id`, by default the folder's name, and arguments of `push_to_hub`.
        """
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        upload = {name: kwargs.pop(name) for name in _UPLOAD_OPTIONS if name in kwargs}
        before = self._get_files_timestamps(folder)
        for names, members, tokenizer in zip(self.config.groups or [], self.groups, self.tokenizers, strict=True):
            for name, member in zip(names, members, strict=True):
                member.save_pretrained(folder / name, **kwargs)
                tokenizer.save_pretrained(folder / name)
        self.tokenizers[0].save_pretrained(folder)
        self.config.architectures = [type(self).__name__]
        # Last, because the folder is a model only with a config.
        self.config.save_pretrained(folder)
        if push_to_hub:
            repo_id, private = upload.pop("repo_id", folder.name), upload.pop("private", None)
            repo = HfApi().create_repo(repo_id, private=private, token=upload.get("token"), exist_ok=True)
            self._upload_modified_files(folder, repo.repo_id, before, **upload)

    def _get_files_timestamps(self, working_dir: str | PathLike[str]) -> dict[str, float]:
        """Return the time of each file, those of subfolders included, for an upload to find the changed ones."""
        folder = Path(working_dir)
        files = (path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.stat().st_mtime for path in files}

    def _upload_modified_files(
        self,
        working_dir: str | PathLike[str],
        repo_id: str,
        files_timestamps: dict[str, float],
        commit_message: str | None = None,
        token: bool | str | None = None,
        create_pr: bool = False,
        revision: str | None = None,
        commit_description: str | None = None,
    ) -> CommitInfo:
        stamps = self._get_files_timestamps(working_dir)
        changed = [name for name, stamp in stamps.items() if stamp > files_timestamps.get(name, 0)]
        if revision is not None and not revision.startswith("refs/pr"):
            HfApi().create_branch(repo_id, branch=revision, token=token, exist_ok=True)
        return HfApi().create_commit(
            repo_id,
            [CommitOperationAdd(name, Path(working_dir) / name) for name in changed],
            commit_message=commit_message or "Upload ensemble",
            commit_description=commit_description,
            token=token,
            create_pr=create_pr,
            revision=revision,
        )

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, *args: Any, **kwargs: Any) -> Any:
        """Load an ensemble from a folder or the Hub; arguments are those of [`PreTrainedModel.from_pretrained`]."""
        config = kwargs.pop("config", None)
        hub = {name: kwargs[name] for name in HUB_OPTIONS if name in kwargs}
        if not isinstance(config, EnsembleConfig):
            config = EnsembleConfig.from_pretrained(pretrained_model_name_or_path, **hub)
        loading_info = kwargs.pop("output_loading_info", False)
        folder = hub.pop("subfolder", "")
        for name in ("subfolder", "trust_remote_code"):  # members are of known classes
            kwargs.pop(name, None)
        members, tokenizers = [], []
        for names in config.groups or []:
            places = [str(PurePosixPath(folder, name)) for name in names]
            for place in places:
                member = SpoForTripleExtraction.from_pretrained(
                    pretrained_model_name_or_path, *args, subfolder=place, **kwargs
                )
                members.append(member)
            tokenizer = AutoTokenizer.from_pretrained(
                pretrained_model_name_or_path, config=members[-1].config, subfolder=places[0], **hub
            )
            for place, member in zip(places, members[-len(names) :], strict=True):
                check_tokenizer(tokenizer, member.get_input_embeddings().num_embeddings, place)
            tokenizers.append(tokenizer)
        model = cls(config, members, tokenizers)
        model.config.name_or_path = str(pretrained_model_name_or_path)
        return (model, {}) if loading_info else model


_BORDERS = ("subject_start_threshold", "subject_end_threshold", "object_start_threshold", "object_end_threshold")
_UPLOAD_OPTIONS = ("repo_id", "private", "token", "commit_message", "commit_description", "create_pr", "revision")


@dataclass(frozen=True, slots=True)
class _Member:
    path: str
    model: SpoForTripleExtraction
    tokenizer: Any

    def check(self, alike: "_Member", first: "_Member") -> None:
        """Check that this model can be averaged with another, and be in one ensemble with the first."""
        if self.model.config.schema != first.model.config.schema:
            raise ValueError(f"{self.path} has other relations than {first.path}; expected models of one schema")
        if self.reading() != alike.reading():
            raise ValueError(
                f"{self.path} reads texts in another way than {alike.path}: tokenizer, words or max_length differ, so "
                f"their probabilities cannot be averaged; combine them by union or vote"
            )

    def reading(self) -> tuple[Any, ...]:
        """Return everything that determines the input of the model for a text."""
        pieces = json.loads(self.tokenizer.backend_tokenizer.to_str())
        kept = {name: part for name, part in pieces.items() if name not in ("truncation", "padding")}
        words = self.model.features.words
        return kept, None if words is None else (words.words, words.segmenter), self.model.config.max_length


def _members(path: str | PathLike[str]) -> list[_Member]:
    """Load a model, or the members of an averaging ensemble."""
    config = AutoConfig.from_pretrained(path)
    if isinstance(config, EnsembleConfig):
        ensemble = SpoEnsemble.from_pretrained(path)
        if len(ensemble.groups) > 1:
            raise ValueError(f"{path} combines several groups; expected models, or averaging ensembles")
        return [_Member(str(path), model, ensemble.tokenizers[0]) for model in ensemble.groups[0]]
    model = SpoForTripleExtraction.from_pretrained(path)
    return [_Member(str(path), model, AutoTokenizer.from_pretrained(path))]
