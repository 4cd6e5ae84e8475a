"""Configuration of ensembles."""

from typing import ClassVar

from huggingface_hub.dataclasses import strict

from .configuration_decoding import DecodingConfig
from .decoding_settings import Combination


@strict
class EnsembleConfig(DecodingConfig):
    """Configuration of [`SpoEnsemble`]: its members and how they are combined, and the fields of [`DecodingConfig`].

    Args:
        groups: folders of the members, inside the ensemble's folder. The probabilities of a group's members are
            averaged; the triples of the groups are combined.
        combination: how they are combined, see [`Combination`].
        min_votes: groups that have to agree, for "vote"; default: more than half.
    """

    model_type = "hf_spo_ensemble"
    model_class = "SpoEnsemble"
    required_keys: ClassVar[tuple[str, ...]] = ("groups", "relations")

    groups: list[list[str]] | None = None
    combination: str = Combination.AVERAGE.value
    min_votes: int | None = None

    def validate_ensemble(self) -> None:
        """Check the values that types alone do not; runs on construction and on save."""
        if self.combination not in list(Combination):
            raise ValueError(f"combination={self.combination!r}: expected one of {', '.join(Combination)}")
        groups = self.groups or []
        if self.groups is not None and not (groups and all(groups)):
            raise ValueError(f"groups={groups}: expected at least one group, and no empty one")
        names = [name for group in groups for name in group]
        if len(set(names)) < len(names):
            raise ValueError(f"groups={groups!s:.80}: expected each member once")
        for name in names:
            # Members are loaded from there, so a downloaded config must not point outside the folder.
            if not name or name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name:
                raise ValueError(f"member {name!r}: expected the name of a folder inside the ensemble's")
        if self.combination == Combination.AVERAGE and len(groups) > 1:
            raise ValueError(f"combination='average' with {len(groups)} groups: expected one group, or union or vote")
        if self.min_votes is not None and not 1 <= self.min_votes <= max(len(groups), 1):
            raise ValueError(f"min_votes={self.min_votes}: expected 1 to {len(groups)}, the number of groups")

    @property
    def votes_needed(self) -> int:
        """Number of groups that have to find a triple."""
        if self.combination == Combination.VOTE:
            return self.min_votes or len(self.groups or ()) // 2 + 1
        return 1
