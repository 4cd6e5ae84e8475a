"""Figures of an evaluation, from the files that `hf-spo evaluate` writes."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RATIOS = {"precision": "precision", "recall": "recall", "f1": "F1"}
"""Names in files → on the card."""


@dataclass(frozen=True, slots=True)
class Score:
    """Ratios and counts by one way of matching, or of one relation. interval: of F1, if there is one."""

    precision: float
    recall: float
    f1: float
    correct: int
    predicted: int
    gold: int
    interval: tuple[float, float] | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Score":
        """Read the JSON form; an interval is optional."""
        interval = data.get("intervals", {}).get("f1")
        return cls(
            float(data["precision"]),
            float(data["recall"]),
            float(data["f1"]),
            int(data["correct"]),
            int(data["predicted"]),
            int(data["gold"]),
            None if interval is None else (float(interval[0]), float(interval[1])),
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """What a card shows of an evaluation.

    Args:
        texts: their number.
        data: name of their file.
        scores: by way of matching, at least one.
        relations: scores by relation, strict.
        calibration_error: of the scores, in ten bins of equal mass.
    """

    texts: int
    data: str
    scores: Mapping[str, Score]
    relations: Mapping[str, Score]
    calibration_error: float | None

    @property
    def first(self) -> Score:
        """The first way of matching: strict, unless the evaluation did without."""
        return next(iter(self.scores.values()))


def read_figures(report: str | Path | Mapping[str, Any]) -> Figures:
    """Read the figures of an evaluation.

    Args:
        report: what `hf-spo evaluate` wrote with `--report` (the folder, or its report.json) or `--output`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no evaluation's.
    """
    if isinstance(report, Mapping):
        return _figures(report, "the report")
    path = Path(report, "report.json") if Path(report).is_dir() else Path(report)
    return _figures(read_json_object(path), str(path))


def _figures(report: Mapping[str, Any], place: str) -> Figures:
    try:
        scores = report["measures"] if "measures" in report else report["scores"]
        groups = report.get("breakdowns", {}).get("relations", ())
        reliability = report.get("reliability")
        if not scores:
            raise ValueError("no scores")
        return Figures(
            int(report["texts"]),
            # Not the whole path: how its maker's folders are called is nobody's business.
            re.split(r"[/\\]", report.get("about", report)["data"])[-1],
            {name: Score.from_dict(score) for name, score in scores.items()},
            {group["name"]: Score.from_dict(group) for group in groups},
            None if reliability is None else float(reliability["equal_mass"]["ece"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{place} is no evaluation ({error!r}); give what hf-spo evaluate writes with --report or --output"
        ) from None


def read_json_object(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        OSError: there is no such file.
        ValueError: it holds something else.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON ({error})") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path}: expected a JSON object")
    return data
